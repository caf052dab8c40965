"""The use cases: perform a request, and cancel it. With `status`, the only room that doors see."""

from __future__ import annotations

import inspect
import itertools
import math
import os
from functools import partial
from typing import Any

import structlog
import trio

from blender_addon.commands import CATALOGUE
from blender_addon.wire import Buffer, Fault, Outcome, Request, split_parts

from . import events, methods, protocol
from .catalogues import Catalogues, Commands
from .connection import Connection, Exchange, OnEvent, Reply
from .errors import (
    BlenderLost,
    Busy,
    InternalError,
    Refused,
    RequestError,
    ShuttingDown,
    error_from_fault,
)
from .fleet import Affinity, Fleet, Group, Instance, Target
from .interruption import why
from .jobs.queue import Queue
from .sharing import Execution, Key, Sharing, identity
from .status import Status
from .supervisor import Supervisor

log = structlog.get_logger(__name__)

_SENT_CODE = "code.execute"


class Call:
    """One request from a door: its bytes, its deadline on trio's clock, and the handle to cancel it.

    `scope` is what ends the work, at `cancel` and at the deadline once `arm` was called. `exchange` is what has gone
    to Blender, `abandoned` says that Blender was told to stop it and has not answered. `affinity` is where the client's
    requests without a name go, `bound` what it was when this was read.
    """

    __slots__ = (
        "abandoned",
        "affinity",
        "bound",
        "cancelled",
        "connection",
        "deadline",
        "exchange",
        "instance",
        "on_event",
        "payload",
        "request",
        "scope",
        "started",
    )

    def __init__(
        self,
        request: Request,
        payload: Buffer,
        *,
        default_deadline: float,
        on_event: OnEvent | None,
        connection: str,
        affinity: Affinity,
    ) -> None:
        self.request = request
        self.connection = connection
        self.affinity = affinity
        self.bound = affinity.target
        self.payload = payload
        self.on_event = on_event
        self.started = trio.current_time()
        deadline = default_deadline if request.deadline is None else request.deadline
        self.deadline = self.started + deadline
        self.scope: trio.CancelScope | None = None
        self.cancelled = False
        self.abandoned = False
        self.exchange: Exchange | None = None
        self.instance = ""

    def cancel(self) -> None:
        """The client wants it no more: leave every queue, Blender's included."""
        self.cancelled = True
        if self.scope is not None:
            self.scope.cancel()

    def enter(self, scope: trio.CancelScope) -> None:
        """From now on `scope` is what ends the work."""
        self.scope = scope
        if self.cancelled:
            scope.cancel()

    def leave(self) -> None:
        """The work has ended: the scope, which may serve others, is not this call's any more."""
        if self.scope is not None:
            self.scope.deadline = math.inf
            self.scope = None

    def arm(self) -> None:
        """Have the scope end the work at the deadline from now on."""
        if self.scope is not None:
            self.scope.deadline = self.deadline

    @property
    def sent(self) -> bool:
        """Blender may have the whole request."""
        return self.exchange is not None and self.exchange.sent


