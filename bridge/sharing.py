"""Identical read-only requests that wait at the same time share one execution.

Each keeps its own place among those that wait for a connection, its own deadline and its own cancel. The first to get
a connection does the work, for all that had come before it was sent; they leave the queue with that and get its answer.
Who comes later waits for another execution: no view is older than its request.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Protocol

import outcome
import trio

from blender_addon.commands import CATALOGUE
from blender_addon.wire import Buffer, Request

from .connection import Connection, Exchange, OnEvent, Reply
from .errors import RequestError
from .memory import SharedPayload
from .pool import Lease, Pool

Key = tuple[object, ...]

# What is larger is no question, and takes long to compare.
_LARGEST = 65_536

_READ_ONLY = {str(entry["name"]): bool(entry["hints"]["read_only"]) for entry in CATALOGUE.describe()}


class Asker(Protocol):
    """A request that may wait. `exchange` is what has gone to Blender, in its own name or in another's."""

    deadline: float
    on_event: OnEvent | None
    exchange: Exchange | None


Execute = Callable[[Connection, "Execution"], Awaitable[Reply]]


def identity(request: Request, payload: Buffer, instance: str, described: list[dict[str, object]]) -> Key | None:
    """What identical requests have in common; None for one that must not share.

    `described` are the instance's own commands as far as they are known, for a method that the catalogue does not have.
    """
    if request.key is not None or len(payload) > _LARGEST:
        return None
    read_only = _READ_ONLY.get(request.method)
    if read_only is None:
        read_only = any(entry["name"] == request.method and _promises(entry) for entry in described)
    return (instance, request.method, bytes(payload), repr(request.parts), request.boot) if read_only else None


def _promises(entry: dict[str, object]) -> bool:
    hints = entry.get("hints")
    return isinstance(hints, dict) and hints.get("read_only") is True


class _Joined(Exception):
    """The execution that the waiter was waiting to begin has been begun by another."""


class _Waiter:
    """One request in an execution. `given` is what it gets where it has not parked for it yet."""

    __slots__ = ("asker", "given", "parked", "task")

    def __init__(self, asker: Asker) -> None:
        self.asker = asker
        self.task = trio.lowlevel.current_task()
        self.parked = False
        self.given: outcome.Outcome[Reply | Lease[Connection] | None] | None = None

    def give(self, what: outcome.Outcome[Reply | Lease[Connection] | None]) -> None:
        if self.parked:
            trio.lowlevel.reschedule(self.task, what)
        else:
            self.given = what


class Execution:
    """What some requests wait for: until it is `begun` for a connection, from then until it is `ended` the answer."""

    def __init__(self, shared: Callable[[], None]) -> None:
        self.begun = False
        self.ended = False
        self.waiters: dict[_Waiter, None] = {}
        self._shared = shared

    def deadline(self, own: float) -> float:
        """The latest of all who want the answer."""
        return max([own, *(waiter.asker.deadline for waiter in self.waiters)])

    def on_event(self, own: OnEvent | None) -> OnEvent:
        """Tells everybody."""

        def tell(name: str, payload: Buffer) -> bool:
            listeners = [own, *(waiter.asker.on_event for waiter in self.waiters)]
            taken = [listener(name, payload) for listener in listeners if listener is not None]
            return any(taken)

        return tell

    def finish(self, reply: Reply) -> Reply:
        """Give the answer to all who wait; returned is the share of whoever did the work. Each drops its own."""
        waiters = self._leave()
        if not waiters:
            return reply
        reply = reply._replace(memory=SharedPayload(reply.memory, holders=len(waiters) + 1))
        for waiter in waiters:
            waiter.give(outcome.Value(reply))
            self._shared()
        return reply

    def fail(self, error: RequestError) -> None:
        """The work has failed, for all who wait alike; each raises an error of its own."""
        for waiter in self._leave():
            own = type(error)(error.message, code=error.code, outcome=error.outcome, data=error.data)
            waiter.give(outcome.Error(own))

    def hand_on(self, lease: Lease[Connection]) -> bool:
        """Whoever did the work was stopped: the next does it, with the connection if it is good. False: it is not."""
        if not self.waiters or lease.connection.poisoned:
            for waiter in self._leave():
                waiter.give(outcome.Value(None))
            return False
        heir = next(iter(self.waiters))
        del self.waiters[heir]
        lease.task = heir.task
        heir.give(outcome.Value(lease))
        return True

    def _leave(self) -> list[_Waiter]:
        self.ended = True
        waiters = list(self.waiters)
        self.waiters.clear()
        return waiters


