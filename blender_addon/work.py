"""One command's way through the pump, and those who wait for its answer."""

from __future__ import annotations

import enum
import json
import threading
from typing import Any, List, Mapping, NamedTuple, Optional, Protocol

from .call import Call
from .interrupt import Interrupter
from .results import encode_result
from .wire import MAX_ENVELOPE, STANDARD_CODEC, Buffer, Fault, join_parts
from .wire.envelope import Parts
from .wire.parts import total_length

# For the fields beside the parts, here and where the bridge writes the envelope anew.
_ENVELOPE_RESERVE = 1024


class Answer(NamedTuple):
    """A response without its id: what a command returned, or an error object, whose code `outcome` is."""

    ok: bool
    parts: Optional[Parts]
    buffers: List[Buffer]
    size: int
    outcome: str = "ok"

    @classmethod
    def of_result(cls, result: object, most: int) -> Answer:
        """Encode a result. Raises Fault where it has more than `most` bytes, or more parts than an envelope holds."""
        parts, buffers = join_parts(*encode_result(result))
        size = total_length(buffers)
        if size > most:
            message = f"the command ran, but its result has {size} bytes and at most {most} can be sent: ask for less"
            raise Fault("execution_failed", message, data={"length": size, "limit": most})
        if parts is not None and len(STANDARD_CODEC.dumps(parts)) > MAX_ENVELOPE - _ENVELOPE_RESERVE:
            message = f"the command ran, but its result has {len(parts)} parts, more than fit an envelope: ask for less"
            raise Fault("execution_failed", message, data={"parts": len(parts)})
        return cls(True, parts, buffers, size)

    @classmethod
    def of_fault(cls, fault: Fault) -> Answer:
        body = json.dumps(fault.as_object(), separators=(",", ":"), default=repr).encode()
        return cls(False, None, [body], len(body), fault.code)


class Runnable(Protocol):
    """What is needed of a registered command."""

    def run(self, call: Call, arguments: Mapping[str, Any]) -> object: ...


class Requester(Protocol):
    """The connection that a ticket's answer goes to. Both are called from any thread and never block."""

    def answer(self, ticket: Ticket, answer: Answer) -> None: ...

    def progress(self, ticket: Ticket, payload: bytes) -> None: ...


class State(enum.Enum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"


class Ticket:
    """One request that waits for a work's answer; more than one where a keyed request was repeated."""

    __slots__ = ("requester", "request_id", "deadline", "work", "owner")

    def __init__(self, requester: Requester, request_id: str, deadline: Optional[float]) -> None:
        self.requester = requester
        self.request_id = request_id
        self.deadline = deadline
        self.work: Optional[Work] = None
        # The work's deadline is the one of its first request.
        self.owner = False


class Work:
    """One command that is to run once. The pump's lock guards `state` and `tickets`."""

    __slots__ = ("call", "command", "arguments", "key", "digest", "state", "tickets", "ended", "started", "_shielded")

    def __init__(
        self,
        ticket: Ticket,
        method: str,
        command: Runnable,
        arguments: Mapping[str, Any],
        *,
        key: Optional[str] = None,
        digest: bytes = b"",
    ) -> None:
        self.call = Call(ticket.request_id, method, deadline=ticket.deadline, emit=self._emit)
        self.command: Optional[Runnable] = command
        self.arguments: Mapping[str, Any] = arguments
        self.key = key
        self.digest = digest
        self.state = State.QUEUED
        self.tickets = [ticket]
        self.started = 0.0
        # Made by a thread whose socket is gone and that stays to watch the deadline.
        self.ended: Optional[threading.Event] = None
        self._shielded: Optional[Interrupter] = None

    def run(self, interrupter: Interrupter, most: int) -> Answer:
        """Run the command on this thread. Raises whatever it raises, Interrupted where it was stopped."""
        command, arguments = self.command, self.arguments
        assert command is not None
        self._shielded = interrupter
        return interrupter.guarded(self.call, lambda: Answer.of_result(command.run(self.call, arguments), most))

    def release(self) -> None:
        """Let go of what the command was given: it may be large."""
        self.command, self.arguments = None, {}

    def _emit(self, done: float, total: float, message: str) -> None:
        try:
            body = json.dumps({"progress": done, "total": total, "message": str(message)}, allow_nan=False).encode()
        except (TypeError, ValueError):
            return
        assert self._shielded is not None
        with self._shielded.shield():
            for ticket in tuple(self.tickets):
                ticket.requester.progress(ticket, body)
