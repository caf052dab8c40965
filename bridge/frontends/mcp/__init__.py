"""The MCP door: the one catalogue as tools, for AI assistants.

door       accepts on `mcp.sock`; a relay's preface says who it is; then MCP as on standard input and output
stream     lines of JSON-RPC on a socket, as the SDK wants them
server     the SDK's server: its handlers, each bound to the client that asks
client     one MCP client: its tools, its Blender, what it has seen
tools      catalogue entry → tool; profiles: which of them are listed
calling    one tool call: arguments → request → result
results    a reply → content: structured JSON, pictures, what binary parts hold; a failure → what to do about it

`door`, `preface` and this file import nothing of the SDK, which takes 1.5 s: it is loaded beside the running bridge.
"""

from __future__ import annotations

from .door import McpDoor

__all__ = ["McpDoor"]
