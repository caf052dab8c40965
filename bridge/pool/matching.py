"""What there is goes to who waits: checked where it was idle for long, opened where there is too little."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Generic

from bridge import events

from .availability import Availability
from .lease import C, Slot
from .settings import PoolSettings
from .supply import Supply
from .waiters import Waiters
from .work import Race, Work


class Matching(Generic[C]):
    """Each method leaves nothing that could be lent beside a waiter who could have it."""

    def __init__(
        self,
        settings: PoolSettings,
        availability: Availability,
        supply: Supply[C],
        waiters: Waiters,
    ) -> None:
        self._check_after = settings.check_after
        self._availability = availability
        self._supply = supply
        self._waiters = waiters

    def settle(self, now: float, work: Work[C] | None = None) -> Work[C] | None:
        """Match supply to demand again, after something has changed; None where that leaves nothing to be done."""
        work = work if work is not None else Work()
        idle, queue, checking = self._supply.idle, self._waiters.queue, self._supply.checking
        while idle and queue and not self._availability.paused and self.serves_head():
            slot = idle[-1]
            if not slot.connection.usable():
                idle.pop()
                self._supply.discard(slot, "broken", work, now)
            elif now - slot.idle_since <= self._check_after:
                idle.pop()
                work.race = self.hand_to_head(slot, now) or work.race
            elif len(checking) < len(queue):
                idle.pop()
                checking[slot] = None
                work.checks.append(slot)
            else:
                break
        work.connects += self._supply.reserve(len(queue), now)
        return work if work.connects or work.checks or work.closes or work.race else None

    def keep(self, slot: Slot[C], now: float) -> Work[C] | None:
        """A connection that is good: lend it, have it idle, or discard it where the world has changed meanwhile."""
        slot.idle_since = now
        reason = self._supply.why_discard(slot, now)
        if reason is not None:
            return self.lose([slot], reason, now)
        self._supply.idle.append(slot)
        return self.settle(now)

    def lose(self, slots: Iterable[Slot[C]], reason: events.DiscardReason, now: float) -> Work[C] | None:
        """Connections that are in no place any more: discard them, and open others where they are wanted."""
        work: Work[C] = Work()
        for slot in slots:
            self._supply.discard(slot, reason, work, now)
        return self.settle(now, work)

    def serves_head(self) -> bool:
        """Whether the head waiter may have a connection: in a race only where nothing is lent, see Contest."""
        return not self._supply.leased or next(iter(self._waiters.queue.values())).race is None

    def hand_to_head(self, slot: Slot[C], now: float) -> Race | None:
        """Lend it to the head waiter; returned is the race that this has decided."""
        if slot.lent:
            self._supply.report_double_lend()
            return None
        waiter = self._waiters.queue.popitem(last=False)[1]
        self._waiters.serve(waiter, self._supply.lend(slot, waiter.task, waiter.taken_at, now), now)
        return waiter.race
