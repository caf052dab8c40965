"""One JSON object ↔ one typed tuple.

`parse` checks every field of every kind, so that nothing behind it checks again. Unknown fields are ignored. What is
wrong is a `bad_envelope` fault: with the request's id where the object has a known kind and a valid id (the
connection then stays), else fatal.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, Callable, Dict, List, NamedTuple, NoReturn, Optional, TypeGuard, Union

from .fault import Fault
from .frame import Buffer

_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}\Z").match
_NONCE = re.compile(r"[0-9a-fA-F]{32}\Z").match
_PROOF = re.compile(r"[0-9a-fA-F]{64}\Z").match
_LONE_SURROGATE = re.compile(r"[\ud800-\udfff]").search

# A year: a longer deadline means "none", and the clocks of every platform can add it.
LONGEST_DEADLINE = 31_536_000.0

Parts = List[Dict[str, Any]]


class Codec(NamedTuple):
    """How JSON is read and written; the bridge brings a faster pair. `loads` raises ValueError on bad input."""

    loads: Callable[[Buffer], Any]
    dumps: Callable[[Any], bytes]


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON number")


# Exactly RFC 8259, as the bridge's faster codec is: UTF-8 alone, and neither NaN nor Infinity.
_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _standard_loads(data: Buffer) -> Any:
    try:
        return _decode(str(data, "utf-8"))
    except RecursionError as error:
        raise ValueError("nested too deeply") from error


_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False).encode

STANDARD_CODEC = Codec(_standard_loads, lambda value: _encode(value).encode("ascii"))


class Peer(NamedTuple):
    """Who is on the other side."""

    name: str
    version: str


class Limits(NamedTuple):
    """What a server takes: payload bytes, and requests in flight on one connection."""

    max_payload: int
    max_in_flight: int


class Hello(NamedTuple):
    protocol: int
    nonce: str
    peer: Peer


class Challenge(NamedTuple):
    nonce: str
    proof: str


class Auth(NamedTuple):
    proof: str


class Welcome(NamedTuple):
    protocol: int
    peer: Peer
    limits: Limits
    boot: Optional[str]


class Request(NamedTuple):
    """`deadline` is the time left in seconds, None for the server's default; `parts` describe the payload."""

    id: str
    method: str
    deadline: Optional[float] = None
    instance: Optional[str] = None
    key: Optional[str] = None
    boot: Optional[str] = None
    parts: Optional[Parts] = None


class Response(NamedTuple):
    """`id` is None where the answer is to the whole connection."""

    id: Optional[str]
    ok: bool
    boot: Optional[str] = None
    parts: Optional[Parts] = None


class Event(NamedTuple):
    id: str
    name: str


class Cancel(NamedTuple):
    id: str


class Ping(NamedTuple):
    id: str


class Pong(NamedTuple):
    id: str


class Goodbye(NamedTuple):
    reason: str


Envelope = Union[Hello, Challenge, Auth, Welcome, Request, Response, Event, Cancel, Ping, Pong, Goodbye]


def parse(data: Buffer, payload_length: int, codec: Codec = STANDARD_CODEC) -> Envelope:
    """Read one envelope. Raises Fault (`bad_envelope`, `unsupported_protocol`)."""
    try:
        fields = codec.loads(data)
    except ValueError:
        raise Fault("bad_envelope", "the envelope is not JSON", fatal=True) from None
    if not isinstance(fields, dict):
        raise Fault("bad_envelope", "the envelope must be a JSON object", fatal=True)
    kind = fields.get("kind")
    reader = _READERS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        known = ", ".join(_READERS)
        raise Fault("bad_envelope", f"the envelope's kind must be one of {known}", fatal=True)
    return reader(_Fields(fields, payload_length))


def valid_id(value: object) -> bool:
    """1 to 64 characters of [A-Za-z0-9._:-]."""
    return isinstance(value, str) and _ID(value) is not None


def _is_text(value: object) -> TypeGuard[str]:
    """A string that UTF-8 can carry: JSON's escapes can also spell halves of a surrogate pair."""
    return isinstance(value, str) and (value.isascii() or _LONE_SURROGATE(value) is None)


