"""The queue: claims jobs, works on a few at a time, hears of cancels, takes over from bridges that died."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import structlog
import trio

from bridge import events
from bridge.supervised import keep_running

from .access import Access
from .attempt import Attempt
from .counting import tell_counts
from .elsewhere import Elsewhere, Release
from .model import Job, NewJob
from .pace import Pace
from .running import Perform, Runner, ended
from .store import Store

log = structlog.get_logger(__name__)

_PURGE_INTERVAL = 3600.0
_LAST_WORDS = 5.0
_SHORTEST_WAIT = 0.02


class Queue:
    """The jobs of one store, as one bridge works on them; each has a directory of its id in `directory`.

    The store is the queue's own, and is closed when `run` ends. `code`: whether jobs may run code.
    """

    def __init__(
        self,
        store: Store,
        perform: Perform,
        *,
        concurrency: int,
        drain_timeout: float,
        directory: Path,
        emit: events.Emit,
        pace: Pace | None = None,
        release: Release | None = None,
        code: bool = True,
    ) -> None:
        self.store = store
        self.owner = uuid.uuid4().hex[:16]
        self.access = Access()
        self.directory = directory
        self.code = code
        self._pace = pace or Pace()
        self._elsewhere = Elsewhere(store, self.access, release, directory, self._pace.lease / 2) if release else None
        self._runner = Runner(store, self.access, perform, self._pace, emit)
        self._concurrency = concurrency
        self._drain_timeout = drain_timeout
        self._emit = emit
        self._attempts: dict[tuple[str, int], Attempt] = {}
        self._changed = trio.Event()
        self._beat = trio.Event()
        self._draining = False
        self._drained = trio.Event()
        self._ended = trio.Event()

    async def run(self) -> None:
        """Work until `drain` has ended, or until cancelled; then the store is closed."""
        try:
            with trio.CancelScope() as scope:
                async with trio.open_nursery() as nursery:
                    for name, task in self._tasks(nursery):
                        outlasting = partial(self.access.outlast, task)
                        nursery.start_soon(keep_running, f"jobs: {name}", outlasting, self._emit)
                    await self._drained.wait()
                    scope.cancel()
        finally:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(self.store.close)
            self._ended.set()

    def _tasks(self, nursery: trio.Nursery) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("rescue", self._rescue),
            ("claim", partial(self._claim, nursery)),
            ("heartbeat", self._heartbeat),
            ("purge", self._purge),
            ("count", self._count),
        ]
        if self._elsewhere is not None:
            tasks.append(("elsewhere", self._elsewhere.run))
        return [*tasks, ("listen", self._listen)] if self.store.shared else tasks

    async def drain(self) -> None:
        """Claim nothing more, let what runs end within drain_timeout, and give the rest back at no cost.

        Returns once `run` has ended.
        """
        self._draining = True
        self._wake()
        with trio.move_on_after(self._drain_timeout):
            await self._idle()
        for attempt in list(self._attempts.values()):
            attempt.stop("drained")
        with trio.move_on_after(_LAST_WORDS):
            await self._idle()
        self._drained.set()
        await self._ended.wait()

    async def _idle(self) -> None:
        while self._attempts:
            await self._changed.wait()

    # what others ask of it

    async def submit(self, new: NewJob) -> tuple[Job, bool]:
        """The job, and whether it is new. Raises KeyConflict, StoreUnavailable, Unstorable."""
        job, created = await self.access.call(self.store.submit, new)
        self._wake()
        return job, created

    async def cancel(self, job: str) -> Job | None:
        """Cancel it: at once where it waits, soon where it runs. None where there is no such job."""
        found = await self.access.call(self.store.cancel, job)
        for (running, _), attempt in self._attempts.items():
            if running == job:
                attempt.stop("cancelled")
        # It may be claimed, and not be known here yet.
        self._hear()
        self._look_elsewhere()
        return found

    async def retry(self, job: str) -> Job | None:
        """Begin a failed or cancelled job anew. None where there is no such job."""
        found = await self.access.call(self.store.retry, job)
        self._wake()
        return found

    async def pause(self, *, paused: bool) -> None:
        """While it is paused no bridge claims a job; what runs goes on."""
        await self.access.call(self.store.pause, paused)
        self._wake()

    @property
    def changed(self) -> trio.Event:
        """It is set when this bridge next begins or ends a job."""
        return self._changed

    @property
    def running(self) -> int:
        """How many jobs this bridge works on."""
        return len(self._attempts)

    # what it does by itself

    def _wake(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def _hear(self) -> None:
        self._beat.set()
        self._beat = trio.Event()

    def _look_elsewhere(self) -> None:
        if self._elsewhere is not None:
            self._elsewhere.look()

    async def _claim(self, nursery: trio.Nursery) -> None:
        while not self._draining:
            changed = self._changed
            if len(self._attempts) >= self._concurrency:
                await changed.wait()
            elif not await self._claimed(nursery):
                await self._await_work(changed)

    async def _claimed(self, nursery: trio.Nursery) -> bool:
        job = await self.access.call(self.store.claim, self.owner, self._pace.lease)
        if job is not None:
            # Nothing is awaited until the attempt has its task.
            self._begin(job, nursery)
        return job is not None

    def _begin(self, job: Job, nursery: trio.Nursery) -> None:
        for (running, _), older in self._attempts.items():
            if running == job.id:
                older.stop("lost")
        attempt = Attempt(job, self.store, self.access, self._emit)
        self._attempts[job.id, job.fence] = attempt
        if self._draining:
            # Claimed a moment too late.
            attempt.stop("drained")
        nursery.start_soon(self._work, attempt)

    async def _work(self, attempt: Attempt) -> None:
        try:
            await self._runner.run(attempt)
        finally:
            del self._attempts[attempt.job.id, attempt.job.fence]
            self._wake()
            if attempt.stopped == "cancelled":
                self._look_elsewhere()

    async def _await_work(self, changed: trio.Event) -> None:
        waits = await self.access.call(self.store.next_run_at)
        longest = self._pace.poll if waits is None else min(self._pace.poll, max(_SHORTEST_WAIT, waits))
        with trio.move_on_after(longest):
            await changed.wait()

    async def _heartbeat(self) -> None:
        while True:
            asked = self._beat
            if self._attempts:
                await self._heard()
            with trio.move_on_after(self._pace.beat):
                await asked.wait()

    async def _heard(self) -> None:
        """Extend the leases, and stop what is to be cancelled or is another owner's by now."""
        claimed = dict(self._attempts)
        beats = await self.access.call(self.store.heartbeat, self.owner, self._pace.lease)
        ours = {(beat.id, beat.fence): beat for beat in beats}
        for claim, attempt in claimed.items():
            if claim not in ours:
                attempt.stop("lost")
            elif ours[claim].cancel_requested:
                attempt.stop("cancelled")

    async def _rescue(self) -> None:
        while True:
            for job in await self.access.call(self.store.rescue, self.owner):
                log.warning("a job was taken from a bridge that died", job=job.id, kind=job.kind, state=job.state)
                self._emit(events.JobRescued(job.kind))
                if job.ended:
                    self._emit(ended(job))
                self._wake()
            await trio.sleep(self._pace.lease / 2)

    async def _listen(self) -> None:
        """PostgreSQL tells of what was submitted and cancelled elsewhere."""
        changes = await self.access.call(self.store.listen)
        try:
            # What was told before is not heard.
            heard = {"pending", "cancel"}
            while True:
                if "pending" in heard:
                    self._wake()
                if "cancel" in heard:
                    self._hear()
                await trio.lowlevel.wait_readable(changes.fileno())
                heard = changes.heard()
        finally:
            trio.lowlevel.notify_closing(changes.fileno())
            changes.close()

    async def _purge(self) -> None:
        while True:
            while forgotten := await self.access.call(self.store.purge):
                await trio.to_thread.run_sync(_remove, [self.directory / job for job in forgotten])
                log.info("jobs were forgotten with their files, their retention is over", jobs=len(forgotten))
            await trio.sleep(_PURGE_INTERVAL)

    async def _count(self) -> None:
        await tell_counts(self.store, self.access, lambda: self._changed, self._silences, self._emit)

    def _silences(self) -> dict[str, float]:
        silences: dict[str, float] = {}
        for attempt in self._attempts.values():
            silences[attempt.job.kind] = max(attempt.silence, silences.get(attempt.job.kind, 0.0))
        return silences


def _remove(directories: list[Path]) -> None:
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)
