"""jobs.submit: work that takes long is checked, its scene copied, and kept."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

from blender_addon.constraints import Range, Size
from bridge.errors import InternalError, KeyConflict, Refused, RequestError, StoreUnavailable, Unstorable

from .catalogue import CATALOGUE, Context
from .job_state import Submitted, in_short, queue_of, unavailable

if TYPE_CHECKING:
    from pathlib import Path

    from bridge.jobs.model import Job, NewJob
    from bridge.jobs.queue import Queue


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

    from bridge.jobs import kinds  # noqa: PLC0415  # it brings trio
    from bridge.jobs.model import NewJob, new_id  # noqa: PLC0415  # as above

    arguments = kinds.check(kind, params or {})
    queue = queue_of(context)
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
    return {**in_short(job), "created": created}


async def _submitted(queue: Queue, new: NewJob) -> tuple[Job, bool]:
    try:
        return await queue.submit(new)
    except KeyConflict as error:
        raise Refused(str(error), code="key_conflict") from error
    except Unstorable as error:
        raise Refused(str(error)) from error
    except StoreUnavailable as error:
        raise unavailable(error) from error


@asynccontextmanager
async def _scene(context: Context, directory: Path) -> AsyncIterator[Callable[[bool], None]]:
    """Have a copy of the open scene in a job's directory, which is removed again unless it is kept."""
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    from bridge.jobs import outputs  # noqa: PLC0415  # it brings trio

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
