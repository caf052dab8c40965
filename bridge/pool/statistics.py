"""What a pool looks like at one instant."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A consistent snapshot: idle + leased + connecting + checking ≤ max_connections, except just after a shrink.

    `oldest_wait` is the age in seconds of the head waiter, 0.0 without one: the best single sign of saturation.
    """

    name: str
    state: str
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
    def live(self) -> int:
        """Connections that exist."""
        return self.idle + self.leased + self.checking

    def __str__(self) -> str:
        text = f"{self.idle} idle, {self.leased} leased, {self.connecting} connecting, {self.waiting} waiting"
        return f"{text}, of {self.max_connections}" + (f"; last error: {self.last_error}" if self.last_error else "")
