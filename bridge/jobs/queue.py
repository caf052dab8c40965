"""The queue: claims jobs, works on a few at a time, hears of cancels, takes over from bridges that died."""

from __future__ import annotations

import random
import uuid
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import structlog
import trio

from bridge import events
from bridge.errors import Lost, StoreUnavailable
from bridge.supervised import keep_running

from .access import Access
from .attempt import Attempt, JobFailed, Snooze
from .model import Job, NewJob
from .store import Store

log = structlog.get_logger(__name__)

Perform = Callable[[Attempt], Awaitable[dict[str, Any]]]
"""Does the work of one attempt, and returns the result. Raises JobFailed, Snooze, Lost."""

_PURGE_INTERVAL = 3600.0
_LAST_WORDS = 5.0


class Pace(NamedTuple):
    """Seconds. A job is its owner's for `lease` after each heartbeat; a queue that heard of nothing looks again after
    `poll`. After its n-th error a job waits `backoff` · 2ⁿ⁻¹, `longest_backoff` at most, less up to half of that.
    """

    lease: float = 30.0
    heartbeat: float = 10.0
    poll: float = 5.0
    backoff: float = 10.0
    longest_backoff: float = 3600.0


class Queue:
    """The jobs of one store, as one bridge works on them; each has a directory of its id in `directory`."""

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
    ) -> None:
        self.store = store
        self.owner = f"{uuid.uuid4().hex[:16]}"
        self.access = Access()
        self.directory = directory
        self._perform = perform
        self._concurrency = concurrency
        self._drain_timeout = drain_timeout
        self._emit = emit
        self._pace = pace or Pace()
        self._attempts: dict[str, Attempt] = {}
        self._changed = trio.Event()
        self._beat = trio.Event()
        self._draining = False
        self._drained = trio.Event()

    async def run(self) -> None:
        """Work until `drain` has ended, or until cancelled: what is being worked on is rescued by the next bridge."""
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                for name, task in self._tasks(nursery):
                    nursery.start_soon(keep_running, f"jobs: {name}", task, self._emit)
                await self._drained.wait()
                scope.cancel()

    def _tasks(self, nursery: trio.Nursery) -> list[tuple[str, Callable[[], Awaitable[None]]]]:
        tasks: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("rescue", self._rescue),
            ("claim", partial(self._claim, nursery)),
            ("heartbeat", self._heartbeat),
            ("purge", self._purge),
        ]
        return [*tasks, ("listen", self._listen)] if self.store.shared else tasks

    async def drain(self) -> None:
        """Claim nothing more, let what runs end within drain_timeout, and give the rest back at no cost."""
        self._draining = True
        self._wake()
        with trio.move_on_after(self._drain_timeout):
            await self._idle()
        for attempt in list(self._attempts.values()):
            attempt.stop("drained")
        with trio.move_on_after(_LAST_WORDS):
            await self._idle()
        self._drained.set()

    async def _idle(self) -> None:
        while self._attempts:
            await self._changed.wait()

    # what others ask of it

    async def submit(self, new: NewJob) -> tuple[Job, bool]:
        """The job, and whether it is new. Raises KeyConflict, StoreUnavailable."""
        job, created = await self.access.call(self.store.submit, new)
        self._wake()
        return job, created

    async def cancel(self, job: str) -> Job | None:
        """Cancel it: at once where it waits, soon where it runs. None where there is no such job."""
        found = await self.access.call(self.store.cancel, job)
        attempt = self._attempts.get(job)
        if attempt is not None:
            attempt.stop("cancelled")
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

    async def _claim(self, nursery: trio.Nursery) -> None:
        while not self._draining:
            changed = self._changed
            if len(self._attempts) >= self._concurrency:
                await changed.wait()
                continue
            job = await self.access.call(self.store.claim, self.owner, self._pace.lease)
            if job is not None and self._draining:
                await self.access.insist(self.store.give_back, job.id, job.fence)
            elif job is not None:
                # Nothing is awaited until the attempt has its task.
                attempt = Attempt(job, self.store, self.access, self._emit)
                self._attempts[job.id] = attempt
                nursery.start_soon(self._work, attempt)
                nursery.start_soon(attempt.report)
            else:
                await self._await_work(changed)

    async def _await_work(self, changed: trio.Event) -> None:
        waits = await self.access.call(self.store.next_run_at)
        longest = self._pace.poll if waits is None else min(self._pace.poll, max(0.0, waits))
        with trio.move_on_after(longest):
            await changed.wait()

    async def _work(self, attempt: Attempt) -> None:
        job = attempt.job
        log.info("job begins", job=job.id, kind=job.kind, fence=job.fence, errors=job.errors)
        self._emit(events.JobClaimed(job.kind))
        settle: Callable[[], Any] = partial(self.store.cancelled, job.id, job.fence)
        try:
            with attempt.scope:
                settle = await self._performed(attempt)
            if attempt.stopped == "drained" and attempt.scope.cancelled_caught:
                settle = partial(self.store.give_back, job.id, job.fence)
            await self._settle(attempt, settle)
        finally:
            attempt.settled()
            self._attempts.pop(job.id, None)
            self._wake()

    async def _performed(self, attempt: Attempt) -> Callable[[], Any]:
        """Do the work, and say how the store is to be told of what came of it."""
        job = attempt.job
        try:
            result = await self._perform(attempt)
        except Snooze as snooze:
            self._emit(events.JobSnoozed(job.kind))
            return partial(self.store.snooze, job.id, job.fence, snooze.seconds)
        except Lost:
            attempt.stopped = "lost"
            return _nothing
        except JobFailed as failure:
            return self._failing(job, failure.as_object(), final=failure.final)
        except Exception as error:
            # The boundary between one job and the queue: whatever its work raises is that job's error.
            log.exception("a job's work failed by a bug", job=job.id, kind=job.kind)
            return self._failing(job, {"code": "internal", "message": f"{type(error).__name__}: {error}", "data": {}})
        return partial(self.store.complete, job.id, job.fence, result)

    def _failing(self, job: Job, error: dict[str, Any], *, final: bool = False) -> Callable[[], Any]:
        wait = min(self._pace.longest_backoff, self._pace.backoff * 2.0 ** min(job.errors, 30))
        wait *= random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, no secret
        self._emit(events.JobErred(job.kind))
        log.warning("a job's attempt failed", job=job.id, kind=job.kind, error=error["message"], final=final)
        return partial(self.store.fail, job.id, job.fence, error, wait, final=final)

    async def _settle(self, attempt: Attempt, settle: Callable[[], Any]) -> None:
        job = attempt.job
        if attempt.stopped == "lost":
            log.warning("a job was lost to another owner: what was done for it is dropped", job=job.id)
            return
        try:
            await self.access.insist(settle)
            ended = await self.access.call(self.store.get, job.id)
        except Lost:
            log.warning("a job was lost to another owner: what was done for it is dropped", job=job.id)
            return
        except StoreUnavailable:
            ended = None
        if ended is not None and ended.ended and ended.fence == job.fence:
            seconds = (ended.finished_at or 0.0) - (ended.started_at or 0.0)
            self._emit(events.JobEnded(job.kind, ended.state, max(0.0, seconds)))
            log.info("job ended", job=job.id, kind=job.kind, state=ended.state)

    async def _heartbeat(self) -> None:
        while True:
            asked = self._beat
            with trio.move_on_after(self._pace.heartbeat):
                await asked.wait()
            if not self._attempts:
                continue
            claimed = {attempt.job.id: attempt for attempt in self._attempts.values()}
            beats = await self.access.call(self.store.heartbeat, self.owner, self._pace.lease)
            ours = {(beat.id, beat.fence) for beat in beats}
            for attempt in claimed.values():
                if (attempt.job.id, attempt.job.fence) not in ours and self._attempts.get(attempt.job.id) is attempt:
                    attempt.stop("lost")
            for beat in beats:
                if beat.cancel_requested and beat.id in claimed:
                    claimed[beat.id].stop("cancelled")

    async def _rescue(self) -> None:
        while True:
            for job in await self.access.call(self.store.rescue, self.owner):
                log.warning("a job was taken from a bridge that died", job=job.id, kind=job.kind, state=job.state)
                self._emit(events.JobRescued(job.kind))
                self._wake()
            await trio.sleep(self._pace.lease / 2)

    async def _listen(self) -> None:
        """PostgreSQL tells of what was submitted and cancelled elsewhere."""
        changes = await self.access.call(self.store.listen)
        try:
            while True:
                await trio.lowlevel.wait_readable(changes.fileno())
                heard = changes.heard()
                if "pending" in heard:
                    self._wake()
                if "cancel" in heard:
                    self._beat.set()
                    self._beat = trio.Event()
        finally:
            trio.lowlevel.notify_closing(changes.fileno())
            changes.close()

    async def _purge(self) -> None:
        while True:
            forgotten = await self.access.call(self.store.purge)
            if forgotten:
                log.info("jobs were forgotten, their retention is over", jobs=forgotten)
            await trio.sleep(_PURGE_INTERVAL)


def _nothing() -> None:
    """What is told of a job that is another owner's."""
