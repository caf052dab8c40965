"""Every decision of the pool, as plain synchronous code behind one lock.

A decision is whole when the method returns: state is changed, the waiter that gets something is rescheduled, and
what has to be done with sockets is returned as Work. The lock is never held across an await, so no cancellation can
fall inside a decision and any thread may take a snapshot.

The rules: a connection has at most one holder. Waiters are served in order of arrival, and a newcomer never overtakes
one. At most max_connections exist or are being opened. While nothing can be reached, one attempt is under way at a
time. A paused pool lends nothing; a parked one opens nothing either, and keeps nothing that comes back.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Generic

import outcome
import trio

from bridge import events
from bridge.errors import PoolMisuse
from bridge.events import LeaseGranted, LeaseReleased

from . import refusals
from .backoff import Backoff
from .lease import C, Lease, Slot, TakenAt
from .settings import PoolSettings
from .statistics import PoolState, PoolStatistics
from .work import Decision, Race, Waiter, Work


class Ledger(Generic[C]):
    """The pool's books. All methods but `statistics` are called from trio's thread; times come as `now`."""

    def __init__(
        self, name: str, settings: PoolSettings, emit: events.Emit, release: Callable[[Lease[C]], None]
    ) -> None:
        self.name = name
        self.settings = settings
        self.closed = False
        self.paused = False
        self.parked = False
        self._expecting = False
        self._given_up: str | None = None
        self._emit = emit
        self._watched = emit is not events.ignore
        self._release = release
        self._lock = threading.Lock()
        self._idle: list[Slot[C]] = []
        self._leased: dict[Lease[C], None] = {}
        self._checking: dict[Slot[C], None] = {}
        self._connecting = 0
        self._waiters: OrderedDict[trio.lowlevel.Task, Waiter] = OrderedDict()
        self._generation = 0
        self._backoff = Backoff()
        self._without_since = 0.0
        self._mean_use = 0.01
        self._violations = 0
        self._shrunk = False

    # acquire and release

    def acquire(self, task: trio.lowlevel.Task, taken_at: TakenAt, now: float, race: Race | None = None) -> Decision[C]:
        """A lease, or None where the task was queued and must park. Raises Busy, ShuttingDown, PoolMisuse."""
        with self._lock:
            if self.closed:
                raise refusals.closed(self.name)
            work: Work[C] | None = None
            while self._idle and not self._waiters and not self.paused and (race is None or not self._leased):
                slot = self._idle[-1]
                if now - slot.idle_since > self.settings.check_after:
                    break
                self._idle.pop()
                if slot.connection.usable():
                    if self._watched:
                        self._emit(LeaseGranted(self.name, 0.0))
                    return self._grant(slot, task, taken_at, now), work
                work = work if work is not None else Work()
                self._discard(slot, "broken", work, now)
            self._refuse_to_wait(task, now)
            self._waiters[task] = Waiter(task, now, taken_at, race)
            if not self._idle and len(self._leased) >= self.settings.max_connections:
                return None, work
            # What is idle now has to be checked first, so that this cannot wake the task before it has parked.
            return None, self._settle(now, work)

    def _refuse_to_wait(self, task: trio.lowlevel.Task, now: float) -> None:
        if self._given_up is not None:
            raise refusals.given_up(self.name, self._given_up)
        if len(self._waiters) >= self.settings.max_waiting:
            raise refusals.busy(self._snapshot(now), self._mean_use)
        for lease in self._leased:
            if lease.task is not task:
                return
        if len(self._leased) >= self.settings.max_connections:
            raise refusals.deadlock(self.name, task.name)

    def _grant(self, slot: Slot[C], task: trio.lowlevel.Task, taken_at: TakenAt, now: float) -> Lease[C]:
        slot.lent = True
        lease = Lease(slot, task, now, taken_at, self._release)
        self._leased[lease] = None
        return lease

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
            reason = self._why_discard(slot, now)
            if reason is not None:
                return self._lose([slot], reason, now)
            if self._waiters and not self.paused and self._serves_head():
                race = self._hand_to_head(slot, now)
                return None if race is None else Work(race)
            slot.idle_since = now
            self._idle.append(slot)
            return None

    def _why_discard(self, slot: Slot[C], now: float) -> events.DiscardReason | None:
        if slot.connection.poisoned:
            return "poisoned"
        if self.closed:
            return "closed"
        if slot.generation != self._generation:
            return "stale"
        if self._shrunk and self._total() >= self.settings.max_connections:
            return "surplus"
        if now >= slot.expires_at:
            return "recycled"
        return None

    def _serves_head(self) -> bool:
        """Whether the head waiter may have a connection: in a race only where nothing is lent, see Contest."""
        return not self._leased or next(iter(self._waiters.values())).race is None

    def _hand_to_head(self, slot: Slot[C], now: float) -> Race | None:
        if slot.lent:
            self._violations += 1
            self._emit(events.ExclusivityViolated(self.name))
            return None
        task, waiter = self._waiters.popitem(last=False)
        lease = self._grant(slot, task, waiter.taken_at, now)
        self._emit(LeaseGranted(self.name, now - waiter.since))
        if waiter.race is not None:
            waiter.race.winner = self.name
        trio.lowlevel.reschedule(task, outcome.Value(lease))
        return waiter.race

    def leave(self, task: trio.lowlevel.Task, now: float) -> Work[C] | None:
        """The racing task is served elsewhere, or was cancelled: whom it kept waiting may be next."""
        with self._lock:
            self._waiters.pop(task)
            return self._settle(now)

    def abandon(self, task: trio.lowlevel.Task) -> None:
        """The parked task was cancelled. Whatever was on its way to it goes to the next."""
        with self._lock:
            del self._waiters[task]

    @property
    def occupied(self) -> bool:
        """Whether a racing newcomer has to wait: its place is with a Blender that does nothing else."""
        return self.would_wait or bool(self._leased)

    @property
    def would_wait(self) -> bool:
        """Whether a newcomer has to wait, as far as can be seen without a look at a socket."""
        return not self._idle or bool(self._waiters) or self.paused

    def withdraw(self, task: trio.lowlevel.Task, error: Exception, now: float) -> bool:
        """Its answer comes from elsewhere: let the waiter go without a lease, if it still waits."""
        with self._lock:
            waiter = self._waiters.get(task)
            if waiter is None:
                return False
            self._fail_waiter(waiter, now, "shared", error)
            return True

    # supply: connections come and go

    def settle(self, now: float) -> Work[C] | None:
        """Match supply to demand again, after a setting or the time has changed."""
        with self._lock:
            return self._settle(now)

    def _settle(self, now: float, work: Work[C] | None = None) -> Work[C] | None:
        work = work if work is not None else Work()
        while self._idle and self._waiters and not self.paused and self._serves_head():
            slot = self._idle[-1]
            if not slot.connection.usable():
                self._idle.pop()
                self._discard(slot, "broken", work, now)
            elif now - slot.idle_since <= self.settings.check_after:
                self._idle.pop()
                work.race = self._hand_to_head(slot, now) or work.race
            elif len(self._checking) < len(self._waiters):
                self._idle.pop()
                self._checking[slot] = None
                work.checks.append(slot)
            else:
                break
        wanted = self._connects_wanted(now)
        self._connecting += wanted
        work.connects += wanted
        return work if work.connects or work.checks or work.closes or work.race else None

    def _connects_wanted(self, now: float) -> int:
        if self._opens_nothing:
            return 0
        demand = self._demand()
        room = self.settings.max_connections - self._total()
        if self._backoff.failures:
            room = min(room, 1 if not self._connecting and now >= self._retry_at else 0)
        return max(0, min(demand, room))

    @property
    def _retry_at(self) -> float:
        return self._backoff.retry_at(self.settings, in_demand=bool(self._waiters))

    def _demand(self) -> int:
        supply = len(self._idle) + len(self._checking) + self._connecting
        return max(len(self._waiters) - supply, self._warm - self._total())

    @property
    def _warm(self) -> int:
        return min(self.settings.warm, self.settings.max_connections)

    def _total(self) -> int:
        return len(self._idle) + len(self._leased) + len(self._checking) + self._connecting

    def _discard(self, slot: Slot[C], reason: events.DiscardReason, work: Work[C], now: float) -> None:
        work.closes.append(slot)
        if self.unreachable:
            self._without_since = now
        self._emit(events.ConnectionDiscarded(self.name, reason))

    def begin_connect(self) -> int | None:
        """A connect task starts: the generation it connects for, or None where nobody needs it any more."""
        with self._lock:
            others = self._total() - 1
            needed = len(self._waiters) > len(self._checking) + self._connecting - 1 or others < self._warm
            if self._opens_nothing or not needed or others >= self.settings.max_connections:
                self._connecting -= 1
                return None
            return self._generation

    def connected(self, connection: C, generation: int, now: float) -> Work[C] | None:
        """A connect has succeeded: lend it, keep it, or close it where the world has changed meanwhile."""
        with self._lock:
            self._connecting -= 1
            self._backoff.succeed()
            slot = Slot(connection, generation, now + self.settings.lifetime())
            return self._supply(slot, now)

    def connect_failed(self, error: str, now: float) -> Work[C] | None:
        """A connect has failed: the slot is free, and the next attempt waits (full jitter, exponential)."""
        with self._lock:
            self._connecting -= 1
            self._backoff.fail(error, now)
            self._emit(events.ConnectFailed(self.name, error, self._backoff.failures))
            return self._settle(now)

    def connect_abandoned(self) -> None:
        """The connect task itself was cancelled: the pool is going down."""
        with self._lock:
            self._connecting -= 1

    def checked(self, slot: Slot[C], alive: bool, now: float) -> Work[C] | None:  # a result, not a mode
        """A check has ended."""
        with self._lock:
            del self._checking[slot]
            return self._supply(slot, now) if alive else self._lose([slot], "failed_check", now)

    def _supply(self, slot: Slot[C], now: float) -> Work[C] | None:
        slot.idle_since = now
        reason = self._why_discard(slot, now)
        if reason is not None:
            return self._lose([slot], reason, now)
        self._idle.append(slot)
        return self._settle(now)

    def _lose(self, slots: Iterable[Slot[C]], reason: events.DiscardReason, now: float) -> Work[C] | None:
        work: Work[C] = Work()
        for slot in slots:
            self._discard(slot, reason, work, now)
        return self._settle(now, work)

    def evict_broken(self, now: float) -> Work[C] | None:
        """Close the idle connections whose other side is gone: nobody else looks at them before they are lent."""
        with self._lock:
            broken = [slot for slot in self._idle if not slot.connection.usable()]
            for slot in broken:
                self._idle.remove(slot)
            return self._lose(broken, "broken", now) if broken else None

    # control

    def pause(self) -> None:
        with self._lock:
            self.paused = True

    def resume(self, now: float) -> Work[C] | None:
        with self._lock:
            self.paused = self.parked = False
            if self.unreachable:
                self._without_since = now
            return self._settle(now)

    def expect(self) -> None:
        """Who listens at the address is on his way: nothing is opened, and no waiter is refused, until he `arrived`."""
        with self._lock:
            self._expecting, self._given_up = True, None

    def arrived(self, now: float) -> Work[C] | None:
        """The wait is over: connect."""
        with self._lock:
            self._expecting, self._given_up = False, None
            if self.unreachable:
                self._without_since = now
            return self._settle(now)

    def give_up(self, cause: str, now: float) -> None:
        """Nobody is to listen at the address: nothing is opened and everybody refused, until somebody is expected."""
        with self._lock:
            self._given_up = cause
            for waiter in list(self._waiters.values()):
                self._fail_waiter(waiter, now, "unavailable", refusals.given_up(self.name, cause))

    def park(self, now: float) -> Work[C] | None:
        """Pause, and have no connection: idle ones close now, the others as they come back. Twice is as once."""
        with self._lock:
            if self.parked:
                return None
            self.paused = self.parked = True
            return self._renew(now)

    def resize(self, max_connections: int, now: float) -> Work[C] | None:
        """Change the bound. Surplus idle ones close now, surplus leased ones at their release."""
        with self._lock:
            self.settings = replace(self.settings, max_connections=max_connections)
            surplus = self._total() - max_connections
            self._shrunk = surplus > 0
            return self._lose(self._take_idle(max(0, surplus)), "surplus", now)

    def renew(self, now: float) -> Work[C] | None:
        """Begin a new generation: every connection of the old one closes, those in use at their release."""
        with self._lock:
            return self._renew(now)

    def _renew(self, now: float) -> Work[C] | None:
        self._generation += 1
        self._backoff.restart()
        return self._lose(self._take_idle(len(self._idle)), "stale", now)

    def close(self, now: float) -> Work[C] | None:
        """End: nothing is lent any more, waiters fail at once, idle connections close, leased ones at release."""
        with self._lock:
            self.closed = True
            for waiter in list(self._waiters.values()):
                self._fail_waiter(waiter, now, "closed", refusals.closed(self.name))
            return self._lose(self._take_idle(len(self._idle)), "closed", now)

    def _take_idle(self, count: int) -> list[Slot[C]]:
        taken, self._idle = self._idle[:count], self._idle[count:]
        return taken

    def _fail_waiter(self, waiter: Waiter, now: float, why: events.AcquireOutcome, error: Exception) -> None:
        del self._waiters[waiter.task]
        if waiter.race is not None and not waiter.race.lost(self.name):
            return
        trio.lowlevel.reschedule(waiter.task, outcome.Error(error))
        self._emit(events.LeaseRefused(self.name, why, now - waiter.since))

    # time

    def tick(self, now: float) -> Work[C] | None:
        """Do what is due: refuse waiters that nothing can serve, evict and recycle idle ones, report leaks, retry."""
        with self._lock:
            while self._waiters:
                head = next(iter(self._waiters.values()))
                if now < self._due(head.since):
                    break
                snapshot = self._snapshot(now)
                if now >= head.since + self.settings.acquire_timeout:
                    self._fail_waiter(head, now, "timeout", refusals.timed_out(snapshot, self.settings))
                else:
                    self._fail_waiter(head, now, "unavailable", refusals.unavailable(snapshot))
            for lease in self._leased:
                if not lease.leak_reported and now >= lease.granted_at + self.settings.leak_after:
                    lease.leak_reported = True
                    held = now - lease.granted_at
                    self._emit(events.LeaseLeaked(self.name, held, lease.taken_at, lease.task.name))
            work: Work[C] = Work()
            for slot in list(self._idle):
                idle_out = self._total() > self._warm and now >= slot.idle_since + self.settings.idle_timeout
                if idle_out or now >= slot.expires_at:
                    self._idle.remove(slot)
                    self._discard(slot, "idle" if idle_out else "recycled", work, now)
            return self._settle(now, work)

    def _due(self, since: float) -> float:
        """When a waiter fails if nothing happens. Both limits hold for all, so the head is always due first."""
        due = since + self.settings.acquire_timeout
        if self.paused or self._expecting or not self.unreachable:
            return due
        return min(due, max(since, self._without_since) + self.settings.unavailable_timeout)

    def due_before(self, tick_at: float, now: float) -> bool:
        """Whether one that begins to wait now may need a tick earlier than at `tick_at`."""
        return self._backoff.failures > 0 or self._due(now) < tick_at

    def next_tick(self, now: float) -> float:
        """When `tick` has something to do at the earliest, if nothing else happens."""
        settings = self.settings
        with self._lock:
            # Whatever becomes idle or is lent after now cannot be due before these.
            times = [now + settings.idle_timeout, now + settings.leak_after, now + settings.max_lifetime / 2]
            times += [slot.expires_at for slot in self._idle]
            if self._total() > self._warm:
                times += [slot.idle_since + settings.idle_timeout for slot in self._idle]
            times += [x.granted_at + settings.leak_after for x in self._leased if not x.leak_reported]
            room = settings.max_connections - self._total()
            retries = self._backoff.failures and not self._connecting and not self._opens_nothing
            if retries and min(room, self._demand()) > 0:
                times.append(self._retry_at)
            if self._waiters:
                times.append(self._due(next(iter(self._waiters.values())).since))
            return min(times)

    # what others see

    @property
    def leased(self) -> int:
        return len(self._leased)

    def lent(self) -> list[C]:
        with self._lock:
            return [lease.slot.connection for lease in self._leased]

    @property
    def finished(self) -> bool:
        """Closed, and every connection is gone or on its way out."""
        return self.closed and not self._total()

    @property
    def _opens_nothing(self) -> bool:
        return self.closed or self.parked or self._expecting or self._given_up is not None

    @property
    def unreachable(self) -> bool:
        """There is no connection, and waiters depend on the next attempt."""
        return not (self._leased or self._idle or self._checking)

    def statistics(self, now: float) -> PoolStatistics:
        """A consistent snapshot, from any thread."""
        with self._lock:
            return self._snapshot(now)

    def _snapshot(self, now: float) -> PoolStatistics:
        head = next(iter(self._waiters.values()), None)
        return PoolStatistics(
            name=self.name,
            state=self._state(),
            max_connections=self.settings.max_connections,
            max_waiting=self.settings.max_waiting,
            idle=len(self._idle),
            leased=len(self._leased),
            connecting=self._connecting,
            checking=len(self._checking),
            waiting=len(self._waiters),
            oldest_wait=now - head.since if head else 0.0,
            generation=self._generation,
            connect_failures=self._backoff.failures,
            last_error=self._backoff.last_error,
            exclusivity_violations=self._violations,
        )

    def _state(self) -> PoolState:
        if self.closed:
            return "closing" if self._leased else "closed"
        if self.parked:
            return "draining" if self._total() else "drained"
        return "paused" if self.paused else "open"