class _Fields:
    """One object's fields, read with a check each."""

    __slots__ = ("_payload_length", "_request_id", "given")

    def __init__(self, given: dict[str, Any], payload_length: int) -> None:
        self.given = given
        self._payload_length = payload_length
        self._request_id: str | None = None

    def fault(self, message: str) -> Fault:
        return Fault("bad_envelope", message, request_id=self._request_id, fatal=self._request_id is None)

    def id(self) -> str:
        value: object = self.given.get("id")
        if not isinstance(value, str) or _ID(value) is None:
            raise self.fault("id must be 1 to 64 characters of A-Z a-z 0-9 . _ : -")
        self._request_id = value
        return value

    def text(self, name: str) -> str:
        value: object = self.given.get(name)
        if not isinstance(value, str) or not value or not (value.isascii() or _is_text(value)):
            raise self.fault(f"{name} must be a string that is not empty")
        return value

    def hex(self, name: str, matches: Callable[[str], object]) -> str:
        value = self.given.get(name)
        if not isinstance(value, str) or not matches(value):
            length = 32 if matches is _NONCE else 64
            raise self.fault(f"{name} must be {length} hexadecimal digits")
        return value

    def flag(self, name: str) -> bool:
        value = self.given.get(name)
        if not isinstance(value, bool):
            raise self.fault(f"{name} must be true or false")
        return value

    def protocol(self) -> int:
        value = self.given.get("protocol")
        if value != 1 or isinstance(value, bool):
            # Only a scalar is shown: the repr of a deep list can exceed the recursion limit that its reading kept.
            shown = repr(value)[:40] if isinstance(value, (str, int, float)) else "that"
            raise Fault("unsupported_protocol", f"protocol 1 is spoken here, not {shown}", fatal=True)
        return 1

    def peer(self) -> Peer:
        value = self.given.get("peer")
        if not isinstance(value, dict):
            raise self.fault("peer must be an object with a name and a version")
        name, version = value.get("name"), value.get("version")
        if not _is_text(name) or not _is_text(version):
            raise self.fault("peer must have a name and a version, both strings")
        return Peer(name, version)

    def limits(self) -> Limits:
        value = self.given.get("limits")
        found: list[Any] = [value.get(name) for name in Limits._fields] if isinstance(value, dict) else []
        if not found or not all(_positive_whole(number) for number in found):
            raise self.fault("limits must have max_payload and max_in_flight, both whole numbers above 0")
        return Limits(*found)

    def deadline(self) -> float:
        value = self.given["deadline"]
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0 or value == math.inf:
            raise self.fault("deadline must be a number of seconds above 0")
        return float(min(value, LONGEST_DEADLINE))

    def parts(self) -> Parts:
        value = self.given["parts"]
        problem = _problem_with_parts(value, self._payload_length)
        if problem is not None:
            raise self.fault(problem)
        return value  # type: ignore[no-any-return]  # _problem_with_parts has just checked it


def _positive_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _problem_with_parts(value: object, payload_length: int) -> str | None:
    if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
        return "parts must be a list, not empty, of objects with a name and a length"
    names = [part.get("name") for part in value]
    if not all(_is_text(name) and name for name in names) or len(set(names)) < len(names):
        return "each of parts needs a name of its own"
    lengths = [part.get("length") for part in value]
    if not all(isinstance(length, int) and not isinstance(length, bool) and length >= 0 for length in lengths):
        return "each of parts needs a length, a whole number of bytes"
    if names[0] != "json":
        return "the first of parts must be the one named json"
    if sum(lengths) != payload_length:
        # The sum is not shown: it may have more digits than Python writes.
        return f"the lengths of parts must add up to the payload's {payload_length} bytes"
    return None


def _read_request(fields: _Fields) -> Request:
    given = fields.given
    return Request(
        fields.id(),
        fields.text("method"),
        fields.deadline() if "deadline" in given else None,
        fields.text("instance") if "instance" in given else None,
        fields.text("key") if "key" in given else None,
        fields.text("boot") if "boot" in given else None,
        fields.parts() if "parts" in given else None,
    )


def _read_response(fields: _Fields) -> Response:
    given = fields.given
    return Response(
        None if given.get("id", "") is None else fields.id(),
        fields.flag("ok"),
        fields.text("boot") if "boot" in given else None,
        fields.parts() if "parts" in given else None,
    )


def _read_welcome(fields: _Fields) -> Welcome:
    boot = fields.text("boot") if "boot" in fields.given else None
    return Welcome(fields.protocol(), fields.peer(), fields.limits(), boot)


def _read_event(fields: _Fields) -> Event:
    event = Event(fields.id(), fields.text("name"))
    if event.name not in ("progress", "log"):
        raise fields.fault("an event's name must be progress or log")
    return event


_READERS: dict[str, Callable[[_Fields], Envelope]] = {
    "hello": lambda fields: Hello(fields.protocol(), fields.hex("nonce", _NONCE), fields.peer()),
    "challenge": lambda fields: Challenge(fields.hex("nonce", _NONCE), fields.hex("proof", _PROOF)),
    "auth": lambda fields: Auth(fields.hex("proof", _PROOF)),
    "welcome": _read_welcome,
    "request": _read_request,
    "response": _read_response,
    "event": _read_event,
    "cancel": lambda fields: Cancel(fields.id()),
    "ping": lambda fields: Ping(fields.id()),
    "pong": lambda fields: Pong(fields.id()),
    "goodbye": lambda fields: Goodbye(fields.text("reason")),
}

_KINDS = {
    Hello: "hello",
    Challenge: "challenge",
    Auth: "auth",
    Welcome: "welcome",
    Request: "request",
    Response: "response",
    Event: "event",
    Cancel: "cancel",
    Ping: "ping",
    Pong: "pong",
    Goodbye: "goodbye",
}


def encode(envelope: Envelope, codec: Codec = STANDARD_CODEC) -> bytes:
    """Write one envelope. Optional fields that are None are left out; a response's id is always written."""
    fields: dict[str, Any] = {"kind": _KINDS[type(envelope)]}
    for name, value in zip(envelope._fields, envelope):  # noqa: B905  # a named tuple has a name for each value
        if value is not None or name == "id":
            fields[name] = value  # noqa: PERF403  # a comprehension would be a call more
    for name in ("peer", "limits"):
        if name in fields:
            fields[name] = fields[name]._asdict()
    return codec.dumps(fields)
