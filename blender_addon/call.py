"""A running request as its command sees it: who asked, whether to stop, and how far it has come."""

from __future__ import annotations

import time
from typing import Callable, Literal, Optional

StopReason = Literal["cancelled", "timeout", "orphaned"]
Emit = Callable[[float, float, str], None]

# Twenty a second are smooth for a person and nothing to a socket.
PROGRESS_INTERVAL = 0.05


class Interrupted(BaseException):
    """The request was cancelled, its deadline passed, or nobody waits for it any more.

    Not an Exception, so that a command's `except Exception` does not eat it.
    """


class Call:
    """One running request.

    `deadline` is a time of `time.monotonic()`, None where there is none. All methods may be called from any thread.
    """

    __slots__ = ("request_id", "method", "deadline", "stop_reason", "_emit", "_next_progress")

    def __init__(
        self, request_id: str, method: str, *, deadline: Optional[float] = None, emit: Optional[Emit] = None
    ) -> None:
        self.request_id = request_id
        self.method = method
        self.deadline = deadline
        self.stop_reason: Optional[StopReason] = None
        self._emit = emit
        self._next_progress = 0.0

    @property
    def interrupted(self) -> bool:
        """The command is asked to stop, or its deadline has passed."""
        return self.stop_reason is not None or (self.deadline is not None and time.monotonic() >= self.deadline)

    def check(self) -> None:
        """Call it in long loops. Raises Interrupted once the command is asked to stop."""
        if self.interrupted:
            raise Interrupted(self.stop_reason or "timeout")

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell the client how far the work has come: `done` of `total`, in any unit.

        A hint, not a record: too many at once and those for a slow reader are dropped. The last one (`done` =
        `total`) is not throttled. It never blocks and never raises.
        """
        if self._emit is None or not total > 0:
            return
        now = time.monotonic()
        if now < self._next_progress and done < total:
            return
        self._next_progress = now + PROGRESS_INTERVAL
        self._emit(min(max(done, 0), total), total, message)
