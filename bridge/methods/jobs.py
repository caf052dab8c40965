"""jobs.*: durable work, submitted, looked at, cancelled, waited for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from blender_addon.constraints import Range, Size
from bridge.errors import InternalError, KeyConflict, Refused, ShuttingDown, StoreUnavailable

from .catalogue import CATALOGUE, Context

if TYPE_CHECKING:
    from bridge.jobs.model import Job
    from bridge.jobs.queue import Queue

Id = Annotated[str, "the job's id, as jobs.submit answered it", Size(1, 64)]


_MARGIN = 0.25
_LOOK = 0.5


@CATALOGUE.command("jobs.submit")
async def submit(
    context: Context,
    *,
    kind: Annotated[str, "what kind of work: render.still, render.animation, export or code; see jobs.kinds"],
    params: Annotated[dict[str, Any], "the kind's parameters, see jobs.kinds"],
    key: Annotated[str | None, "an idempotency key: submitted again, it is the same job", Size(1, 200)] = None,
    priority: Annotated[int, "lower is earlier", Range(-1000, 1000)] = 0,
    delay: Annotated[float, "not before so many seconds from now", Range(0, 31_536_000)] = 0.0,
    max_errors: Annotated[int, "it has failed after so many errors", Range(1, 100)] = 3,
    retention: Annotated[
        float | None, "seconds after its end at which it is forgotten", Range(0, 3_153_600_000)
    ] = None,
) -> dict[str, Any]:
    """Submit work that takes long: it is kept until it is done, whatever ends meanwhile. Poll jobs.get, or jobs.wait.

    It runs in a Blender of its own, on a file or on a copy of the scene that is open now; the artist's Blender is free.
    """
    from bridge.jobs import kinds  # noqa: PLC0415  # the command line reads this catalogue without trio
    from bridge.jobs.model import NewJob, new_id  # noqa: PLC0415

    kinds.check(kind, params)
    queue = _queue(context)
    new = NewJob(kind, params, key, priority, delay, max_errors, id=new_id())
    if retention is not None:
        new = new._replace(retention=retention)
    if kinds.takes_scene(kind, params):
        scene = queue.directory / new.id / kinds.SCENE
        scene.parent.mkdir(parents=True)
        assert context.perform is not None
        await context.perform("file.save", {"path": str(scene), "copy": True})
    try:
        job, created = await queue.submit(new)
    except KeyConflict as error:
        raise Refused(str(error), code="key_conflict") from error
    except StoreUnavailable as error:
        raise _unavailable(error) from error
    return {**_told(job), "created": created}


@CATALOGUE.command("jobs.kinds", read_only=True)
def kinds(context: Context) -> list[dict[str, Any]]:  # noqa: ARG001  # it is the same for everybody
    """List the kinds of job with their documentation and the schemas of their parameters."""
    from bridge.jobs import kinds as known  # noqa: PLC0415

    return known.describe()


@CATALOGUE.command("jobs.get", read_only=True)
async def get(context: Context, *, id: Id) -> dict[str, Any]:  # noqa: A002  # the name is the public parameter
    """Tell all about one job: its state, phase, progress, result with its files, error, counters."""
    return _told(_found(id, await _ask(context, "get", id)))


@CATALOGUE.command("jobs.list", read_only=True)
async def listed(
    context: Context,
    *,
    state: Annotated[
        Literal["pending", "processing", "completed", "failed", "cancelled"] | None, "only those in this state"
    ] = None,
    kind: Annotated[str | None, "only those of this kind"] = None,
    limit: Annotated[int, "how many at most", Range(1, 500)] = 50,
    before: Annotated[str, "only those older than this id: the last of the page before"] = "",
) -> dict[str, Any]:
    """List jobs, newest first, without their parameters and results."""
    jobs = await _asked(context, lambda store: store.find(state=state, kind=kind, limit=limit, before=before))
    return {"jobs": [_in_short(job) for job in jobs], "next_before": jobs[-1].id if len(jobs) == limit else None}


@CATALOGUE.command("jobs.cancel", destructive=True, idempotent=True)
async def cancel(context: Context, *, id: Id) -> dict[str, Any]:  # noqa: A002  # the name is the public parameter
    """Cancel a job: at once where it waits, soon where it runs (its Blender is ended). One that has ended stays so."""
    try:
        return _told(_found(id, await _queue(context).cancel(id)))
    except StoreUnavailable as error:
        raise _unavailable(error) from error


@CATALOGUE.command("jobs.retry", idempotent=True)
async def retry(context: Context, *, id: Id) -> dict[str, Any]:  # noqa: A002  # the name is the public parameter
    """Begin a failed or cancelled job anew, its counters at zero; what it has finished is kept."""
    try:
        return _told(_found(id, await _queue(context).retry(id)))
    except StoreUnavailable as error:
        raise _unavailable(error) from error


@CATALOGUE.command("jobs.wait", read_only=True)
async def wait(
    context: Context,
    *,
    id: Id,  # noqa: A002  # the name is the public parameter
    timeout: Annotated[float | None, "seconds; default: until the request's deadline", Range(0, 86_400)] = None,
) -> dict[str, Any]:
    """Wait until a job has ended, with progress events, and tell all about it; or as it is when the time is over."""
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    until = context.deadline - _MARGIN
    if timeout is not None:
        until = min(until, trio.current_time() + timeout)
    queue, told = _queue(context), None
    while True:
        changed = queue.changed
        job = _found(id, await _ask(context, "get", id))
        if job.ended or trio.current_time() >= until:
            return _told(job)
        if context.status.draining:
            raise ShuttingDown(f"the bridge ends; the job {id} does not: ask the next bridge")
        if job.progress is not None and job.progress != told and context.on_event is not None:
            told = job.progress
            context.on_event("progress", _progress(job))
        with trio.move_on_at(min(until, trio.current_time() + _LOOK)):
            await changed.wait()


@CATALOGUE.command("jobs.stats", read_only=True)
async def stats(context: Context) -> dict[str, Any]:
    """Count the jobs in each state, and tell whether the queue is paused."""
    counts, paused = await _asked(context, lambda store: (store.stats(), store.paused()))
    return {"jobs": counts, "paused": paused, "running_here": _queue(context).running}


@CATALOGUE.command("jobs.pause", idempotent=True)
async def pause(context: Context) -> dict[str, Any]:
    """Begin no more jobs until jobs.resume; what runs goes on."""
    await _paused(context, paused=True)
    return await stats(context)


@CATALOGUE.command("jobs.resume", idempotent=True)
async def resume(context: Context) -> dict[str, Any]:
    """Begin jobs again after jobs.pause."""
    await _paused(context, paused=False)
    return await stats(context)


def _queue(context: Context) -> Queue:
    if context.queue is None:
        raise Refused("this bridge keeps no jobs: its setting jobs.url is off", code="forbidden")
    return context.queue


async def _ask(context: Context, method: str, *arguments: Any) -> Any:
    return await _asked(context, lambda store: getattr(store, method)(*arguments))


async def _asked(context: Context, ask: Any) -> Any:
    queue = _queue(context)
    try:
        return await queue.access.call(ask, queue.store)
    except StoreUnavailable as error:
        raise _unavailable(error, reading=True) from error


async def _paused(context: Context, *, paused: bool) -> None:
    try:
        await _queue(context).pause(paused=paused)
    except StoreUnavailable as error:
        raise _unavailable(error) from error


def _unavailable(error: StoreUnavailable, *, reading: bool = False) -> InternalError:
    return InternalError(f"{error}: try again later", outcome="not_executed" if reading else "unknown")


def _found(job_id: str, job: Job | None) -> Job:
    if job is None:
        raise Refused(f"there is no job {job_id!r:.80}, or it was forgotten: see jobs.list")
    return job


def _told(job: Job) -> dict[str, Any]:
    return {name: value for name, value in job._asdict().items() if name not in ("owner", "lease_until")}


def _in_short(job: Job) -> dict[str, Any]:
    whole = _told(job)
    for name in ("params", "result", "retention", "max_errors", "max_rescues"):
        del whole[name]
    return whole


def _progress(job: Job) -> bytes:
    import orjson  # noqa: PLC0415  # the command line reads this catalogue without it

    told = job.progress or {}
    done, total = told.get("done", 0), told.get("total", 1)
    return orjson.dumps({"progress": done, "total": total, "message": told.get("message", "")})
