"""When to try to connect again, after attempts that failed."""

from __future__ import annotations

import random

from .settings import PoolSettings


class Backoff:
    """Exponential with full jitter; while somebody waits, no pause is longer than reconnect_max_delay_in_demand."""

    def __init__(self) -> None:
        self.failures = 0
        self.last_error: str | None = None
        self._failed_at = 0.0
        self._jitter = 1.0

    def fail(self, error: str, now: float) -> None:
        """An attempt has failed."""
        self.failures += 1
        self.last_error = error
        self._failed_at = now
        self._jitter = random.random()  # noqa: S311  # spreads load, no secret

    def succeed(self) -> None:
        """A connection was made."""
        self.failures = 0
        self.last_error = None

    def restart(self) -> None:
        """The other side is new: what failed before says nothing of it."""
        self.failures = 0

    def retry_at(self, settings: PoolSettings, *, in_demand: bool) -> float:
        """When the next attempt may begin, after a failure."""
        longest = settings.reconnect_max_delay_in_demand if in_demand else settings.reconnect_max_delay
        return self._failed_at + self._jitter * min(longest, settings.reconnect_delay * 2.0 ** min(self.failures, 16))
