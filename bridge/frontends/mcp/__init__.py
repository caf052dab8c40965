"""The MCP door: the one catalogue as tools, for AI assistants.

door       accepts relays on `mcp.sock`; a preface says who comes and for which tools; closes in order
preface    that first line
lines      lines on a socket, bounded
session    one client on a socket
stream     its messages of JSON-RPC, a line each, as the SDK wants them
eras       both of the protocol's eras on one pair of streams
http       the same over HTTP, with a token; visitors are its clients
server     the SDK's server: its handlers, each bound to the client that asks
client     one client: its Blender, its calls, what it has seen
context    a request's context, and whose it is
catalogue  what each client's Blender can be asked to do: told at once, watched for changes
tools      catalogue entry → tool
profiles   which tools are listed
listing    how they are listed, in few bytes
calling    one tool call: arguments → request → result
arguments  arguments → JSON and binary parts; binary says how those are asked for, npy and files where they come from
results    a reply → structured JSON and the same as text; pictures; a failure → what to do about it
progress   progress events → MCP progress
resources  the scene, an object, the last picture, what was done
prompts    good practice

`door`, `preface`, `lines`, `catalogue` and this file import nothing of the SDK, which takes long: it is loaded beside
the running bridge.
"""

from __future__ import annotations

from .door import McpDoor

__all__ = ["McpDoor"]
