"""What happens to a request on the I/O thread: all that needs no Blender.

A request that is wrong is refused at once, however busy the main thread is; one that needs no main thread is answered.
"""

from __future__ import annotations

import json
from typing import Any, Mapping, Protocol

from .keys import request_digest
from .pump import Pump
from .wire import DEFAULT_MAX_PAYLOAD, Buffer, Fault, Part, Request, split_parts
from .work import Answer, Runnable, Ticket, Work


class Command(Runnable, Protocol):
    """A registered command."""

    @property
    def io_thread(self) -> bool: ...

    def bind(self, params: object, parts: Mapping[str, Part]) -> Mapping[str, Any]: ...


class Commands(Protocol):
    """Where commands are found by name."""

    def find(self, method: str) -> Command: ...


class Intake:
    """Checks requests and hands them to the pump. `boot` is this process's id."""

    def __init__(self, commands: Commands, pump: Pump, boot: str, *, max_payload: int = DEFAULT_MAX_PAYLOAD) -> None:
        self.pump = pump
        self.boot = boot
        self.max_payload = max_payload
        self._commands = commands

    def accept(self, ticket: Ticket, request: Request, payload: Buffer) -> None:
        """See that the ticket gets its answer, now or later. Raises Fault where the request is refused."""
        if request.boot is not None and request.boot != self.boot:
            message = "the Blender process that this request was first sent to has ended; what it did is not known here"
            raise Fault("blender_lost", message, data={"boot": self.boot})
        command = self._commands.find(request.method)
        json_bytes, parts = split_parts(payload, request.parts)
        arguments = command.bind(_parse(json_bytes), parts)
        if request.key is None:
            work = Work(ticket, request.method, command, arguments)
        else:
            digest = request_digest(request.method, payload)
            work = Work(ticket, request.method, command, arguments, key=request.key, digest=digest)
        if command.io_thread:
            ticket.requester.answer(ticket, Answer.of_result(command.run(work.call, arguments), self.max_payload))
        else:
            self.pump.submit(work)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


_decode = json.JSONDecoder(parse_constant=_refuse_constant).decode


def _parse(data: Buffer) -> object:
    if not data:
        return {}
    try:
        return _decode(str(data, "utf-8"))
    except (ValueError, RecursionError) as error:
        raise Fault("bad_payload", f"the parameters are not JSON: {error}"[:500]) from None
