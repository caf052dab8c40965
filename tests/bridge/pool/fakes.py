"""An endpoint of fake connections that know who holds them, and clients that hold a lease until they are told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import trio
from trio.testing import wait_all_tasks_blocked

from bridge.pool import PoolSettings

FOREVER = float("inf")
QUIET = {
    "warm": 0,
    "idle_timeout": FOREVER,
    "max_lifetime": FOREVER,
    "leak_after": FOREVER,
    "unavailable_timeout": FOREVER,
    "lifetime_jitter": 0.0,
}
"""Nothing happens by the passing of time alone: no timer can heal a lost wake-up, nor blur what a test shows."""


class FakeConnection:
    """Fails the test at once where it is lent twice at a time, or lent after it was closed."""

    def __init__(self, endpoint: Endpoint, number: int) -> None:
        self.endpoint = endpoint
        self.number = number
        self.poisoned = False
        self.dead = False
        self.held = False
        self.closed = False
        self.aborted = False
        self.checks = 0

    def take(self) -> None:
        assert not self.held, f"{self} was lent twice"
        assert not self.closed, f"{self} was lent after its close"
        assert not self.poisoned, f"{self} was lent poisoned"
        assert not self.dead, f"{self} was lent although its peer had gone"
        self.held = True

    def give_back(self) -> None:
        self.held = False

    def usable(self) -> bool:
        return not self.dead

    async def check(self) -> None:
        self.checks += 1
        await self.endpoint.check()

    async def aclose(self) -> None:
        assert not self.held, f"{self} was closed while it was lent"
        await self.endpoint.close_gate.wait()
        self._gone()

    def abort(self) -> None:
        assert not self.held, f"{self} was closed while it was lent"
        self.aborted = True
        self._gone()

    def _gone(self) -> None:
        self.closed = True
        self.endpoint.open.discard(self)

    def __repr__(self) -> str:
        return f"<connection {self.number}>"


def _open_gate() -> trio.Event:
    gate = trio.Event()
    gate.set()
    return gate


@dataclass
class Endpoint:
    """What the pool connects to: refuses while `error` is set, hangs while a gate is shut."""

    error: Exception | None = None
    connect_gate: trio.Event = field(default_factory=_open_gate)
    check_gate: trio.Event = field(default_factory=_open_gate)
    close_gate: trio.Event = field(default_factory=_open_gate)
    check_error: Exception | None = None
    attempts: list[float] = field(default_factory=list)
    dialing: int = 0
    most_dialing: int = 0
    made: list[FakeConnection] = field(default_factory=list)
    open: set[FakeConnection] = field(default_factory=set)

    async def connect(self) -> FakeConnection:
        self.attempts.append(trio.current_time())
        self.dialing += 1
        self.most_dialing = max(self.most_dialing, self.dialing)
        try:
            await self.connect_gate.wait()
            if self.error is not None:
                raise self.error
        finally:
            self.dialing -= 1
        connection = FakeConnection(self, len(self.made))
        self.made.append(connection)
        self.open.add(connection)
        return connection

    async def check(self) -> None:
        await self.check_gate.wait()
        if self.check_error is not None:
            raise self.check_error


class Client:
    """A task that acquires, and holds the lease until `release` or a cancellation."""

    def __init__(self, rig: Rig, name: str) -> None:
        self.rig = rig
        self.name = name
        self.lease: Any = None
        self.error: BaseException | None = None
        self.ended = False
        self.ended_at = 0.0
        self.scope = trio.CancelScope()
        self._released = False
        self._finish = trio.Event()

    async def run(self) -> None:
        try:
            with self.scope:
                self.lease = await self.rig.pool.acquire()
                self.lease.connection.take()
                self.rig.served.append(self.name)
                try:
                    await self._finish.wait()
                finally:
                    self._give_back()
        except Exception as error:  # noqa: BLE001  # kept for the test to look at
            self.error = error
        finally:
            self.ended = True
            self.ended_at = trio.current_time()

    def _give_back(self) -> None:
        if not self._released:
            self._released = True
            self.lease.connection.give_back()
            self.lease.release()

    def release(self) -> None:
        """Synchronously, in the caller's step: the task itself learns of it later."""
        self._give_back()
        self._finish.set()

    def cancel(self) -> None:
        self.scope.cancel()

    @property
    def connection(self) -> FakeConnection:
        return self.lease.connection

    @property
    def holds(self) -> bool:
        return self.lease is not None and not self._released

    @property
    def waits(self) -> bool:
        return self.lease is None and not self.ended

    @property
    def cancelled(self) -> bool:
        return self.scope.cancelled_caught


