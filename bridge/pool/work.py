"""What passes between the ledger and the pool: who waits, and what a decision leaves to be done."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, NamedTuple

import trio

from .lease import C, Lease, Slot, TakenAt


@dataclass(slots=True)
class Work(Generic[C]):
    """What a decision leaves to be done outside the lock."""

    connects: int = 0
    checks: list[Slot[C]] = field(default_factory=list)
    closes: list[Slot[C]] = field(default_factory=list)


class Waiter(NamedTuple):
    """An acquirer that is parked, since when, and where it stands in the code."""

    task: trio.lowlevel.Task
    since: float
    taken_at: TakenAt


Decision = tuple[Lease[C] | None, Work[C] | None]
"""Of an acquire: the lease, or None where the task has to park; and the work that is left."""
