"""One attempt at a job: what its kind sees of the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import trio

from bridge import events
from bridge.errors import BridgeError, StoreUnavailable

from .access import Access
from .model import Job
from .store import Store

Stop = Literal["cancelled", "drained", "lost"]

_PROGRESS_INTERVAL = 0.5


class JobFailed(BridgeError):
    """The work cannot be done; `final` where another attempt would not help."""

    def __init__(self, code: str, message: str, *, final: bool = False, data: dict[str, Any] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.final = final
        self.data = data or {}

    def as_object(self) -> dict[str, Any]:
        """What the job keeps."""
        return {"code": self.code, "message": str(self), "data": self.data}


class Snooze(BridgeError):
    """There is nothing to do for `seconds`: the job is to be looked at again then, at no cost."""

    def __init__(self, seconds: float) -> None:
        super().__init__(f"look again in {seconds:g} s")
        self.seconds = seconds


class Attempt:
    """One claim of one job. `stop` ends its work; what it may still write is judged by the fence."""

    def __init__(self, job: Job, store: Store, access: Access, emit: events.Emit) -> None:
        self.job = job
        self.scope = trio.CancelScope()
        self.stopped: Stop | None = None
        self._store = store
        self._access = access
        self._emit = emit
        self._told_at = -1.0

    def stop(self, why: Stop) -> None:
        """End the work now. The first reason counts."""
        if self.stopped is None:
            self.stopped = why
            self.scope.cancel()

    @asynccontextmanager
    async def phase(self, name: str, timeout: float | None = None) -> AsyncIterator[None]:
        """Work in a phase of at most `timeout` seconds, those of earlier attempts that were in it included.

        Time during which nobody worked on the job is not counted. Raises Lost, and JobFailed once the time is over.
        """
        lasted = await self._access.insist(self._store.set_phase, self.job.id, self.job.fence, name, timeout)
        began = trio.current_time()
        with trio.CancelScope() as scope:
            if timeout is not None:
                scope.deadline = began + timeout - lasted
            yield
        self._emit(events.JobPhaseEnded(self.job.kind, name, trio.current_time() - began))
        if scope.cancelled_caught:
            raise JobFailed("phase_timeout", f"the phase {name} lasted longer than {timeout:g} s")

    async def progress(self, done: float, total: float, message: str = "", **more: Any) -> None:
        """Tell how far the work is; at most twice a second, but for its end. Raises Lost."""
        now = trio.current_time()
        if now < self._told_at + _PROGRESS_INTERVAL and done < total:
            return
        self._told_at = now
        told = {"done": done, "total": total, "message": message, **more}
        try:
            await self._access.call(self._store.set_progress, self.job.id, self.job.fence, told)
        except StoreUnavailable:
            return  # a hint, not a record

    async def remember(self, external_ref: str) -> None:
        """Keep what another system calls this job, for the attempts after this one. Raises Lost."""
        await self._access.insist(self._store.set_external_ref, self.job.id, self.job.fence, external_ref)

    async def confirm(self) -> None:
        """Look once more whether the job is still this attempt's, before its outputs get their names. Raises Lost."""
        progress = self.job.progress or {}
        await self._access.insist(self._store.set_progress, self.job.id, self.job.fence, progress)
