"""The pool: what the ledger decides, done on trio."""

from __future__ import annotations

import math
import sys
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Generic, cast

import trio

from bridge import events
from bridge.errors import BlenderUnavailable, Busy, PoolMisuse, RequestError, ShuttingDown
from bridge.supervised import guarded, keep_running

from .lease import C, Lease, Slot
from .ledger import Ledger
from .settings import PoolSettings
from .statistics import PoolStatistics
from .work import Race, Work

_OUTCOMES: dict[type[RequestError], events.AcquireOutcome] = {
    Busy: "busy",
    ShuttingDown: "closed",
    BlenderUnavailable: "unavailable",
}


class Pool(Generic[C]):
    """Lends connections that `connect` opens. It works while `run` runs; before that, acquirers wait.

    `emit` receives events; it must neither block nor call the pool. What it raises is logged.
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
        self._emit = guarded(emit)
        self._now: Callable[[], float] = trio.current_time
        self._ledger: Ledger[C] = Ledger(name, settings or PoolSettings(), self._emit, self._release)
        self._nursery: trio.Nursery | None = None
        self._poke = trio.Event()
        self._tick_at = -math.inf
        self._emptied = trio.Event()
        self._drains = trio.lowlevel.ParkingLot()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Own the pool's tasks until `drain` or `close` has ended them. Cancelled, it closes all at once."""
        if self._nursery is not None:
            raise PoolMisuse(f"{self.name} is running already")
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            # The same clock without two calls on the way to it, for acquire and release.
            self._now = trio.lowlevel.current_clock().current_time
            try:
                self._perform(self._ledger.settle(trio.current_time()))
                task_status.started()
                await keep_running(f"pool {self.name}", self._keep, self._emit)
            finally:
                # In one step with the nursery's end: a task started after that would be refused.
                self._nursery = None
                self.close()

    # acquire and release

    async def acquire(self) -> Lease[C]:
        """One connection, in order of arrival. Use the lease as a context manager at once, with no await between.

        A checkpoint for cancellation, and for the scheduler only where it has to wait. Cancelled while waiting, it
        leaves the queue and nothing is lost. Raises Busy (queue full), TimedOut (acquire_timeout),
        BlenderUnavailable (no connection for unavailable_timeout), ShuttingDown, PoolMisuse (deadlock with itself).
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        ledger = self._ledger
        task = trio.lowlevel.current_task()
        caller = sys._getframe(1)  # noqa: SLF001  # one frame's place; a whole traceback would cost 20 times as much
        now = self._now()
        try:
            lease, work = ledger.acquire(task, (caller.f_code, caller.f_lasti), now)
        except (Busy, ShuttingDown, BlenderUnavailable) as error:
            self._emit(events.LeaseRefused(self.name, _OUTCOMES[type(error)], 0.0))
            raise
        if work is not None:
            self._perform(work)
        if lease is not None:
            return lease
        if ledger.due_before(self._tick_at, now):
            self._poke.set()

        def leave_queue(_: object) -> trio.lowlevel.Abort:
            ledger.abandon(task)
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            return cast(Lease[C], await trio.lowlevel.wait_task_rescheduled(leave_queue))
        except trio.Cancelled as cancelled:
            outcome: events.AcquireOutcome = "timeout" if cancelled.source == "deadline" else "cancelled"
            self._emit(events.LeaseRefused(self.name, outcome, trio.current_time() - now))
            raise

    def enter(self, race: Race) -> Lease[C] | None:
        """One connection at once, or a place in the queue of this pool among others'. Raises as `acquire`."""
        now = self._now()
        race.queues[self.name] = partial(self._leave, race.task)
        try:
            lease, work = self._ledger.acquire(race.task, race.taken_at, now, race)
        except RequestError:
            del race.queues[self.name]
            raise
        if lease is not None:
            race.winner = self.name
            race.end()
        self._perform(work)
        if self._ledger.due_before(self._tick_at, now):
            self._poke.set()
        return lease

    def _leave(self, task: trio.lowlevel.Task) -> None:
        self._perform(self._ledger.leave(task, trio.current_time()))

    def _release(self, lease: Lease[C]) -> None:
        work = self._ledger.release(lease, self._now())
        if work is not None:
            self._perform(work)
            self._note_emptied()

    def _note_emptied(self) -> None:
        if self._ledger.closed and not self._ledger.leased:
            self._emptied.set()

    @property
    def would_wait(self) -> bool:
        """Whether an acquire would have to wait now, as far as can be seen without a look at a socket."""
        return self._ledger.would_wait

    def withdraw(self, task: trio.lowlevel.Task, error: Exception) -> bool:
        """Have the acquire of a task that waits raise this error now. False where it does not wait any more."""
        return self._ledger.withdraw(task, error, trio.current_time())

    @property
    def occupied(self) -> bool:
        """Whether its Blender does something already, or an acquire would have to wait for another reason."""
        return self._ledger.occupied

    def evict_broken(self) -> None:
        """Close idle connections whose other side has gone, so that what the statistics count is there."""
        work = self._ledger.evict_broken(trio.current_time())
        if work is not None:
            self._perform(work)

    # control: all but drain and drained are synchronous

    def pause(self) -> None:
        """Lend nothing until `resume`; what is lent stays lent, waiters keep their places and their deadlines."""
        self._ledger.pause()

    def resume(self) -> None:
        """Lend again, to the waiters in their order."""
        self._perform(self._ledger.resume(trio.current_time()))

    def expect(self) -> None:
        """Who listens at the address is on his way: open nothing, and let requests wait for him, until he `arrived`."""
        self._ledger.expect()
        self._poke.set()

    def arrived(self) -> None:
        """He is there: connect."""
        self._perform(self._ledger.arrived(trio.current_time()))

    def give_up(self, cause: str) -> None:
        """Nobody is to listen at the address: refuse every request at once, until somebody is expected or `arrived`."""
        self._ledger.give_up(cause, trio.current_time())
        self._poke.set()

    def park(self) -> None:
        """Lend nothing and have no connection, until `resume`: for a Blender that is to be left alone.

        As at `pause`, waiters keep their places and their deadlines, and newcomers queue behind them. What is lent may
        end; its connection is closed as it comes back, idle ones at once, and none is opened.
        """
        self._perform(self._ledger.park(trio.current_time()))

    async def drained(self) -> PoolStatistics:
        """Wait until a parked pool has no connection left; its state is another one where it was resumed or closed."""
        while (now := self.statistics()).state == "draining":
            await self._drains.park()
        return now

    def lent(self) -> list[C]:
        """The connections that are in use now. They stay their holders'."""
        return self._ledger.lent()

    def resize(self, max_connections: int) -> None:
        """Change the bound. Surplus connections close, the ones in use at their release. Raises ValueError below 1."""
        self._perform(self._ledger.resize(max_connections, trio.current_time()))

    def reconnect(self) -> None:
        """Begin a new generation: idle connections close now, those in use at their release; new ones are opened."""
        self._perform(self._ledger.renew(trio.current_time()))

    def close(self) -> None:
        """Lend nothing any more; waiters get ShuttingDown; connections in use close at their release."""
        self._perform(self._ledger.close(trio.current_time()))
        self._note_emptied()

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
        self._drains.unpark_all()
        self._poke.set()
        if work is None:
            return
        if work.race is not None:
            # First of all, so that no other pool serves it again.
            work.race.end()
        nursery = self._nursery
        if nursery is None:
            self._perform_alone(work)
            return
        for slot in work.closes:
            nursery.start_soon(self._close, slot.connection)
        for slot in work.checks:
            nursery.start_soon(self._check, slot)
        for _ in range(work.connects):
            nursery.start_soon(self._open)

    def _perform_alone(self, work: Work[C]) -> None:
        """Before `run` and after it there is nobody to wait for a socket."""
        for slot in work.closes:
            self._abort(slot.connection)
        for slot in work.checks:
            self._perform(self._ledger.checked(slot, alive=False, now=trio.current_time()))
        for _ in range(work.connects):
            self._ledger.connect_abandoned()

    async def _open(self) -> None:
        started = trio.current_time()
        generation = self._ledger.begin_connect()
        if generation is None:
            self._perform(None)
            return
        try:
            with trio.fail_after(self._ledger.settings.connect_timeout):
                connection = await self._connect()
        except trio.TooSlowError:
            error = f"no answer within {self._ledger.settings.connect_timeout} s"
            self._perform(self._ledger.connect_failed(error, trio.current_time()))
        except Exception as error:  # noqa: BLE001  # supervised: whatever a connect raises is the endpoint's state
            self._perform(self._ledger.connect_failed(str(error) or type(error).__name__, trio.current_time()))
        except BaseException:
            self._ledger.connect_abandoned()
            raise
        else:
            now = trio.current_time()
            self._emit(events.ConnectionOpened(self.name, now - started))
            self._perform(self._ledger.connected(connection, generation, now))

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
        self._abort(connection)

    def _abort(self, connection: C) -> None:
        try:
            connection.abort()
        except Exception as error:  # noqa: BLE001  # supervised: the same
            self._emit(events.BackgroundError(f"pool.close {self.name}", repr(error)))

    async def _keep(self) -> None:
        while not self._ledger.finished:
            self._poke = trio.Event()
            self._tick_at = self._ledger.next_tick(trio.current_time())
            with trio.move_on_at(self._tick_at):
                await self._poke.wait()
            self._perform(self._ledger.tick(trio.current_time()))
