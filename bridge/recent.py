"""What was done lately: the last requests that went to Blender, whichever door they came through."""

from __future__ import annotations

import time
from collections import deque
from typing import Any, NamedTuple

from . import events

_KEPT = 500
_ASKED = "addon.describe"


class Done(NamedTuple):
    """`at` is the Unix time at its end, `client` the id of who asked, `outcome` ok or an error code."""

    at: float
    client: str
    instance: str
    method: str
    outcome: str
    seconds: float


class Recent:
    """The last 500 requests, oldest first. It listens to events."""

    def __init__(self) -> None:
        self._done: deque[Done] = deque(maxlen=_KEPT)
        self.handlers: events.Handlers = {events.RequestFinished: self._finished}

    def _finished(self, event: events.RequestFinished) -> None:
        # To ask what Blender can do is the bridge's own curiosity, every few seconds.
        if event.instance and event.method != _ASKED:
            done = Done(time.time(), event.connection, event.instance, event.method, event.outcome, event.seconds)
            self._done.append(done)

    def last(self, limit: int, instance: str | None = None) -> list[dict[str, Any]]:
        """The last of them as JSON, newest first."""
        found = [done for done in reversed(self._done) if instance in (None, done.instance)]
        return [{**done._asdict(), "seconds": round(done.seconds, 6)} for done in found[:limit]]
