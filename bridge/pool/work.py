"""What passes between the ledger and the pool: who waits, and what a decision leaves to be done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Generic, NamedTuple

import trio

from .lease import C, Lease, Slot, TakenAt


class Race:
    """One acquirer in several queues. Whoever serves it decides the race, and the other queues let it go at once.

    It is won inside the winner's lock, and the others are left outside it: no lock is ever taken inside another. A
    decision wins one race at most, since after it something is lent.
    """

    __slots__ = ("queues", "since", "taken_at", "task", "winner")

    def __init__(self, task: trio.lowlevel.Task, taken_at: TakenAt, since: float) -> None:
        self.task = task
        self.taken_at = taken_at
        self.since = since
        self.winner: str | None = None
        self.queues: dict[str, Callable[[], None]] = {}
        """By the pool's name, how to leave its queue."""

    def end(self) -> None:
        """Leave every queue but the winner's, whose decision has done that."""
        queues, self.queues = self.queues, {}
        for pool, leave in queues.items():
            if pool != self.winner:
                leave()

    def lost(self, pool: str) -> bool:
        """That pool will not serve it. True where it was the last one that could."""
        del self.queues[pool]
        return not self.queues


@dataclass(slots=True)
class Work(Generic[C]):
    """What a decision leaves to be done outside the lock; `race` is the one that it has won."""

    race: Race | None = None
    connects: int = 0
    checks: list[Slot[C]] = field(default_factory=list)
    closes: list[Slot[C]] = field(default_factory=list)


class Waiter(NamedTuple):
    """An acquirer that is parked, since when, where it stands in the code, and the race if it waits elsewhere too."""

    task: trio.lowlevel.Task
    since: float
    taken_at: TakenAt
    race: Race | None = None


Decision = tuple[Lease[C] | None, Work[C] | None]
"""Of an acquire: the lease, or None where the task has to park; and the work that is left."""
