"""How often, and after which pause, a worker that failed is started again."""

from __future__ import annotations

import random
from collections import deque

_FIRST, _LONGEST = 0.1, 10.0
_LONGEST_AFTER_READY = 2.0


class Restarts:
    """The budget: at most `most` restarts within `window` seconds. `reset` begins it anew."""

    def __init__(self, most: int, window: float) -> None:
        self.count = 0
        self._most = most
        self._window = window
        self._times: deque[float] = deque()

    def next(self, now: float, *, was_ready: bool) -> float | None:
        """Count one restart, and return the pause before it: exponential, full jitter. None: the budget is spent.

        Where it `was_ready`, it can be again: then the pauses grow no longer than what its users put up with.
        """
        while self._times and now - self._times[0] >= self._window:
            self._times.popleft()
        if len(self._times) >= self._most:
            return None
        self._times.append(now)
        longest = min(_LONGEST_AFTER_READY if was_ready else _LONGEST, _FIRST * 2.0 ** min(self.count, 16))
        self.count += 1
        return random.uniform(0.0, longest)  # noqa: S311  # spreads load, no secret

    def reset(self) -> None:
        """It was stable, or somebody has started it by hand."""
        self.count = 0
        self._times.clear()
