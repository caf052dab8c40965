"""Who waits for a connection, in order of arrival, and how each wait ends: with a lease, or with an error."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable

import outcome
import trio

from bridge import events
from bridge.events import LeaseGranted

from .lease import C, Lease, TakenAt
from .work import Race, Waiter


class Waiters:
    """The queue. Whoever is served or failed is rescheduled in that step, and stands in it no longer."""

    def __init__(self, name: str, emit: events.Emit) -> None:
        self.queue: OrderedDict[trio.lowlevel.Task, Waiter] = OrderedDict()
        self._name = name
        self._emit = emit

    @property
    def head(self) -> Waiter | None:
        return next(iter(self.queue.values()), None)

    def join(self, task: trio.lowlevel.Task, now: float, taken_at: TakenAt, race: Race | None) -> None:
        """Stand at the end."""
        self.queue[task] = Waiter(task, now, taken_at, race)

    def leave(self, task: trio.lowlevel.Task) -> None:
        """Served elsewhere, or cancelled: whatever was on its way to it goes to the next."""
        del self.queue[task]

    def serve(self, waiter: Waiter, lease: Lease[C], now: float) -> None:
        """It wakes with the lease; it was taken out of the queue for that."""
        self._emit(LeaseGranted(self._name, now - waiter.since))
        if waiter.race is not None:
            waiter.race.winner = self._name
        trio.lowlevel.reschedule(waiter.task, outcome.Value(lease))

    def fail(self, waiter: Waiter, now: float, why: events.AcquireOutcome, error: Exception) -> None:
        """It raises this, unless it waits elsewhere too."""
        del self.queue[waiter.task]
        if waiter.race is not None and not waiter.race.lost(self._name):
            return
        trio.lowlevel.reschedule(waiter.task, outcome.Error(error))
        self._emit(events.LeaseRefused(self._name, why, now - waiter.since))

    def fail_all(self, now: float, why: events.AcquireOutcome, error: Callable[[], Exception]) -> None:
        """Each raises an error of its own."""
        for waiter in list(self.queue.values()):
            self.fail(waiter, now, why, error())