class Service:
    """What the bridge does for its clients, whichever door they came through."""

    def __init__(
        self,
        fleet: Fleet,
        status: Status,
        *,
        default_deadline: float,
        emit: events.Emit,
        supervisor: Supervisor | None = None,
        jobs: Queue | None = None,
    ) -> None:
        self.fleet = fleet
        self.jobs = jobs
        self._supervisor = supervisor
        self.status = status
        self.default_deadline = default_deadline
        self._emit = emit
        self._ids = itertools.count(1)
        self._running: dict[Call, None] = {}
        self._catalogues = Catalogues(self._ask)
        self._sharing = Sharing()

    def call(
        self,
        request: Request,
        payload: Buffer,
        on_event: OnEvent | None = None,
        connection: str = "",
        affinity: Affinity | None = None,
    ) -> Call:
        """Take a request; its deadline counts from here. `connection` is the id of who asks, `affinity` its own."""
        return Call(
            request,
            payload,
            default_deadline=self.default_deadline,
            on_event=on_event,
            connection=connection,
            affinity=affinity or Affinity(),
        )

    async def perform(self, call: Call) -> Reply:
        """Do it by its deadline, and return the reply. Raises RequestError; every other exception has become one.

        The caller drops the reply when it is done with its payload.
        """
        with trio.CancelScope(deadline=call.deadline) as scope:
            call.enter(scope)
            return await self.perform_within_scope(call)
        return self.interrupted(call)

    async def perform_within_scope(self, call: Call) -> Reply:
        """`perform` in the scope that the call has entered, for doors that do many requests in one.

        Entering a scope for each costs as much as the rest of a door. The caller sees to it that the deadline is
        armed where the request takes long, and asks `interrupted` when the scope was cancelled.
        """
        try:
            reply = await self._perform(call)
            self._finished(call, "ok" if reply.ok else _code(reply))
            return reply
        except Fault as fault:
            self._finished(call, fault.code)
            raise error_from_fault(fault) from fault.__cause__
        except Exception as error:
            self._finished(call, "internal")
            # The boundary between one request and all others: a bug in one is that one's failure.
            reference = f"{os.getpid():x}-{next(self._ids):x}"
            log.exception(
                "request failed inside the bridge",
                reference=reference,
                method=call.request.method,
                instance=call.instance,
                connection=call.connection,
                request=call.request.id,
            )
            message = f"a bug in the bridge ({type(error).__name__}); the log has it under {reference}"
            raise InternalError(
                message, outcome="unknown" if call.sent else "not_executed", data={"reference": reference}
            ) from error

    def interrupted(self, call: Call) -> Reply:
        """What came of a call whose scope was cancelled: Blender's own answer if it came in time, else RequestError."""
        reply = call.exchange.reply if call.exchange is not None else None
        if reply is None:
            raise self._interruption(call)
        if not call.cancelled and not reply.ok and (fault := _fault(reply)) is not None and fault.code == "cancelled":
            # It was the deadline, not the client, that made us cancel it in Blender.
            reply.drop()
            raise self._interruption(call, "not_executed" if fault.outcome == "not_executed" else "unknown")
        self._finished(call, "ok" if reply.ok else _code(reply))
        return reply

    def _finished(self, call: Call, outcome: str) -> None:
        seconds = trio.current_time() - call.started
        request = call.request
        self._emit(events.RequestFinished(call.instance, request.method, outcome, seconds, call.connection, request.id))

    async def _perform(self, call: Call) -> Reply:
        method = call.request.method
        if method.startswith(("bridge.", "jobs.")):
            return await self._answer(call)
        return await self._forward(call, self.fleet.route(call.request.instance, call.affinity, call.bound))

    async def _forward(self, call: Call, target: Target) -> Reply:
        call.instance = target.name
        if call.request.method == _SENT_CODE and not all(member.code for member in self.fleet.behind(target.name)):
            message = f"{_SENT_CODE} is switched off for {target.name} by this bridge's setting safety.code"
            raise Refused(message, code="forbidden")
        try:
            if isinstance(target, Group):
                # No sharing here: the members' scenes are different ones.
                instance, lease = await target.acquire(call.request.key, call.request.boot)
                call.instance = instance.name
            else:
                instance = target
                if instance.pool.would_wait and (key := self._shareable(call, instance)) is not None:
                    execute, shared = partial(self._exchange, call), partial(self._shared, call)
                    return await self._sharing.perform(key, instance.pool, call, execute, shared)
                lease = await instance.pool.acquire()
        except Busy as error:
            error.data["current"] = self._current(target)
            raise
        except ShuttingDown as error:
            if self.fleet.has(target):
                raise
            # Not the bridge ends, but that Blender has gone while the request waited for it.
            raise self.fleet.gone(target, call.affinity) from error
        with lease as connection:
            try:
                return await self._exchange(call, connection)
            except BlenderLost as error:
                lost, boot = error, connection.boot
        if call.request.key is None or boot is None:
            raise lost
        return await self._ask_again(call, instance, lost, boot)

    def _shareable(self, call: Call, instance: Instance) -> Key | None:
        return identity(call.request, call.payload, instance.name, self._catalogues.known(instance))

    def _shared(self, call: Call) -> None:
        self.status.shared += 1
        self._emit(events.RequestShared(call.instance, call.request.method))

    async def _exchange(self, call: Call, connection: Connection, execution: Execution | None = None) -> Reply:
        """Do it on that connection; with an execution, for all who wait for that."""
        request = call.request
        left = call.deadline - trio.current_time()
        if left <= 0 and call.scope is not None:
            call.scope.cancel()
            await trio.lowlevel.checkpoint_if_cancelled()
        on_event = call.on_event
        if execution is not None and execution.waiters:
            left += execution.deadline(call.deadline) - call.deadline
            on_event = execution.on_event(on_event)
        forwarded = Request(f"b{next(self._ids)}", request.method, left, None, request.key, request.boot, request.parts)
        previous = call.exchange
        call.exchange = exchange = Exchange(forwarded, call.payload, on_event)
        if previous is not None:
            exchange.sent = previous.sent
        self._running[call] = None
        try:
            await connection.call(exchange)
        except trio.Cancelled:
            if exchange.sent and exchange.reply is None:
                self._abandoned(call, forwarded.id)
            raise
        finally:
            del self._running[call]
        assert exchange.reply is not None
        return exchange.reply

    def _abandoned(self, call: Call, request_id: str) -> None:
        """Blender was told to stop it and has not answered: whoever started that Blender may know what helps."""
        call.abandoned = call.exchange is not None and not call.exchange.lost
        for instance in self.fleet.behind(call.instance):
            instance.on_abandoned(request_id)

    async def _ask_again(self, call: Call, instance: Instance, lost: BlenderLost, boot: str) -> Reply:
        """The answer to a keyed request was lost: fetch it from the same process, which runs a key at most once."""
        call.request = call.request._replace(boot=boot)
        try:
            lease = await instance.pool.acquire()
        except RequestError:
            raise lost from None
        with lease as connection:
            if connection.boot != boot:
                raise lost
            return await self._exchange(call, connection)

    def _interruption(self, call: Call, outcome: Outcome | None = None) -> RequestError:
        if outcome is None:
            unknown = call.sent or methods.changes_something(call.request.method)
            outcome = "unknown" if unknown else "not_executed"
        error = why(call, outcome, self.fleet)
        self._finished(call, error.code)
        return error

    def _current(self, target: Target) -> dict[str, Any] | None:
        names = {instance.name for instance in self.fleet.behind(target.name)}
        for call in self._running:
            if call.instance in names:
                return {"method": call.request.method, "seconds": round(trio.current_time() - call.started, 3)}
        return None

    # the bridge's own methods

    async def _answer(self, call: Call) -> Reply:
        command = methods.CATALOGUE.find(call.request.method)
        payload, _ = split_parts(call.payload, call.request.parts)
        try:
            params = protocol.json_value(payload)
        except ValueError as error:
            raise Refused(f"{command.name}: the parameters are not JSON", code="bad_payload") from error
        result = command.run(self._context(call), command.bind({} if params is None else params, {}))
        if inspect.isawaitable(result):
            result = await result
        return Reply(True, protocol.json_bytes(result), None, None)

    def _context(self, call: Call) -> methods.Context:
        request = call.request
        return methods.Context(
            self.fleet,
            self.status,
            request.instance,
            call.deadline,
            call.on_event,
            partial(self.commands, call.request.instance, call.affinity, call.deadline),
            call.connection,
            call.affinity,
            self._supervisor,
            self.jobs,
            partial(self._on_behalf, call),
        )

    async def _on_behalf(self, call: Call, method: str, params: dict[str, Any]) -> Any:
        """Do another request as the same client, in what is left of this one's time. Raises RequestError."""
        left = max(0.001, call.deadline - trio.current_time())
        request = Request(call.request.id, method, left, call.request.instance)
        inner = self.call(request, protocol.json_bytes(params), None, call.connection, call.affinity)
        reply = await self.perform(inner)
        try:
            value = protocol.json_value(split_parts(reply.payload, reply.parts)[0])
        finally:
            reply.drop()
        if not reply.ok:
            raise error_from_fault(Fault.from_object(value))
        return value

    def whom(self, instance: str | None, affinity: Affinity) -> str | None:
        """The name of whom a request would be for; None where nobody can be meant."""
        try:
            return self.fleet.peek(instance, affinity).name
        except Refused:
            return None

    async def commands(self, instance: str | None, affinity: Affinity, deadline: float) -> Commands:
        """What the Blender that is meant can be asked to do, its add-ons' commands included; the packaged ones where
        none answers by `deadline` on trio's clock.

        As long as nothing changes there it is the same list. Raises Refused for an unknown name.
        """
        try:
            target = self.fleet.peek(instance, affinity)
        except Refused:
            if instance is not None:
                raise
            return CATALOGUE.describe()
        member = target.members[0] if isinstance(target, Group) else target
        try:
            return await self._catalogues.of(member, deadline)
        except RequestError:
            return CATALOGUE.describe()

    async def _ask(self, request: Request, payload: bytes) -> Reply:
        call = self.call(request, payload)
        try:
            return await self.perform(call)
        except trio.Cancelled:
            # Whoever wanted to know is gone: nobody takes an answer that has come meanwhile.
            if call.exchange is not None and call.exchange.reply is not None:
                call.exchange.reply.drop()
            raise


def _fault(reply: Reply) -> Fault | None:
    try:
        return protocol.fault_from_payload(reply.payload)
    except ValueError:
        return None


def _code(reply: Reply) -> str:
    fault = _fault(reply)
    return fault.code if fault is not None else "unreadable"