class Sharing:
    """The executions of one bridge that are waited for."""

    def __init__(self) -> None:
        self._open: dict[Key, Execution] = {}

    async def perform(
        self, key: Key, pool: Pool[Connection], asker: Asker, execute: Execute, shared: Callable[[], None]
    ) -> Reply:
        """Wait for a connection and `execute`, or for the reply of an identical request that did.

        Raises what the pool and `execute` raise. Cancelled, it leaves the others alone: if it has begun the work, the
        next one does it anew. `shared` is called at each reply that saved an execution.
        """
        waiter = _Waiter(asker)
        found: Reply | Lease[Connection] | None = None
        while found is None:
            execution, found = await self._turn(key, pool, waiter, shared)
        if isinstance(found, Reply):
            return found
        return await _do(execution, found, asker, execute)

    async def _turn(
        self, key: Key, pool: Pool[Connection], waiter: _Waiter, shared: Callable[[], None]
    ) -> tuple[Execution, Reply | Lease[Connection] | None]:
        execution = self._open.setdefault(key, Execution(shared))
        execution.waiters[waiter] = None
        waiter.parked, waiter.given = False, None
        try:
            lease = await pool.acquire()
        except _Joined:
            return execution, await _answer(execution, waiter)
        except BaseException:
            # Refused or cancelled: the others wait on, each in its own place.
            execution.waiters.pop(waiter, None)
            if not execution.waiters and not execution.begun:
                del self._open[key]
            raise
        if not execution.begun:
            del self._open[key]
            _begin(execution, waiter, pool)
            return execution, lease
        # Two got a connection at the same moment.
        if execution.ended:
            return Execution(shared), lease
        lease.release()
        execution.waiters[waiter] = None
        _join(waiter)
        return execution, await _answer(execution, waiter)


def _begin(execution: Execution, first: _Waiter, pool: Pool[Connection]) -> None:
    execution.begun = True
    del execution.waiters[first]
    for waiter in list(execution.waiters):
        if pool.withdraw(waiter.task, _Joined()):
            _join(waiter)
        else:
            # It has been woken already, by a cancel, by a refusal or with a connection of its own.
            del execution.waiters[waiter]


def _join(waiter: _Waiter) -> None:
    """From now on what becomes of the one who does the work is what becomes of it."""
    waiter.asker.exchange = Exchange(Request("", ""), b"")
    waiter.asker.exchange.sent = True


async def _answer(execution: Execution, waiter: _Waiter) -> Reply | Lease[Connection] | None:
    """The reply; the connection to get it oneself; or None, to wait for another connection."""
    if waiter.given is not None:
        return waiter.given.unwrap()

    def leave(_: object) -> trio.lowlevel.Abort:
        del execution.waiters[waiter]
        return trio.lowlevel.Abort.SUCCEEDED

    waiter.parked = True
    found: Reply | Lease[Connection] | None = await trio.lowlevel.wait_task_rescheduled(leave)
    return found


async def _do(execution: Execution, lease: Lease[Connection], asker: Asker, execute: Execute) -> Reply:
    handed_on = False
    try:
        return execution.finish(await execute(lease.connection, execution))
    except RequestError as error:
        execution.fail(error)
        raise
    except BaseException:
        # Cancelled, or a bug: the others have a right to an answer all the same.
        exchange = asker.exchange
        if exchange is not None and exchange.reply is not None and exchange.reply.ok:
            # It had finished when the cancel reached Blender.
            exchange.reply = execution.finish(exchange.reply)
        handed_on = execution.hand_on(lease)
        raise
    finally:
        if not handed_on:
            lease.release()
