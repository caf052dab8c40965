"""What both clients say and understand: a call as one frame, an answer as a result or an error. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from blender_addon.wire import (
    STANDARD_CODEC,
    Address,
    Buffer,
    ClientSession,
    Event,
    Fault,
    Limits,
    Outcome,
    Part,
    Peer,
    Request,
    Response,
    head,
    join_parts,
    parse_address,
    split_parts,
)
from blender_addon.wire.envelope import LONGEST_DEADLINE
from blender_addon.wire.parts import total_length
from bridge import __version__
from bridge.errors import (
    BlenderLost,
    ConfigurationError,
    ProtocolViolation,
    RequestError,
    TimedOut,
    error_from_fault,
)

PEER = Peer("bpy-bridge-client", __version__)

# The protocol's default deadline, in seconds: it is always sent, so that both sides wait equally long.
DEFAULT_TIMEOUT = 300.0

# How much longer than its deadline a call waits for the bridge, which answers within its own grace of 1 s.
GRACE = 5.0

# How long a cancelled call waits for its last word.
CANCEL_WAIT = 1.5

CONNECT_TIMEOUT = 5.0

# Below this, one copy costs less than one more system call.
_JOINED_UP_TO = 65_536

OnEvent = Callable[[dict[str, Any]], None]


class Result(NamedTuple):
    """An answer: the JSON `value`, the binary `parts` that it refers to as {"$part": name}, and the Blender process."""

    value: Any
    parts: dict[str, Part]
    boot: str | None


class Call(NamedTuple):
    """What a caller asks for."""

    method: str
    params: Mapping[str, Any] | None
    parts: Mapping[str, Part] | None
    instance: str | None
    key: str | None
    boot: str | None


def locate(address: str | None, token: str | None) -> tuple[Address, str | None]:
    """Where the bridge is, and the token that proves it. Raises NotRunning, ConfigurationError."""
    if address is None or token is None:
        from bridge.paths import find_bridge  # noqa: PLC0415  # a tool that names both needs no look at the disk

        address, found = find_bridge(address, token)
        token = token if token is not None else found
    try:
        return parse_address(address), token
    except ValueError as error:
        raise ConfigurationError(str(error)) from None


def deadline_of(timeout: float | None) -> float:
    """Seconds for one call. Raises ValueError for what is not above 0."""
    if timeout is None:
        return DEFAULT_TIMEOUT
    if not timeout > 0:
        raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")
    return min(float(timeout), LONGEST_DEADLINE)


def request_buffers(
    session: ClientSession, limits: Limits, request_id: str, call: Call, deadline: float
) -> list[Buffer]:
    """One request's frame, to be sent in order.

    Raises TypeError or ValueError where the params are not JSON, RequestError where the server would refuse the size.
    """
    json_bytes = STANDARD_CODEC.dumps(call.params if isinstance(call.params, dict) else dict(call.params or {}))
    described, payload = join_parts(json_bytes, call.parts or {})
    length = total_length(payload) if described else len(json_bytes)
    if length > limits.max_payload:
        message = f"the payload has {length} bytes and the bridge takes at most {limits.max_payload}: send less at once"
        data = {"length": length, "limit": limits.max_payload}
        raise ProtocolViolation(message, code="payload_too_large", data=data)
    request = Request(request_id, call.method, deadline, call.instance, call.key, call.boot, described)
    try:
        envelope = session.request(request)
    except Fault as fault:
        raise error_from_fault(fault) from None
    start = head(envelope, length)
    if length <= _JOINED_UP_TO:
        return [b"".join((start, *payload))]
    return [start + json_bytes, *payload[1:]]


def result_of(response: Response, payload: Buffer) -> Result:
    """Read an answer. Raises the RequestError that it stands for."""
    json_bytes, parts = split_parts(payload, response.parts)
    try:
        value = STANDARD_CODEC.loads(json_bytes) if len(json_bytes) else None
        if response.ok:
            return Result(value, parts, response.boot)
        fault = Fault.from_object(value)
    except ValueError:
        raise BlenderLost("the answer could not be read: what became of the request is not known") from None
    raise error_from_fault(fault)


def event_object(event: Event, payload: Buffer) -> dict[str, Any]:
    """What `on_event` gets: the event's object, with its name under "event"."""
    return {**status_object(payload), "event": event.name}


def status_object(payload: Buffer) -> dict[str, Any]:
    """A pong's or an event's object; empty where there is none that can be read."""
    try:
        value = STANDARD_CODEC.loads(payload)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def lost(session: ClientSession, outcome: Outcome = "unknown") -> RequestError:
    """The error of a request whose connection ended: the server's own word, or what is known without it."""
    if session.refusal is not None:
        return error_from_fault(session.refusal)
    known = "the request was not run" if outcome == "not_executed" else "what became of the request is not known"
    return BlenderLost(f"the connection to the bridge was lost: {known}", outcome=outcome)


def unanswered(deadline: float) -> TimedOut:
    """The error of a request that the bridge did not even answer after its deadline."""
    message = f"the bridge did not answer within {deadline:g} s and {GRACE:g} s of grace"
    return TimedOut(message, outcome="unknown")


def unsent(deadline: float) -> TimedOut:
    """The error of a request that could not be sent whole within its deadline."""
    return TimedOut(f"the request could not be sent within {deadline:g} s", outcome="not_executed")
