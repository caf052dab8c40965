"""Every decision of the pool, as plain synchronous code behind one lock.

A decision is whole when the method returns: state is changed, the waiter that gets something is rescheduled, and
what has to be done with sockets is returned as Work. The lock is never held across an await, so no cancellation can
fall inside a decision and any thread may take a snapshot.

The rules: a connection has at most one holder. Waiters are served in order of arrival, and a newcomer never overtakes
one. At most max_connections exist or are being opened. While nothing can be reached, one attempt is under way at a
time. A paused pool lends nothing; a parked one opens nothing either, and keeps nothing that comes back.

What is known stands in its parts, which nobody else sees and which have no lock of their own: the connections in
`supply`, who waits in `waiters`, whether anything is lent or opened in `availability`. `matching` brings them together,
and `timetable` knows what falls due.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic

import trio

from bridge import events
from bridge.errors import PoolMisuse
from bridge.events import LeaseGranted, LeaseReleased

from . import refusals
from .availability import Availability
from .lease import C, Lease, Slot, TakenAt
from .matching import Matching
from .settings import PoolSettings
from .statistics import PoolStatistics
from .supply import Supply
from .timetable import Timetable
from .waiters import Waiters
from .work import Decision, Race, Work


class Ledger(Generic[C]):
    """The pool's books. All methods but `statistics` are called from trio's thread; times come as `now`."""

    def __init__(
        self, name: str, settings: PoolSettings, emit: events.Emit, release: Callable[[Lease[C]], None]
    ) -> None:
        self.name = name
        self.settings = settings
        self._emit = emit
        self._watched = emit is not events.ignore
        self._lock = threading.Lock()
        self._availability = Availability()
        self._supply: Supply[C] = Supply(name, settings, self._availability, emit, release)
        self._waiters = Waiters(name, emit)
        self._matching = Matching(settings, self._availability, self._supply, self._waiters)
        self._timetable = Timetable(settings, self._availability, self._supply, self._waiters)
        # The same ones: an acquire and a release look at little else.
        self._idle = self._supply.idle
        self._leased = self._supply.leased
        self._queue = self._waiters.queue
        self._check_after = settings.check_after
        self._mean_use = 0.01

    # acquire and release

    def acquire(self, task: trio.lowlevel.Task, taken_at: TakenAt, now: float, race: Race | None = None) -> Decision[C]:
        """A lease, or None where the task was queued and must park. Raises Busy, ShuttingDown, PoolMisuse."""
        with self._lock:
            work: Work[C] | None = None
            idle = self._idle
            # Once it is closed, nothing is idle.
            while idle and not self._queue and not self._availability.paused and (race is None or not self._leased):
                slot = idle[-1]
                if now - slot.idle_since > self._check_after:
                    break
                idle.pop()
                if slot.connection.usable():
                    if self._watched:
                        self._emit(LeaseGranted(self.name, 0.0))
                    return self._supply.lend(slot, task, taken_at, now), work
                work = work if work is not None else Work()
                self._supply.discard(slot, "broken", work, now)
            self._refuse_to_wait(task, now)
            self._waiters.join(task, now, taken_at, race)
            if not idle and len(self._leased) >= self._supply.most:
                return None, work
            # What is idle now has to be checked first, so that this cannot wake the task before it has parked.
            return None, self._matching.settle(now, work)

    def _refuse_to_wait(self, task: trio.lowlevel.Task, now: float) -> None:
        if self._availability.closed:
            raise refusals.closed(self.name)
        if self._availability.given_up is not None:
            raise refusals.given_up(self.name, self._availability.given_up)
        if len(self._queue) >= self.settings.max_waiting:
            raise refusals.busy(self._snapshot(now), self._mean_use)
        for lease in self._leased:
            if lease.task is not task:
                return
        if len(self._leased) >= self._supply.most:
            raise refusals.deadlock(self.name, task.name)

    def release(self, lease: Lease[C], now: float) -> Work[C] | None:
        """Take a connection back and lend it on. Raises PoolMisuse at the second time."""
        with self._lock:
            if lease.released:
                raise PoolMisuse(f"the lease taken at {lease.taken_at} was released before")
            lease.released = True
            del self._leased[lease]
            slot = lease.slot
            slot.lent = False
            used = now - lease.granted_at
            self._mean_use += 0.1 * (used - self._mean_use)
            if self._watched:
                self._emit(LeaseReleased(self.name, used))
            reason = self._supply.why_discard(slot, now)
            if reason is not None:
                return self._matching.lose([slot], reason, now)
            if self._queue and not self._availability.paused and self._matching.serves_head():
                race = self._matching.hand_to_head(slot, now)
                return None if race is None else Work(race)
            slot.idle_since = now
            self._idle.append(slot)
            return None

    def abandon(self, task: trio.lowlevel.Task) -> None:
        """The parked task was cancelled. Whatever was on its way to it goes to the next."""
        with self._lock:
            self._waiters.leave(task)

    def leave(self, task: trio.lowlevel.Task, now: float) -> Work[C] | None:
        """The racing task is served elsewhere, or was cancelled: whom it kept waiting may be next."""
        with self._lock:
            self._waiters.leave(task)
            return self._matching.settle(now)

    def withdraw(self, task: trio.lowlevel.Task, error: Exception, now: float) -> bool:
        """Its answer comes from elsewhere: let the waiter go without a lease, if it still waits."""
        with self._lock:
            waiter = self._queue.get(task)
            if waiter is None:
                return False
            self._waiters.fail(waiter, now, "shared", error)
            return True

    def settle(self, now: float) -> Work[C] | None:
        """Match supply to demand again, after a setting or the time has changed."""
        with self._lock:
            return self._matching.settle(now)

    # what the pool has done

    def begin_connect(self) -> int | None:
        """A connect task starts: the generation it connects for, or None where nobody needs it any more."""
        with self._lock:
            if self._supply.still_wanted(len(self._queue)):
                return self._supply.generation
            self._supply.connecting -= 1
            return None

    def connected(self, connection: C, generation: int, now: float) -> Work[C] | None:
        """A connect has succeeded: lend it, keep it, or close it where the world has changed meanwhile."""
        with self._lock:
            self._supply.connecting -= 1
            self._supply.backoff.succeed()
            return self._matching.keep(Slot(connection, generation, now + self.settings.lifetime()), now)

    def connect_failed(self, error: str, now: float) -> Work[C] | None:
        """A connect has failed: the slot is free, and the next attempt waits (full jitter, exponential)."""
        with self._lock:
            self._supply.connecting -= 1
            self._supply.backoff.fail(error, now)
            self._emit(events.ConnectFailed(self.name, error, self._supply.backoff.failures))
            return self._matching.settle(now)

    def connect_abandoned(self) -> None:
        """The connect task itself was cancelled: the pool is going down."""
        with self._lock:
            self._supply.connecting -= 1

    def checked(self, slot: Slot[C], alive: bool, now: float) -> Work[C] | None:  # a result, not a mode
        """A check has ended."""
        with self._lock:
            del self._supply.checking[slot]
            return self._matching.keep(slot, now) if alive else self._matching.lose([slot], "failed_check", now)

    def evict_broken(self, now: float) -> Work[C] | None:
        """Close the idle connections whose other side is gone: nobody else looks at them before they are lent."""
        with self._lock:
            broken = self._supply.take_broken()
            return self._matching.lose(broken, "broken", now) if broken else None

    def tick(self, now: float) -> Work[C] | None:
        """Do what is due: refuse waiters that nothing can serve, evict and recycle idle ones, report leaks, retry."""
        with self._lock:
            while (head := self._waiters.head) is not None and (why := self._timetable.is_refused(head, now)):
                snapshot = self._snapshot(now)
                late = why == "timeout"
                error = refusals.timed_out(snapshot, self.settings) if late else refusals.unavailable(snapshot)
                self._waiters.fail(head, now, why, error)
            for lease in self._timetable.leaks(now):
                lease.leak_reported = True
                self._emit(events.LeaseLeaked(self.name, now - lease.granted_at, lease.taken_at, lease.task.name))
            work: Work[C] = Work()
            self._timetable.retire(work, now)
            return self._matching.settle(now, work)

    def next_tick(self, now: float) -> float:
        """When `tick` has something to do at the earliest, if nothing else happens."""
        with self._lock:
            return self._timetable.next(now)

    def due_before(self, tick_at: float, now: float) -> bool:
        """Whether one that begins to wait now may need a tick earlier than at `tick_at`."""
        return self._supply.backoff.failures > 0 or self._timetable.refused_at(now) < tick_at

    # control

    def pause(self) -> None:
        with self._lock:
            self._availability.paused = True

    def resume(self, now: float) -> Work[C] | None:
        with self._lock:
            self._availability.resume()
            self._supply.await_again(now)
            return self._matching.settle(now)

    def park(self, now: float) -> Work[C] | None:
        """Pause, and have no connection: idle ones close now, the others as they come back. Twice is as once."""
        with self._lock:
            if self._availability.parked:
                return None
            self._availability.park()
            return self._matching.lose(self._supply.begin_generation(), "stale", now)

    def expect(self) -> None:
        """Who listens at the address is on his way: nothing is opened, and no waiter is refused, until he `arrived`."""
        with self._lock:
            self._availability.expect()

    def arrived(self, now: float) -> Work[C] | None:
        """The wait is over: connect."""
        with self._lock:
            self._availability.arrive()
            self._supply.await_again(now)
            return self._matching.settle(now)

    def give_up(self, cause: str, now: float) -> None:
        """Nobody is to listen at the address: nothing is opened and everybody refused, until somebody is expected."""
        with self._lock:
            self._availability.given_up = cause
            self._waiters.fail_all(now, "unavailable", lambda: refusals.given_up(self.name, cause))

    def resize(self, max_connections: int, now: float) -> Work[C] | None:
        """Change the bound. Surplus idle ones close now, surplus leased ones at their release."""
        with self._lock:
            return self._matching.lose(self._supply.resize(max_connections), "surplus", now)

    def renew(self, now: float) -> Work[C] | None:
        """Begin a new generation: every connection of the old one closes, those in use at their release."""
        with self._lock:
            return self._matching.lose(self._supply.begin_generation(), "stale", now)

    def close(self, now: float) -> Work[C] | None:
        """End: nothing is lent any more, waiters fail at once, idle connections close, leased ones at release."""
        with self._lock:
            self._availability.closed = True
            self._waiters.fail_all(now, "closed", lambda: refusals.closed(self.name))
            return self._matching.lose(self._supply.begin_generation(), "closed", now)

    # what others see

    @property
    def closed(self) -> bool:
        return self._availability.closed

    @property
    def leased(self) -> int:
        return len(self._leased)

    @property
    def finished(self) -> bool:
        """Closed, and every connection is gone or on its way out."""
        return self.closed and not self._supply.total

    @property
    def would_wait(self) -> bool:
        """Whether a newcomer has to wait, as far as can be seen without a look at a socket."""
        return not self._idle or bool(self._queue) or self._availability.paused

    @property
    def occupied(self) -> bool:
        """Whether a racing newcomer has to wait: its place is with a Blender that does nothing else."""
        return self.would_wait or bool(self._leased)

    def lent(self) -> list[C]:
        with self._lock:
            return [lease.slot.connection for lease in self._leased]

    def statistics(self, now: float) -> PoolStatistics:
        """A consistent snapshot, from any thread."""
        with self._lock:
            return self._snapshot(now)

    def _snapshot(self, now: float) -> PoolStatistics:
        supply, head = self._supply, self._waiters.head
        return PoolStatistics(
            name=self.name,
            state=self._availability.state(len(self._leased), supply.total),
            max_connections=supply.most,
            max_waiting=self.settings.max_waiting,
            idle=len(self._idle),
            leased=len(self._leased),
            connecting=supply.connecting,
            checking=len(supply.checking),
            waiting=len(self._queue),
            oldest_wait=now - head.since if head else 0.0,
            generation=supply.generation,
            connect_failures=supply.backoff.failures,
            last_error=supply.backoff.last_error,
            exclusivity_violations=self._supply.violations,
        )
