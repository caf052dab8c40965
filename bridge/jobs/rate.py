"""How fast work goes, and how long the rest of it will take."""

from __future__ import annotations

from typing import Any


class Rate:
    """The average since the work began; it begins anew where what is counted changes or goes back."""

    def __init__(self) -> None:
        self._first = (0.0, 0.0)
        self._total = -1.0
        self._done = 0.0

    def told(self, done: float, total: float, message: str, now: float) -> dict[str, Any]:
        """The progress as a job keeps it: `rate` is per second, `left` seconds; both null until they are known."""
        if total != self._total or done < self._done:
            self._first = (done, now)
        self._total, self._done = total, done
        gained, seconds = done - self._first[0], now - self._first[1]
        rate = gained / seconds if gained > 0 and seconds > 0 else None
        left = None if rate is None else round(max(0.0, total - done) / rate, 1)
        rounded = None if rate is None else float(f"{rate:.4g}")
        return {"done": round(done, 4), "total": total, "message": message, "rate": rounded, "left": left}
