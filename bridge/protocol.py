"""The protocol as the bridge speaks it: the wire's sessions, with orjson for the envelopes."""

from __future__ import annotations

from typing import Any

import orjson

from blender_addon.wire import Buffer, ClientSession, Codec, Fault, Limits, Peer, ServerSession

from . import __version__

VERSION = __version__

# orjson's JSONDecodeError is a ValueError, and it refuses deep nesting by itself.
CODEC = Codec(orjson.loads, orjson.dumps)
PEER = Peer("bpy-bridge", VERSION)


def server_session(limits: Limits, token: str | None) -> ServerSession:
    """The bridge towards one tool client."""
    return ServerSession(PEER, limits, token=token, codec=CODEC)


def client_session(token: str | None) -> ClientSession:
    """The bridge towards one Blender."""
    return ClientSession(PEER, token=token, codec=CODEC)


def json_bytes(value: Any) -> bytes:
    """Encode a payload's JSON value."""
    return orjson.dumps(value)


def json_value(data: Buffer) -> Any:
    """Decode a payload's JSON value; empty is None. Raises ValueError."""
    return orjson.loads(data) if len(data) else None


def fault_from_payload(payload: Buffer) -> Fault:
    """The error in a failed response. Raises ValueError where it is none."""
    return Fault.from_object(json_value(payload))
