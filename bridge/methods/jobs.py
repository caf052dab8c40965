"""jobs.*: durable work, submitted, looked at, cancelled, waited for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypedDict, TypeVar

from blender_addon.constraints import Range, Size
from bridge.errors import (
    InternalError,
    KeyConflict,
    Refused,
    RequestError,
    ShuttingDown,
    StoreUnavailable,
    Unstorable,
)

from .catalogue import CATALOGUE, Context

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bridge.jobs.model import Job, NewJob
    from bridge.jobs.queue import Queue
    from bridge.jobs.store import Store

Value = TypeVar("Value")

Id = Annotated[str, "the job's id, as jobs.submit answered it", Size(1, 64)]
State = Literal["pending", "processing", "completed", "failed", "cancelled"]

# What it says at the end of a wait must come before the request's own time-out.
_MARGIN = 0.25
_LOOK = 0.5


class JobInShort(TypedDict):
    """One job. Times are Unix seconds. `phase`: snapshot, waiting_for_worker, rendering, encoding, exporting, running,
    collecting. `errors`, `snoozes` and `rescues` count failed attempts, looks at a cluster, and bridges that died over
    it. `progress`: done, total, message, rate (per second), left (seconds); `error`: code, message, data.
    """

    id: str
    kind: str
    key: str | None
    state: State
    phase: str | None
    phase_started_at: float | None
    phase_timeout: float | None
    priority: int
    run_at: float
    created_at: float
    started_at: float | None
    finished_at: float | None
    fence: int
    errors: int
    snoozes: int
    rescues: int
    cancel_requested: bool
    progress: dict[str, Any] | None
    error: dict[str, Any] | None
    external_ref: str | None


class WholeJob(JobInShort):
    """`result` is null until it has completed; then it has `directory`, the first 100 `files` with their sizes and
    SHA-256, `manifest`, which lists them all, and what the kind tells. `log` is the file with what its Blenders
    printed. `retention`: so many seconds after its end it is forgotten, and its files with it.
    """

    params: dict[str, Any]
    result: dict[str, Any] | None
    max_errors: int
    max_rescues: int
    retention: float
    log: str


class Submitted(JobInShort):
    """`created` is false where its key had been submitted before: this is that job."""

    created: bool


class JobPage(TypedDict):
    """`next_before`: ask with it as `before` for the next page; null where this is the last."""

    jobs: list[JobInShort]
    next_before: str | None


class JobKind(TypedDict):
    """`params` is the JSON Schema of the parameters."""

    name: str
    doc: str
    params: dict[str, Any]


class JobStats(TypedDict):
    """`jobs` in each state; `running_here`: how many this bridge works on."""

    jobs: dict[str, int]
    paused: bool
    running_here: int


@CATALOGUE.command("jobs.submit")
async def submit(
    context: Context,
    *,
    kind: Annotated[str, "what kind of work: render.still, render.animation, export or code; see jobs.kinds"],
    params: Annotated[dict[str, Any] | None, "the kind's parameters, see jobs.kinds"] = None,
    key: Annotated[str | None, "an idempotency key: submitted again, it is the same job", Size(1, 200)] = None,
    priority: Annotated[int, "lower is earlier", Range(-1000, 1000)] = 0,
    delay: Annotated[float, "not before so many seconds from now", Range(0, 31_536_000)] = 0.0,
    max_errors: Annotated[int, "it has failed after so many errors", Range(1, 100)] = 3,
    retention: Annotated[
        float | None, "seconds after its end at which it and its files are removed", Range(0, 3_153_600_000)
    ] = None,
) -> Submitted:
    """Submit work that takes long: it is kept until it is done, whatever ends meanwhile. Returns at once, with its id.

    It runs in a Blender of its own, on a .blend file or on a copy of the scene that is open now; the artist's Blender
    is free. Then ask jobs.get now and again, or jobs.wait. jobs.kinds has the kinds with their parameters: for example
    kind render.animation, params {"start": 1, "end": 24, "width": 640, "engine": "workbench"}.
    """
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    from bridge.jobs import kinds  # noqa: PLC0415
    from bridge.jobs.model import NewJob, new_id  # noqa: PLC0415

    arguments = kinds.check(kind, params or {})
    queue = _queue(context)
    if kinds.find(kind).code and not queue.code:
        message = f"jobs of the kind {kind} are switched off by this bridge's setting safety.code"
        raise Refused(message, code="forbidden")
    await trio.to_thread.run_sync(kinds.examine, kind, arguments)
    new = NewJob(kind, params or {}, key, priority, delay, max_errors, id=new_id())
    if retention is not None:
        new = new._replace(retention=retention)
    if not kinds.takes_scene(kind, arguments):
        job, created = await _submitted(queue, new)
    else:
        async with _scene(context, queue.directory / new.id) as keep:
            job, created = await _submitted(queue, new)
            keep(created)
    return {**_in_short(job), "created": created}


async def _submitted(queue: Queue, new: NewJob) -> tuple[Job, bool]:
    try:
        return await queue.submit(new)
    except KeyConflict as error:
        raise Refused(str(error), code="key_conflict") from error
    except Unstorable as error:
        raise Refused(str(error)) from error
    except StoreUnavailable as error:
        raise _unavailable(error) from error


@asynccontextmanager
async def _scene(context: Context, directory: Path) -> AsyncIterator[Callable[[bool], None]]:
    """Have a copy of the open scene in a job's directory, which is removed again unless it is kept."""
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    from bridge.jobs import outputs  # noqa: PLC0415

    kept: list[bool] = []
    try:
        await trio.to_thread.run_sync(_make, directory)
        await _save_copy(context, directory / outputs.SCENE)
        yield kept.append
    except InternalError:
        # The store may have taken the job before it went away.
        kept.append(True)
        raise
    finally:
        if kept != [True]:
            with trio.CancelScope(shield=True):
                await trio.to_thread.run_sync(outputs.remove, directory)


