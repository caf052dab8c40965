"""How often a queue does what it does."""

from __future__ import annotations

from typing import NamedTuple


class Pace(NamedTuple):
    """Seconds. A job is its owner's for `lease` after each heartbeat; a queue that heard of nothing looks again after
    `poll`. After its n-th error a job waits `backoff` · 2ⁿ⁻¹, `longest_backoff` at most, less up to half of that.
    """

    lease: float = 30.0
    heartbeat: float = 10.0
    poll: float = 5.0
    backoff: float = 10.0
    longest_backoff: float = 3600.0

    @property
    def beat(self) -> float:
        """How often a lease is extended: in time for another try or two, whatever was set."""
        return min(self.heartbeat, self.lease / 3)

    def backoff_after(self, errors: int) -> float:
        """How long at most a job waits after so many errors."""
        return min(self.longest_backoff, self.backoff * 2.0 ** min(errors - 1, 30))
