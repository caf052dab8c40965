"""What is answered of jobs, and how the store is asked for it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Literal, TypedDict, TypeVar

from bridge.errors import InternalError, Refused, StoreUnavailable

from .catalogue import Context

if TYPE_CHECKING:
    from bridge.jobs.model import Job
    from bridge.jobs.queue import Queue
    from bridge.jobs.store import Store

Value = TypeVar("Value")
State = Literal["pending", "processing", "completed", "failed", "cancelled"]


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


def queue_of(context: Context) -> Queue:
    """Raises Refused where this bridge keeps no jobs."""
    if context.queue is None:
        raise Refused("this bridge keeps no jobs: its setting jobs.url is off", code="forbidden")
    return context.queue


async def asked(context: Context, ask: Callable[[Store], Value]) -> Value:
    """What the store answers. Raises Refused, InternalError."""
    queue = queue_of(context)
    async with reached(reading=True):
        return await queue.access.call(ask, queue.store)


@asynccontextmanager
async def reached(*, reading: bool = False) -> AsyncIterator[None]:
    """Make a store that is away an error of the request."""
    try:
        yield
    except StoreUnavailable as error:
        raise unavailable(error, reading=reading) from error


def unavailable(error: StoreUnavailable, *, reading: bool = False) -> InternalError:
    """That error; where something was to be written, what became of it is not known."""
    return InternalError(f"{error}: try again later", outcome="not_executed" if reading else "unknown")


def found(job_id: str, job: Job | None) -> Job:
    """Raises Refused where there is none."""
    if job is None:
        raise Refused(f"there is no job {job_id!r:.80}, or it was forgotten: see jobs.list")
    return job


def in_short(job: Job) -> JobInShort:
    """Without what may be large."""
    whole = job._asdict()
    return {name: whole[name] for name in JobInShort.__annotations__}  # type: ignore[return-value]  # its very names


def told(context: Context, job: Job) -> WholeJob:
    """All that others may know of it."""
    return {
        **in_short(job),
        "params": job.params,
        "result": job.result,
        "max_errors": job.max_errors,
        "max_rescues": job.max_rescues,
        "retention": job.retention,
        "log": str(queue_of(context).directory / job.id / "output.log"),
    }