def _make(directory: Path) -> None:
    try:
        directory.mkdir(mode=0o700, parents=True)
    except OSError as error:
        message = f"the job's directory {directory} cannot be made: {error.strerror}; see the setting jobs.directory"
        raise Refused(message, code="forbidden") from error


async def _save_copy(context: Context, scene: Path) -> None:
    assert context.perform is not None
    instead = "or save the scene yourself and name the file as the parameter blend"
    try:
        await context.perform("file.save", {"path": str(scene), "copy": True})
    except RequestError as error:
        if error.code != "forbidden":
            raise
        message = (
            f"{error.message}. A job needs a copy of the scene: add {scene.parent.parent} to the folders that this "
            f"Blender may write to, {instead}"
        )
        raise Refused(message, code="forbidden", data=error.data) from error
    if not scene.is_file():
        message = f"Blender saved {scene} on another machine than the bridge's: share the jobs' directory, {instead}"
        raise Refused(message, code="forbidden")


@CATALOGUE.command("jobs.kinds", read_only=True)
def kinds(context: Context) -> list[JobKind]:  # noqa: ARG001  # it is the same for everybody
    """List the kinds of job with their documentation and the schemas of their parameters."""
    from bridge.jobs import kinds as known  # noqa: PLC0415  # the command line reads this catalogue without trio

    return [{"name": entry["name"], "doc": entry["doc"], "params": entry["params"]} for entry in known.describe()]


