"""jobs.*: durable work, looked at, cancelled, waited for."""

from __future__ import annotations

from typing import Annotated, Any

from blender_addon.constraints import Range, Size
from bridge.errors import ShuttingDown

from .catalogue import CATALOGUE, Context
from .job_state import JobKind, JobPage, JobStats, State, WholeJob, asked, found, in_short, queue_of, reached, told

Id = Annotated[str, "the job's id, as jobs.submit answered it", Size(1, 64)]

# What it says at the end of a wait must come before the request's own time-out.
_MARGIN = 0.25
_LOOK = 0.5


@CATALOGUE.command("jobs.kinds", read_only=True)
def kinds(context: Context) -> list[JobKind]:  # noqa: ARG001  # it is the same for everybody
    """List the kinds of job with their documentation and the schemas of their parameters."""
    from bridge.jobs import kinds as known  # noqa: PLC0415  # the command line reads this catalogue without trio

    return [{"name": entry["name"], "doc": entry["doc"], "params": entry["params"]} for entry in known.describe()]


@CATALOGUE.command("jobs.get", read_only=True)
async def get(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Tell all about one job: its state, phase, progress, result with its files, error, counters."""
    return told(context, found(id, await asked(context, lambda store: store.get(id))))


@CATALOGUE.command("jobs.list", read_only=True)
async def listed(
    context: Context,
    *,
    state: Annotated[State | None, "only those in this state"] = None,
    kind: Annotated[str | None, "only those of this kind"] = None,
    limit: Annotated[int, "how many at most", Range(1, 500)] = 50,
    before: Annotated[str, "only those older than this id: the last of the page before"] = "",
) -> JobPage:
    """List jobs, newest first, without their parameters and results."""
    jobs = await asked(context, lambda store: store.find(state=state, kind=kind, limit=limit, before=before))
    return {"jobs": [in_short(job) for job in jobs], "next_before": jobs[-1].id if len(jobs) == limit else None}


@CATALOGUE.command("jobs.cancel", destructive=True, idempotent=True)
async def cancel(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Cancel a job: at once where it waits, soon where it runs (its Blender is ended). One that has ended stays so."""
    async with reached():
        return told(context, found(id, await queue_of(context).cancel(id)))


@CATALOGUE.command("jobs.retry", idempotent=True)
async def retry(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Begin a failed or cancelled job anew, its counters at zero. An animation's finished frames are kept.

    One that waits, runs or has completed stays as it is.
    """
    async with reached():
        return told(context, found(id, await queue_of(context).retry(id)))


@CATALOGUE.command("jobs.wait", read_only=True)
async def wait(
    context: Context,
    *,
    id: Id,  # noqa: A002  # the name is the public parameter
    timeout: Annotated[float | None, "seconds; default: until the request's deadline", Range(0, 86_400)] = None,
) -> WholeJob:
    """Wait until a job has ended, with progress events, and tell all about it; or as it is when the time is over."""
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    until = context.deadline - _MARGIN
    if timeout is not None:
        until = min(until, trio.current_time() + timeout)
    queue, heard = queue_of(context), None
    while True:
        changed = queue.changed
        job = found(id, await asked(context, lambda store: store.get(id)))
        if job.ended or trio.current_time() >= until:
            return told(context, job)
        if context.status.draining:
            raise ShuttingDown(f"the bridge ends; the job {id} does not: ask the next bridge")
        if job.progress is not None and job.progress != heard and context.on_event is not None:
            heard = job.progress
            context.on_event("progress", _progress(job.progress))
        with trio.move_on_at(min(until, trio.current_time() + _LOOK)):
            await changed.wait()


@CATALOGUE.command("jobs.stats", read_only=True)
async def stats(context: Context) -> JobStats:
    """Count the jobs in each state, and tell whether the queue is paused."""
    counts, paused = await asked(context, lambda store: (store.stats(), store.paused()))
    return {"jobs": counts, "paused": paused, "running_here": queue_of(context).running}


@CATALOGUE.command("jobs.pause", idempotent=True)
async def pause(context: Context) -> JobStats:
    """Begin no more jobs until jobs.resume; what runs goes on."""
    async with reached():
        await queue_of(context).pause(paused=True)
    return await stats(context)


@CATALOGUE.command("jobs.resume", idempotent=True)
async def resume(context: Context) -> JobStats:
    """Begin jobs again after jobs.pause."""
    async with reached():
        await queue_of(context).pause(paused=False)
    return await stats(context)


def _progress(told: dict[str, Any]) -> bytes:
    import orjson  # noqa: PLC0415  # the command line reads this catalogue without it

    done, total = told.get("done", 0), told.get("total", 1)
    return orjson.dumps({"progress": done, "total": total, "message": told.get("message", "")})
