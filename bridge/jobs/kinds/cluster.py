"""Pictures on many machines at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bridge.jobs.attempt import JobFailed
from bridge.jobs.engines import slurm
from bridge.jobs.work import Assignment, Cluster, Work

from .frames import Pictures, Timeline, timeline


def examine_run_on(params: Mapping[str, Any]) -> None:
    """It can be rendered there. Raises Refused."""
    if params.get("run_on") == "slurm":
        slurm.require()


async def render_still_there(
    work: Work,
    file: Path,
    pictures: Pictures,
    frame: int | None,
    timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
) -> Mapping[str, Any]:
    """Have one picture among the outputs, and return what Blender told of it. Raises Snooze while it is rendered."""

    async def assign() -> Assignment:  # noqa: ASYNC124  # the animation's asks a Blender
        return _assignment(work, file, pictures, {f"still.{pictures.format}": frame}, {})

    return (await _cluster(work).render(work, assign, timeout)).told


async def render_there(
    work: Work,
    file: Path,
    pictures: Pictures,
    *,
    start: int | None,
    end: int | None,
    step: int | None,
    timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
) -> tuple[Timeline, Mapping[str, Any]]:
    """As `render_here`. Raises Snooze while frames are rendered."""

    async def assign() -> Assignment:
        # What the scene says, only a Blender knows: one is started here, for as long as it takes to ask.
        async with work.blender(file, work.outputs.log) as blender:
            await blender.start()
            time = await timeline(blender, start, end, step)
        facts = {"first": time.frames.start, "end": time.frames.stop, "step": time.frames.step, "fps": time.fps}
        return _assignment(work, file, pictures, {pictures.name(frame): frame for frame in time.frames}, facts)

    facts, told = await _cluster(work).render(work, assign, timeout)
    return Timeline(range(facts["first"], facts["end"], facts["step"]), facts["fps"]), told


def _assignment(
    work: Work, file: Path, pictures: Pictures, frames: dict[str, int | None], facts: dict[str, Any]
) -> Assignment:
    copied = file == work.outputs.scene
    return Assignment(file, copied, frames, pictures.settings, pictures.threads, facts)


def _cluster(work: Work) -> Cluster:
    if work.cluster is None:
        raise JobFailed("no_cluster", "this bridge has no cluster to render on", final=True)
    return work.cluster
