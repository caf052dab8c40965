"""When to try again: a request that was refused as busy, a socket whose backlog is full. No clock, no I/O."""

from __future__ import annotations

from bridge.errors import Busy

_FIRST, _LONGEST = 0.05, 5.0

# With less than this left of its time, a request is not sent again.
_SHORTEST_TRY = 0.01

# A bridge takes in what waits at its door within milliseconds.
_BACKLOG_PAUSE = 0.02


class Backoff:
    """The pauses of one call whose requests are refused as busy: exponential with full jitter, after retry_after."""

    def __init__(self) -> None:
        self._refusals = 0

    def pause(self, refusal: Busy, left: float) -> float | None:
        """Seconds until the next try, None where there is no time for one; `left` is what is left of the call's.

        At least the bridge's own retry_after, but never more than half of what is left: it is an estimate, and the
        last try should not be the first one.
        """
        if left < _SHORTEST_TRY:
            return None
        ceiling = min(_LONGEST, _FIRST * 2.0 ** min(self._refusals, 16))
        self._refusals += 1
        return min(_retry_after(refusal) + ceiling * _jitter(), left / 2)


def backlog_pause() -> float:
    """Seconds until the next try to connect to a Unix socket that has no room for one more."""
    return _BACKLOG_PAUSE * _jitter()


def _retry_after(refusal: Busy) -> float:
    said = refusal.data.get("retry_after")
    return max(0.0, float(said)) if isinstance(said, (int, float)) else 0.0


def _jitter() -> float:
    import random  # noqa: PLC0415  # most calls are never refused

    return random.random()  # noqa: S311  # spreads load, no secret
