"""Durations, counted by how long they were."""

from __future__ import annotations

from bisect import bisect_left
from itertools import accumulate

# From a hand-off inside the process to a long render. The alert on acquires needs 10 ms to be a bound.
BOUNDS = (
    *(0.000_05, 0.000_1, 0.000_25, 0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025),
    *(0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 60.0, 300.0, 600.0),
)
_LABELS = [*map(str, BOUNDS), "+Inf"]


class Histogram:
    """How many durations were at most each of BOUNDS, in seconds, and their sum."""

    __slots__ = ("_counts", "sum")

    def __init__(self) -> None:
        self._counts = [0] * len(_LABELS)
        self.sum = 0.0

    def observe(self, seconds: float) -> None:
        """Count one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.sum += seconds

    def buckets(self) -> list[tuple[str, float]]:
        """Each bound with how many were at most as long; the last is +Inf and counts all."""
        return list(zip(_LABELS, accumulate(self._counts), strict=True))
