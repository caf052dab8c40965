"""Pictures frame by frame, in a Blender of the job's own: what is finished is kept at once, and not rendered again."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import trio

from bridge.errors import Lost
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Blender, Work

from .stages import in_blender

_DIGITS = "#####"
# Of a fast renderer's progress not every event comes.
_LOOK = 0.1


class Timeline(NamedTuple):
    """The frames of an animation, in their order, and how many of them are a second."""

    frames: range
    fps: float


class Pictures(NamedTuple):
    """What every picture of a job has in common: `settings` are render.save's, `threads` how many cores at most."""

    format: str
    settings: dict[str, Any]
    threads: int | None

    def name(self, frame: int) -> str:
        """The file of that frame: frame_00001.png, frame_-00001.png."""
        return f"frame_{'-' if frame < 0 else ''}{abs(frame):0{len(_DIGITS)}d}.{self.format}"

    def command(self, frames: range, directory: Path) -> tuple[str, dict[str, Any]]:
        """The method and parameters that have Blender render them into that directory, each under its `name`."""
        pattern = directory / f"frame_{_DIGITS}.{self.format}"
        span = {"start": frames[0], "end": frames[-1], "step": frames.step}
        return "render.animation", {**self.settings, **span, "path": str(pattern)}

    async def set_up(self, blender: Blender) -> None:
        """Tell it what the commands of pictures have no parameter for."""
        if self.threads is not None:
            properties = {"threads_mode": "FIXED", "threads": self.threads}
            await blender.call("render.set", {"properties": properties})


async def timeline(blender: Blender, start: int | None, end: int | None, step: int | None) -> Timeline:
    """What is asked for, and else the scene's. Raises JobFailed, for good, where that is no frame."""
    own = await blender.call("animation.get", {})
    first = own["start"] if start is None else start
    last = own["end"] if end is None else end
    stride = own["step"] if step is None else step
    if last < first:
        raise JobFailed("invalid_params", f"the last frame, {last}, is before the first, {first}", final=True)
    return Timeline(range(first, last + 1, stride), own["fps"] / stride)


async def render_here(
    work: Work,
    file: Path,
    pictures: Pictures,
    *,
    start: int | None,
    end: int | None,
    step: int | None,
    timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
) -> tuple[Timeline, dict[str, Any]]:
    """Have every frame among the outputs. Returns which those are, and what Blender told of the last one it rendered.

    Frames that are there already are left alone.
    """
    told: dict[str, Any] = {}
    async with in_blender(work, file, "rendering", timeout) as blender:
        await pictures.set_up(blender)
        time = await timeline(blender, start, end, step)
        done = await work.outputs.finished()
        runs = missing(time.frames, [pictures.name(frame) in done for frame in time.frames])
        following = _Following(work, len(time.frames), len(time.frames) - sum(map(len, runs)))
        for run in runs:
            told = await _rendered(work, blender, pictures, run, following)
            following.finished(run)
    return time, told


def missing(frames: range, done: Sequence[bool]) -> list[range]:
    """The frames that are not done, those that follow each other together."""
    runs: list[range] = []
    for frame, is_done in zip(frames, done, strict=True):
        if is_done:
            continue
        if runs and runs[-1][-1] + frames.step == frame:
            runs[-1] = range(runs[-1].start, frame + 1, frames.step)
        else:
            runs.append(range(frame, frame + 1, frames.step))
    return runs


async def _rendered(
    work: Work, blender: Blender, pictures: Pictures, run: range, following: _Following
) -> dict[str, Any]:
    """One command renders the run, so that what is simulated goes from frame to frame; each is kept as it comes."""
    method, params = pictures.command(run, work.outputs.unfinished)
    told: dict[str, Any] = {}
    failure: JobFailed | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_keep_on, work, following)
        try:
            told = await blender.call(method, params, following)
        except JobFailed as error:
            failure = error
        nursery.cancel_scope.cancel()
    # Also those that were whole when it failed.
    await _keep_whole(work)
    if failure is not None:
        raise failure
    return told


async def _keep_on(work: Work, following: _Following) -> None:
    try:
        while True:
            with trio.move_on_after(_LOOK):
                await following.told.wait()
            following.told = trio.Event()
            await _keep_whole(work)
    except Lost:
        work.attempt.stop("lost")


async def _keep_whole(work: Work) -> None:
    """Give the frames that are whole their places. Raises Lost where that is not this attempt's business any more."""
    whole = await work.outputs.whole()
    if whole:
        await work.attempt.confirm()
    for made in whole:
        await work.outputs.keep(made)


class _Following:
    """One command's progress as a part of the whole: so many frames of `total` were done before it."""

    def __init__(self, work: Work, total: int, before: int) -> None:
        self.told = trio.Event()
        self._work, self._total, self._before = work, total, before

    def finished(self, run: range) -> None:
        self._before += len(run)

    def __call__(self, done: float, _total: float, message: str) -> None:
        self.told.set()
        self._work.attempt.progress(self._before + done, self._total, message)