class Rig:
    """A pool that runs on a fake endpoint."""

    def __init__(self, pool: Any, endpoint: Endpoint, nursery: trio.Nursery, seen: list[Any]) -> None:
        self.pool = pool
        self.endpoint = endpoint
        self.nursery = nursery
        self.events = seen
        self.served: list[str] = []
        self.clients: list[Client] = []
        self.running = trio.CancelScope()
        self.started = False
        self.ended = trio.Event()

    async def run_pool(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        self.started = True
        try:
            with self.running:
                await self.pool.run(task_status=task_status)
        finally:
            self.ended.set()

    async def client(self, name: str = "") -> Client:
        """A client that has got as far as it can without anything else happening."""
        client = self.client_soon(name)
        await wait_all_tasks_blocked()
        return client

    def client_soon(self, name: str = "") -> Client:
        client = Client(self, name or str(len(self.clients)))
        self.clients.append(client)
        self.nursery.start_soon(client.run)
        return client

    def events_of(self, kind: type) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]

    def assert_sound(self) -> None:
        """What must hold whenever all tasks are blocked."""
        now = self.pool.statistics()
        sockets = now.idle + now.leased + now.connecting + now.checking
        assert sockets <= now.max_connections or any(c.holds for c in self.clients), f"too many sockets: {now}"
        assert now.live == len(self.endpoint.open), f"{now}, but {self.endpoint.open} are open"
        assert now.connecting == self.endpoint.dialing, f"{now}, but {self.endpoint.dialing} attempts are under way"
        assert now.leased == sum(client.holds for client in self.clients), f"a lease without a holder: {now}"
        assert now.waiting == sum(client.waits for client in self.clients), f"a ghost in the queue: {now}"
        assert not (now.idle and now.waiting) or now.state == "paused", f"an idle one beside a waiter: {now}"
        assert now.exclusivity_violations == 0


async def release_and_cancel(holder: Client, victim: Client) -> None:
    """In one tick: a connection is handed over, and who gets it is cancelled before it can know."""
    holder.release()
    victim.cancel()
    await wait_all_tasks_blocked()


@asynccontextmanager
async def running(
    pool_class: Callable[..., Any],
    *,
    name: str = "blender",
    endpoint: Endpoint | None = None,
    run: bool = True,
    **settings: Any,
) -> AsyncIterator[Rig]:
    """A running pool; at the end it is drained, and nothing may be left of it."""
    endpoint = endpoint or Endpoint()
    seen: list[Any] = []
    pool = pool_class(name, endpoint.connect, PoolSettings(**{**QUIET, **settings}), seen.append)
    async with trio.open_nursery() as nursery:
        rig = Rig(pool, endpoint, nursery, seen)
        if run:
            await nursery.start(rig.run_pool)
            await wait_all_tasks_blocked()
        yield rig
        await wait_all_tasks_blocked()
        await finish(rig)


async def finish(rig: Rig) -> None:
    """Cancel the clients, open all gates, drain: no task, waiter or socket may be left."""
    for gate in (rig.endpoint.connect_gate, rig.endpoint.check_gate, rig.endpoint.close_gate):
        gate.set()
    for client in rig.clients:
        client.cancel()
    with trio.fail_after(60):
        await wait_all_tasks_blocked()
        await rig.pool.drain()
        if rig.started:
            await rig.ended.wait()
    assert not rig.endpoint.open, f"still open after the pool has ended: {rig.endpoint.open}"
    left = rig.pool.statistics()
    assert (left.live, left.connecting, left.waiting) == (0, 0, 0), f"left after the end: {left}"
