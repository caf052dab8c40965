"""The connections of a pool: which there are, who has them, and which may be kept or opened."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic

import trio

from bridge import events

from .availability import Availability
from .backoff import Backoff
from .lease import C, Lease, Slot, TakenAt
from .settings import PoolSettings
from .work import Work


class Supply(Generic[C]):
    """Each connection is `idle`, `leased`, in `checking`, or one of so many in `connecting`: in one place at a time.

    `most` is the bound on them all, `warm` how many there are to be without demand. `generation` is that of the
    connections that may be kept, `without_since` when the last of them was lost.
    """

    def __init__(
        self,
        name: str,
        settings: PoolSettings,
        availability: Availability,
        emit: events.Emit,
        release: Callable[[Lease[C]], None],
    ) -> None:
        self.idle: list[Slot[C]] = []
        self.leased: dict[Lease[C], None] = {}
        self.checking: dict[Slot[C], None] = {}
        self.connecting = 0
        self.most = settings.max_connections
        self.generation = 0
        self.backoff = Backoff()
        self.without_since = 0.0
        self.violations = 0
        self._shrunk = False
        self._name = name
        self._settings = settings
        self._availability = availability
        self._emit = emit
        self._release = release

    @property
    def total(self) -> int:
        return len(self.idle) + len(self.leased) + len(self.checking) + self.connecting

    @property
    def warm(self) -> int:
        return min(self._settings.warm, self.most)

    @property
    def unreachable(self) -> bool:
        """There is no connection, and waiters depend on the next attempt."""
        return not (self.leased or self.idle or self.checking)

    def lend(self, slot: Slot[C], task: trio.lowlevel.Task, taken_at: TakenAt, now: float) -> Lease[C]:
        """To that task, from now on."""
        slot.lent = True
        lease = Lease(slot, task, now, taken_at, self._release)
        self.leased[lease] = None
        return lease

    def report_double_lend(self) -> None:
        """A connection that has a holder was to be lent once more, and was not."""
        self.violations += 1
        self._emit(events.ExclusivityViolated(self._name))

    def why_discard(self, slot: Slot[C], now: float) -> events.DiscardReason | None:
        """Why this connection, which nobody has at the moment, is not to be kept; None where it is."""
        if slot.connection.poisoned:
            return "poisoned"
        if slot.generation != self.generation:
            return "closed" if self._availability.closed else "stale"
        if self._shrunk and self.total >= self.most:
            return "surplus"
        if now >= slot.expires_at:
            return "recycled"
        return None

    def discard(self, slot: Slot[C], reason: events.DiscardReason, work: Work[C], now: float) -> None:
        """Have it closed; it is in no place any more."""
        work.closes.append(slot)
        self.await_again(now)
        self._emit(events.ConnectionDiscarded(self._name, reason))

    def await_again(self, now: float) -> None:
        """From now on it is counted how long there is no connection."""
        if self.unreachable:
            self.without_since = now

    def take_idle(self, count: int) -> list[Slot[C]]:
        """So many of them at most, those first that have been idle for longest."""
        taken = self.idle[:count]
        del self.idle[:count]
        return taken

    def take_broken(self) -> list[Slot[C]]:
        """The idle ones whose other side is gone."""
        broken = [slot for slot in self.idle if not slot.connection.usable()]
        for slot in broken:
            self.idle.remove(slot)
        return broken

    def begin_generation(self) -> list[Slot[C]]:
        """None of the old one may be kept: the idle ones, to be discarded. What has failed before counts no longer."""
        self.generation += 1
        self.backoff.restart()
        return self.take_idle(len(self.idle))

    def resize(self, most: int) -> list[Slot[C]]:
        """Change the bound: the surplus ones that are idle, to be discarded. Raises ValueError below 1."""
        if most < 1:
            raise ValueError("max_connections must be at least 1")
        self.most = most
        surplus = self.total - most
        self._shrunk = surplus > 0
        return self.take_idle(max(0, surplus))

    # opening more, for so many waiters

    def demand(self, waiting: int) -> int:
        """How many more connections somebody has a use for."""
        on_its_way = len(self.idle) + len(self.checking) + self.connecting
        return max(waiting - on_its_way, self.warm - self.total)

    def reserve(self, waiting: int, now: float) -> int:
        """How many connects are to begin now; each is counted from here on until it has ended."""
        if self._availability.opens_nothing:
            return 0
        room = self.most - self.total
        if self.backoff.failures:
            room = min(room, 1 if not self.connecting and now >= self.retry_at(waiting) else 0)
        wanted = max(0, min(self.demand(waiting), room))
        self.connecting += wanted
        return wanted

    def still_wanted(self, waiting: int) -> bool:
        """Whether a connect that was reserved is to begin."""
        others = self.total - 1
        needed = waiting > len(self.checking) + self.connecting - 1 or others < self.warm
        return needed and others < self.most and not self._availability.opens_nothing

    def retry_at(self, waiting: int) -> float:
        """When the next attempt may begin, after a failure."""
        return self.backoff.retry_at(self._settings, in_demand=bool(waiting))

    def retries_at(self, waiting: int) -> float | None:
        """When it is to begin; None where there is nothing to be tried again."""
        if not self.backoff.failures or self.connecting or self._availability.opens_nothing:
            return None
        return self.retry_at(waiting) if min(self.most - self.total, self.demand(waiting)) > 0 else None
