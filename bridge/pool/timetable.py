"""What is due in a pool when nothing happens: waits that have an end, leases that leak, connections that age."""

from __future__ import annotations

from typing import Generic

from bridge import events

from .availability import Availability
from .lease import C, Lease
from .settings import PoolSettings
from .supply import Supply
from .waiters import Waiters
from .work import Waiter, Work


class Timetable(Generic[C]):
    """Read and kept under the ledger's lock, as all of it is."""

    def __init__(
        self,
        settings: PoolSettings,
        availability: Availability,
        supply: Supply[C],
        waiters: Waiters,
    ) -> None:
        self._settings = settings
        self._availability = availability
        self._supply = supply
        self._waiters = waiters

    def refused_at(self, since: float) -> float:
        """When who waits since then fails if nothing happens. Both limits hold for all: the head is due first."""
        due = since + self._settings.acquire_timeout
        if self._availability.patient or not self._supply.unreachable:
            return due
        return min(due, max(since, self._supply.without_since) + self._settings.unavailable_timeout)

    def is_refused(self, waiter: Waiter, now: float) -> events.AcquireOutcome | None:
        """Why who waits is due, None where it is not."""
        if now < self.refused_at(waiter.since):
            return None
        return "timeout" if now >= waiter.since + self._settings.acquire_timeout else "unavailable"

    def leaks(self, now: float) -> list[Lease[C]]:
        """Leases that are held for too long, and of which nobody knows yet."""
        after = self._settings.leak_after
        return [lease for lease in self._supply.leased if not lease.leak_reported and now >= lease.granted_at + after]

    def retire(self, work: Work[C], now: float) -> None:
        """Discard what was idle for too long, but the warm ones, and what is too old."""
        supply = self._supply
        for slot in list(supply.idle):
            idle_out = supply.total > supply.warm and now >= slot.idle_since + self._settings.idle_timeout
            if idle_out or now >= slot.expires_at:
                supply.idle.remove(slot)
                supply.discard(slot, "idle" if idle_out else "recycled", work, now)

    def next(self, now: float) -> float:
        """When something is due at the earliest, if nothing else happens."""
        settings, supply = self._settings, self._supply
        # Whatever becomes idle or is lent after now cannot be due before these.
        times = [now + settings.idle_timeout, now + settings.leak_after, now + settings.max_lifetime / 2]
        times += [slot.expires_at for slot in supply.idle]
        if supply.total > supply.warm:
            times += [slot.idle_since + settings.idle_timeout for slot in supply.idle]
        times += [lease.granted_at + settings.leak_after for lease in supply.leased if not lease.leak_reported]
        retry = supply.retries_at(len(self._waiters.queue))
        if retry is not None:
            times.append(retry)
        if (head := self._waiters.head) is not None:
            times.append(self.refused_at(head.since))
        return min(times)
