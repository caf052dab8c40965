"""What a pool looks like at one instant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PoolState = Literal["open", "paused", "draining", "drained", "closing", "closed"]


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A consistent snapshot: idle + leased + connecting + checking ≤ max_connections, except just after a shrink.

    `state`: open · paused (lends nothing, keeps its connections) · draining (lends and opens nothing; what is in use
    may end) · drained (the same, and there is no connection left). These go back to open by a resume. closing (it ends;
    what is in use may end first) · closed: for good.
    `oldest_wait` is the age in seconds of the head waiter, 0.0 without one: the best single sign of saturation.
    """

    name: str
    state: PoolState
    max_connections: int
    max_waiting: int
    idle: int
    leased: int
    connecting: int
    checking: int
    waiting: int
    oldest_wait: float
    generation: int
    connect_failures: int
    last_error: str | None
    exclusivity_violations: int

    @property
    def held(self) -> bool:
        """Nothing is lent, because somebody wants it so: a waiter waits for a resume."""
        return self.state in {"paused", "draining", "drained"}

    @property
    def live(self) -> int:
        """Connections that exist."""
        return self.idle + self.leased + self.checking

    def __str__(self) -> str:
        state = "" if self.state == "open" else f"{self.state}; "
        text = f"{state}{self.idle} idle, {self.leased} leased, {self.connecting} connecting, {self.waiting} waiting"
        return f"{text}, of {self.max_connections}" + (f"; last error: {self.last_error}" if self.last_error else "")
