"""The pool: what the ledger decides, done on trio."""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable
from typing import Generic, cast

import trio

from bridge import events
from bridge.errors import Busy, ShuttingDown, TimedOut

from .lease import C, Lease, Slot
from .ledger import Ledger, Work
from .settings import PoolSettings
from .statistics import PoolStatistics


class Pool(Generic[C]):
    """Lends connections that `connect` opens. It works while `run` runs; before that, acquirers wait.

    `emit` receives events; it must neither block, nor raise, nor call the pool.
    """

    def __init__(
        self,
        name: str,
        connect: Callable[[], Awaitable[C]],
        settings: PoolSettings | None = None,
        emit: events.Emit = events.ignore,
    ) -> None:
        self.name = name
        self._connect = connect
        self._emit = emit
        self._ledger: Ledger[C] = Ledger(name, settings or PoolSettings(), emit, self._release)
        self._nursery: trio.Nursery | None = None
        self._poke = trio.Event()
        self._emptied = trio.Event()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the pool's tasks until `drain` or `close` has ended them. Cancelled, it closes all at once."""
        try:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                nursery.start_soon(self._keep)
                self._perform(self._ledger.settle(trio.current_time()))
                task_status.started()
        finally:
            self._nursery = None
            self._perform(self._ledger.close(trio.current_time()))

    # acquire and release

    async def acquire(self) -> Lease[C]:
        """One connection, in order of arrival. Use the lease as a context manager at once, with no await between.

        A checkpoint for cancellation, and for the scheduler only where it has to wait. Cancelled while waiting, it
        leaves the queue and nothing is lost. Raises Busy (queue full), TimedOut (acquire_timeout),
        BlenderUnavailable (no connection for unavailable_timeout), ShuttingDown, PoolMisuse (deadlock with itself).
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        task = trio.lowlevel.current_task()
        caller = sys._getframe(1)  # noqa: SLF001  # one frame's file and line; a whole traceback would cost 20 times as much
        now = trio.current_time()
        try:
            lease, work = self._ledger.acquire(task, (caller.f_code, caller.f_lineno), now)
        except (Busy, ShuttingDown) as error:
            self._emit(events.LeaseRefused(self.name, "busy" if isinstance(error, Busy) else "closed", 0.0))
            raise
        if work is not None:
            self._perform(work)
        return lease if lease is not None else await self._park(task, now)

    async def _park(self, task: trio.lowlevel.Task, since: float) -> Lease[C]:
        if self._ledger.unreachable:
            self._wake_keeper()

        def leave_queue(_: object) -> trio.lowlevel.Abort:
            self._ledger.abandon(task)
            return trio.lowlevel.Abort.SUCCEEDED

        timeout = self._ledger.settings.acquire_timeout
        try:
            if timeout == math.inf:
                return cast(Lease[C], await trio.lowlevel.wait_task_rescheduled(leave_queue))
            with trio.CancelScope(deadline=since + timeout):
                return cast(Lease[C], await trio.lowlevel.wait_task_rescheduled(leave_queue))
        except trio.Cancelled as cancelled:
            outcome: events.AcquireOutcome = "timeout" if cancelled.source == "deadline" else "cancelled"
            self._emit(events.LeaseRefused(self.name, outcome, trio.current_time() - since))
            raise
        self._emit(events.LeaseRefused(self.name, "timeout", timeout))
        message = f"no connection to {self.name} became free within {timeout} s: {self.statistics()}"
        raise TimedOut(message, outcome="not_executed")

    def _release(self, lease: Lease[C]) -> None:
        work = self._ledger.release(lease, trio.current_time())
        if work is not None:
            self._perform(work)
        if self._ledger.closed and not self._ledger.leased:
            self._emptied.set()
            self._wake_keeper()

    # control: all but drain are synchronous

    def pause(self) -> None:
        """Lend nothing until `resume`; what is lent stays lent, waiters keep their places and their deadlines."""
        self._ledger.pause()

    def resume(self) -> None:
        """Lend again, to the waiters in their order."""
        self._perform(self._ledger.resume(trio.current_time()))

    def resize(self, max_connections: int) -> None:
        """Change the bound. Surplus connections close, the ones in use at their release. Raises ValueError below 1."""
        self._perform(self._ledger.resize(max_connections, trio.current_time()))

    def reconnect(self) -> None:
        """Begin a new generation: idle connections close now, those in use at their release; new ones are opened."""
        self._perform(self._ledger.renew(trio.current_time()))
        self._wake_keeper()

    def close(self) -> None:
        """Lend nothing any more; waiters get ShuttingDown; connections in use close at their release."""
        self._perform(self._ledger.close(trio.current_time()))
        if not self._ledger.leased:
            self._emptied.set()
        self._wake_keeper()

    async def drain(self) -> None:
        """Close, then wait until every lease is released. Cancelled midway, the pool stays closed; drain again."""
        self.close()
        await self._emptied.wait()

    def statistics(self) -> PoolStatistics:
        """A consistent snapshot; from any thread that knows trio's clock, else see `statistics_at`."""
        return self._ledger.statistics(trio.current_time())

    def statistics_at(self, now: float) -> PoolStatistics:
        """The same from any thread; `now` is trio's clock."""
        return self._ledger.statistics(now)

    # the pool's own tasks

    def _perform(self, work: Work[C] | None) -> None:
        if work is None:
            return
        nursery = self._nursery
        for slot in work.closes:
            if nursery is None:
                slot.connection.abort()
            else:
                nursery.start_soon(self._close, slot.connection)
        if nursery is None:
            self._undo(work)
            return
        for slot in work.checks:
            nursery.start_soon(self._check, slot)
        for _ in range(work.connects):
            nursery.start_soon(self._open)

    def _undo(self, work: Work[C]) -> None:
        for _ in range(work.connects):
            self._ledger.connect_abandoned()
        for slot in work.checks:
            self._ledger.checked(slot, alive=True, now=trio.current_time())

    async def _open(self) -> None:
        started = trio.current_time()
        generation = self._ledger.begin_connect(started)
        if generation is None:
            return
        work: Work[C] | None
        try:
            with trio.fail_after(self._ledger.settings.connect_timeout):
                connection = await self._connect()
        except trio.TooSlowError:
            error = f"no answer within {self._ledger.settings.connect_timeout} s"
            work = self._ledger.connect_failed(error, trio.current_time())
        except Exception as error:  # noqa: BLE001  # supervised: whatever a connect raises is the endpoint's state
            work = self._ledger.connect_failed(str(error) or type(error).__name__, trio.current_time())
        except BaseException:
            self._ledger.connect_abandoned()
            raise
        else:
            now = trio.current_time()
            self._emit(events.ConnectionOpened(self.name, now - started))
            work = self._ledger.connected(connection, generation, now)
        self._perform(work)
        self._wake_keeper()

    async def _check(self, slot: Slot[C]) -> None:
        alive = False
        try:
            with trio.move_on_after(self._ledger.settings.check_timeout):
                await slot.connection.check()
                alive = True
        except Exception as error:  # noqa: BLE001  # supervised: a failed check is an answer
            self._emit(events.BackgroundError(f"pool.check {self.name}", repr(error)))
        finally:
            self._perform(self._ledger.checked(slot, alive, trio.current_time()))

    async def _close(self, connection: C) -> None:
        try:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + self._ledger.settings.close_timeout):
                await connection.aclose()
                return
        except Exception as error:  # noqa: BLE001  # supervised: the connection is going away whatever it says
            self._emit(events.BackgroundError(f"pool.close {self.name}", repr(error)))
        connection.abort()

    async def _keep(self) -> None:
        while not (self._ledger.closed and not self._ledger.leased):
            self._poke = trio.Event()
            with trio.move_on_at(self._ledger.next_tick(trio.current_time())):
                await self._poke.wait()
            self._perform(self._ledger.tick(trio.current_time()))

    def _wake_keeper(self) -> None:
        self._poke.set()
