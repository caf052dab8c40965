"""The first line on the MCP door: who relays, and which tools it wants."""

from __future__ import annotations

import hmac
from typing import NamedTuple

from bridge import protocol

LONGEST = 4096


class Preface(NamedTuple):
    """`tools` is a profile or families with commas; `instance` None is whichever serves requests without a name."""

    tools: str
    instance: str | None
    client_version: str


def read_preface(line: bytes, token: str | None) -> Preface:
    """Raises ValueError that says what is wrong with the line, or that the token is."""
    try:
        said = protocol.json_value(line)
    except ValueError:
        raise ValueError("the first line must be the preface, one JSON object") from None
    if not isinstance(said, dict) or said.get("bpy_bridge") != 1:
        raise ValueError('the first line must be the preface: {"bpy_bridge": 1, "tools": "core"}')
    if token is not None and not hmac.compare_digest(str(said.get("token")).encode(), token.encode()):
        raise ValueError("the token is wrong: it is in mcp.token beside the other tokens")
    tools, instance = said.get("tools") or "core", said.get("instance")
    if not isinstance(tools, str) or not (instance is None or isinstance(instance, str)):
        raise ValueError("tools and instance must be text")
    return Preface(tools, instance, str(said.get("client_version", "")))