@CATALOGUE.command("jobs.get", read_only=True)
async def get(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Tell all about one job: its state, phase, progress, result with its files, error, counters."""
    return _told(context, _found(id, await _asked(context, lambda store: store.get(id))))


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
    jobs = await _asked(context, lambda store: store.find(state=state, kind=kind, limit=limit, before=before))
    return {"jobs": [_in_short(job) for job in jobs], "next_before": jobs[-1].id if len(jobs) == limit else None}


@CATALOGUE.command("jobs.cancel", destructive=True, idempotent=True)
async def cancel(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Cancel a job: at once where it waits, soon where it runs (its Blender is ended). One that has ended stays so."""
    async with _reached():
        return _told(context, _found(id, await _queue(context).cancel(id)))


@CATALOGUE.command("jobs.retry", idempotent=True)
async def retry(context: Context, *, id: Id) -> WholeJob:  # noqa: A002  # the name is the public parameter
    """Begin a failed or cancelled job anew, its counters at zero. An animation's finished frames are kept.

    One that waits, runs or has completed stays as it is.
    """
    async with _reached():
        return _told(context, _found(id, await _queue(context).retry(id)))


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
    queue, told = _queue(context), None
    while True:
        changed = queue.changed
        job = _found(id, await _asked(context, lambda store: store.get(id)))
        if job.ended or trio.current_time() >= until:
            return _told(context, job)
        if context.status.draining:
            raise ShuttingDown(f"the bridge ends; the job {id} does not: ask the next bridge")
        if job.progress is not None and job.progress != told and context.on_event is not None:
            told = job.progress
            context.on_event("progress", _progress(job.progress))
        with trio.move_on_at(min(until, trio.current_time() + _LOOK)):
            await changed.wait()


@CATALOGUE.command("jobs.stats", read_only=True)
async def stats(context: Context) -> JobStats:
    """Count the jobs in each state, and tell whether the queue is paused."""
    counts, paused = await _asked(context, lambda store: (store.stats(), store.paused()))
    return {"jobs": counts, "paused": paused, "running_here": _queue(context).running}


@CATALOGUE.command("jobs.pause", idempotent=True)
async def pause(context: Context) -> JobStats:
    """Begin no more jobs until jobs.resume; what runs goes on."""
    async with _reached():
        await _queue(context).pause(paused=True)
    return await stats(context)


@CATALOGUE.command("jobs.resume", idempotent=True)
async def resume(context: Context) -> JobStats:
    """Begin jobs again after jobs.pause."""
    async with _reached():
        await _queue(context).pause(paused=False)
    return await stats(context)


def _queue(context: Context) -> Queue:
    if context.queue is None:
        raise Refused("this bridge keeps no jobs: its setting jobs.url is off", code="forbidden")
    return context.queue


async def _asked(context: Context, ask: Callable[[Store], Value]) -> Value:
    queue = _queue(context)
    async with _reached(reading=True):
        return await queue.access.call(ask, queue.store)


@asynccontextmanager
async def _reached(*, reading: bool = False) -> AsyncIterator[None]:
    try:
        yield
    except StoreUnavailable as error:
        raise _unavailable(error, reading=reading) from error


def _unavailable(error: StoreUnavailable, *, reading: bool = False) -> InternalError:
    return InternalError(f"{error}: try again later", outcome="not_executed" if reading else "unknown")


def _found(job_id: str, job: Job | None) -> Job:
    if job is None:
        raise Refused(f"there is no job {job_id!r:.80}, or it was forgotten: see jobs.list")
    return job


def _in_short(job: Job) -> JobInShort:
    whole = job._asdict()
    return {name: whole[name] for name in JobInShort.__annotations__}  # type: ignore[return-value]  # its very names


def _told(context: Context, job: Job) -> WholeJob:
    return {
        **_in_short(job),
        "params": job.params,
        "result": job.result,
        "max_errors": job.max_errors,
        "max_rescues": job.max_rescues,
        "retention": job.retention,
        "log": str(_queue(context).directory / job.id / "output.log"),
    }


def _progress(told: dict[str, Any]) -> bytes:
    import orjson  # noqa: PLC0415  # the command line reads this catalogue without it

    done, total = told.get("done", 0), told.get("total", 1)
    return orjson.dumps({"progress": done, "total": total, "message": told.get("message", "")})
