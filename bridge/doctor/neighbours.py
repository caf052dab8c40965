"""Who listens where the bridges for Blender listen, and which of their languages it speaks."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from time import monotonic
from typing import Literal

from blender_addon.wire import Address

from .finding import Finding, ok, warning
from .place import Place
from .processes import listener_of, named

Dialect = Literal["nobody", "bare JSON", "NUL-terminated JSON", "ours", "unknown"]

_HOST = "127.0.0.1"
_PING = b'{"type":"ping"}'
_CONNECT = 0.2
_BARE = 0.35
_TERMINATED = 1.2  # the official add-on looks every 0.25 to 1 s
_ENOUGH = 64 << 10

_WORDS: dict[Dialect, str] = {
    "bare JSON": 'the add-on "blender-mcp" (bare JSON)',
    "NUL-terminated JSON": "the official Blender Lab add-on (NUL-terminated JSON)",
    "unknown": "something that is no add-on for Blender, or is busy",
}


def neighbours(place: Place) -> Iterator[Finding]:
    """The port that two add-ons share, whose users do not know it. What listens there is asked nothing but a ping."""
    where = f"{_HOST}:{place.blender_port}"
    dialect = dialect_at(_HOST, place.blender_port)
    if dialect == "nobody":
        yield ok(f"nobody listens at {where}")
        return
    who = named(listener_of(Address("tcp", host=_HOST, port=place.blender_port)))
    if dialect == "ours":
        yield ok(f"at {where} {who} speaks our protocol: --instance NAME=tcp:{where} connects to it")
    else:
        yield warning(
            f"at {where} {who} is {_WORDS[dialect]}, which the bridge does not speak",
            "leave it to its own tools, or stop it there and start our add-on",
        )


def dialect_at(host: str, port: int) -> Dialect:
    """Which it is, in less than 2 seconds. No code is sent, and what is sent is complete before it is left."""
    try:
        answer = _ask(host, port, _PING, _BARE) or _ask(host, port, _PING + b"\0", _TERMINATED)
    except (ConnectionRefusedError, TimeoutError):
        return "nobody"
    if answer[:1] == b"\0":
        return "ours"
    if answer.endswith(b"\0"):
        return "NUL-terminated JSON"
    return "bare JSON" if _is_object(answer) else "unknown"


def _ask(host: str, port: int, data: bytes, seconds: float) -> bytes:
    """Its answer up to where its language is clear. Raises OSError where nobody is there."""
    with socket.create_connection((host, port), timeout=_CONNECT) as sock:
        end = monotonic() + seconds
        answer = b""
        try:
            sock.sendall(data)
            while not _is_clear(answer):
                sock.settimeout(max(0.001, end - monotonic()))
                received = sock.recv(4096)
                if not received:
                    break
                answer += received
        except OSError:
            return answer  # it has no more to say in time
        return answer


def _is_clear(answer: bytes) -> bool:
    return answer[:1] == b"\0" or answer.endswith(b"\0") or len(answer) > _ENOUGH


def _is_object(answer: bytes) -> bool:
    try:
        return isinstance(json.loads(answer), dict)
    except ValueError:
        return False
