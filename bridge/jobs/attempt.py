"""One attempt at a job: what its kind sees of the queue."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Literal

import trio

from bridge import events
from bridge.errors import BridgeError, Lost, StoreUnavailable, Unstorable

from .access import Access
from .model import Job
from .rate import Rate
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
        self._rate = Rate()
        self._heard = trio.current_time()
        self._latest: dict[str, Any] | None = None
        self._keeping = trio.Lock()
        self._told = trio.Event()
        self._over = trio.Event()
        self._settled = False

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
        began = self._heard = trio.current_time()
        try:
            with trio.CancelScope() as scope:  # noqa: ASYNC100  # the phase's work is at the yield
                if timeout is not None:
                    scope.deadline = began + timeout - lasted
                yield
        finally:
            self._emit(events.JobPhaseEnded(self.job.kind, name, trio.current_time() - began))
        if scope.cancelled_caught:
            raise JobFailed("phase_timeout", f"the phase {name} lasted longer than {timeout:g} s")

    def progress(self, done: float, total: float, message: str = "") -> None:
        """Tell how far the work is, as often as one likes: a hint, of which the latest is kept."""
        self._heard = trio.current_time()
        self._latest = self._rate.told(done, total, message, self._heard)
        self._told.set()

    @property
    def silence(self) -> float:
        """Seconds since it told of progress or of a new phase."""
        return trio.current_time() - self._heard

    async def report(self) -> None:
        """Keep the progress in the store, at most twice a second, and the last of it once the work is `settled`.

        Stops an attempt that is lost.
        """
        while True:
            await self._told.wait()
            self._told = trio.Event()
            await self.flush()
            if self._settled:
                return
            with trio.move_on_after(_PROGRESS_INTERVAL):
                await self._over.wait()

    async def flush(self) -> None:
        """Keep what was told last of the progress now."""
        # One at a time: what was told earlier must not be kept later.
        async with self._keeping:
            latest, self._latest = self._latest, None
            if latest is None:
                return
            try:
                await self._access.call(self._store.set_progress, self.job.id, self.job.fence, latest)
            except Lost:
                self.stop("lost")
            except (StoreUnavailable, Unstorable):
                pass  # a hint: the next one may get there

    def settled(self) -> None:
        """The work is over: what it told last is all that there is to report."""
        self._settled = True
        self._over.set()
        self._told.set()

    async def remember(self, external_ref: str) -> None:
        """Keep what another system calls this job, for the attempts after this one. Raises Lost."""
        await self._access.insist(self._store.set_external_ref, self.job.id, self.job.fence, external_ref)

    async def confirm(self) -> None:
        """Look once more whether the job is still this attempt's, before its outputs get their names. Raises Lost."""
        await self._access.insist(self._store.confirm, self.job.id, self.job.fence)
