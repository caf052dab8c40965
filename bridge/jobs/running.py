"""From a claim to what the store is told of it: the boundary between one job's work and the queue."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any, NamedTuple

import structlog
import trio

from bridge import events
from bridge.errors import Lost, StoreUnavailable, Unstorable
from bridge.supervised import split

from .access import Access
from .attempt import Attempt, JobFailed, Snooze
from .model import Job
from .pace import Pace
from .store import Store

log = structlog.get_logger(__name__)

Perform = Callable[[Attempt], Awaitable[dict[str, Any]]]
"""Does the work of one attempt, and returns the result. Raises JobFailed, Snooze, Lost."""

_LAST_MOMENT = 2.0

_Settle = Callable[[], object]


class Runner(NamedTuple):
    """Runs attempts: nothing that their work raises gets any further."""

    store: Store
    access: Access
    perform: Perform
    pace: Pace
    emit: events.Emit

    async def run(self, attempt: Attempt) -> None:
        """Work until it ends or is stopped, and tell the store what came of it. Cancelled, it gives the job back."""
        job = attempt.job
        # A job that snoozes comes again and again.
        tell = log.debug if job.snoozes else log.info
        tell("job begins", job=job.id, kind=job.kind, fence=job.fence, errors=job.errors)
        self.emit(events.JobClaimed(job.kind))
        over = False
        try:
            settle = await self._worked(attempt)
            if settle is not None:
                await self._settle(job, settle)
            else:
                _dropped(job)
            over = True
        finally:
            if not over:
                # The bridge ends at once. Where this does not get there, the next one rescues the job.
                with trio.move_on_after(_LAST_MOMENT, shield=True):
                    await trio.to_thread.run_sync(self._given_back, job, abandon_on_cancel=True)

    async def _worked(self, attempt: Attempt) -> _Settle | None:
        """Do the work, its progress kept meanwhile; how to settle it, None where it is another owner's."""
        settle: _Settle | None = None
        async with trio.open_nursery() as nursery:
            nursery.start_soon(attempt.report)
            with attempt.scope:
                settle = await self._outcome(attempt)
            attempt.settled()
        if not attempt.scope.cancelled_caught:
            return settle
        job = attempt.job
        if attempt.stopped == "lost":
            return None
        settled = self.store.give_back if attempt.stopped == "drained" else self.store.cancelled
        return partial(settled, job.id, job.fence)

    async def _outcome(self, attempt: Attempt) -> _Settle | None:
        job = attempt.job
        try:
            result = await self.perform(attempt)
        except trio.Cancelled:
            raise
        except BaseException as raised:  # noqa: BLE001  # the boundary: whatever one job's work raises is that job's error
            survived, ending = split(raised)
            if survived is None or ending is not None:
                raise (ending or raised) from None
            return self._failed(job, survived)
        return partial(self.store.complete, job.id, job.fence, result)

    def _failed(self, job: Job, raised: BaseException) -> _Settle | None:
        found = _known(raised)
        if isinstance(found, Lost):
            return None
        if isinstance(found, Snooze):
            self.emit(events.JobSnoozed(job.kind))
            return partial(self.store.snooze, job.id, job.fence, found.seconds)
        if not isinstance(found, JobFailed):
            log.error("a job's work failed by a bug", job=job.id, kind=job.kind, exc_info=raised)
            found = JobFailed("internal", f"{type(raised).__name__}: {raised}")
        self.emit(events.JobErred(job.kind))
        log.warning("a job's attempt failed", job=job.id, kind=job.kind, error=str(found), final=found.final)
        wait = self.pace.backoff_after(job.errors + 1) * random.uniform(0.5, 1.0)  # noqa: S311  # spreads load, no secret
        return partial(self.store.fail, job.id, job.fence, found.as_object(), wait, final=found.final)

    async def _settle(self, job: Job, settle: _Settle) -> None:
        try:
            await self.access.insist(settle)
        except Unstorable as error:
            told = {"code": "unstorable", "message": f"what came of it cannot be kept: {error!a:.300}", "data": {}}
            self.emit(events.JobErred(job.kind))
            log.warning("a job's result cannot be kept", job=job.id, kind=job.kind, error=str(error))
            await self._settle(job, partial(self.store.fail, job.id, job.fence, told, 0.0, final=True))
            return
        except Lost:
            # Or a first try got there, and its answer did not get here: then the job has ended as this attempt's.
            await self._look(job, lost=True)
        else:
            await self._look(job)

    async def _look(self, job: Job, *, lost: bool = False) -> None:
        try:
            found = await self.access.call(self.store.get, job.id)
        except StoreUnavailable:
            return
        if found is not None and found.ended and found.fence == job.fence:
            self.emit(ended(found))
            log.info("job ended", job=job.id, kind=job.kind, state=found.state)
        elif lost:
            _dropped(job)

    def _given_back(self, job: Job) -> None:
        try:
            self.store.give_back(job.id, job.fence)
        except (Lost, StoreUnavailable):
            return


def ended(job: Job) -> events.JobEnded:
    """What is told of a job that has ended."""
    began = job.started_at if job.started_at is not None else job.created_at
    return events.JobEnded(job.kind, job.state, max(0.0, (job.finished_at or began) - began))


def _dropped(job: Job) -> None:
    log.warning("a job was lost to another owner: what was done for it is dropped", job=job.id, fence=job.fence)


def _known(raised: BaseException) -> BaseException:
    """What of it says how the attempt ended: a nursery around the work makes a group even of a single error."""
    every = list(_each(raised))
    for kind in (Lost, JobFailed, Snooze):
        for error in every:
            if isinstance(error, kind):
                return error
    return raised


def _each(error: BaseException) -> Iterator[BaseException]:
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _each(inner)
    else:
        yield error
