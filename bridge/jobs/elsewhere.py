"""What other systems may still do for jobs that have ended: it is ended, too, and until then the store knows of it.

Cancelled while it waited or while it ran, failed, rescued too often: whatever it was, the job has an external_ref, and
that is all there is to know. So nothing is forgotten where a bridge ends in between, or the other system is silent.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import structlog
import trio

from bridge.errors import BridgeError

from .access import Access
from .model import Job
from .store import Store

log = structlog.get_logger(__name__)

Release = Callable[[Job, Path], Awaitable[None]]
"""End what there still is of an ended job, whose directory that is. Raises BridgeError where it cannot be done now."""


class Elsewhere:
    """Looks every `interval` seconds, and when it is told to, for ended jobs that have something elsewhere."""

    def __init__(self, store: Store, access: Access, release: Release, directory: Path, interval: float) -> None:
        self._store = store
        self._access = access
        self._release = release
        self._directory = directory
        self._interval = interval
        self._asked = trio.Event()

    def look(self) -> None:
        """Look now."""
        self._asked.set()

    async def run(self) -> None:
        """Look until cancelled. Raises StoreUnavailable."""
        while True:
            self._asked = asked = trio.Event()
            for job in await self._access.call(self._store.left_elsewhere):
                await self._end(job)
            with trio.move_on_after(self._interval):
                await asked.wait()

    async def _end(self, job: Job) -> None:
        ref = job.external_ref or ""
        try:
            await self._release(job, self._directory / job.id)
        except BridgeError as error:
            log.warning("what a job has elsewhere cannot be ended now", job=job.id, ref=ref, error=str(error))
            return
        await self._access.call(self._store.settled_elsewhere, job.id, ref)
        log.info("nothing is left of a job elsewhere", job=job.id, ref=ref, state=job.state)
