"""render.still and render.animation: pictures, in a Blender of the job's own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from blender_addon.commands.lookup import refuse
from blender_addon.constraints import Range
from bridge.jobs.work import Work

from .catalogue import kind
from .cluster import examine_run_on, render_still_there, render_there
from .frames import Pictures, render_here
from .parameters import (
    Blend,
    Camera,
    Engine,
    Format,
    Frame,
    Pixels,
    RunOn,
    Samples,
    Seconds,
    Threads,
    Transparent,
    examine_blend,
)
from .stages import in_blender, scene_of
from .video import encoded, examine_video

_MOST_FRAMES = 100_000


def _examine_still(params: Mapping[str, Any]) -> None:
    examine_run_on(params)
    examine_blend(params)


@kind("render.still", scene=True, examine=_examine_still)
async def still(
    work: Work,
    *,
    blend: Blend = None,
    frame: Annotated[Frame | None, "default: the one that is current in the file"] = None,
    format: Format = "png",  # noqa: A002  # the name is the public parameter
    width: Pixels = None,
    height: Pixels = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: Camera = None,
    transparent: Transparent = None,
    threads: Threads = None,
    run_on: RunOn = "local",
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Render one picture of a file, or of the scene that is open now."""
    file = await scene_of(work, blend, anew=run_on == "local")
    settings = _given(
        width=width, height=height, engine=engine, samples=samples, camera=camera, transparent=transparent
    )
    if run_on == "slurm":
        return _how(await render_still_there(work, file, Pictures(format, settings, threads), frame, timeout))
    made = work.outputs.unfinished / f"still.{format}"
    async with in_blender(work, file, "rendering", timeout) as blender:
        await Pictures(format, settings, threads).set_up(blender)
        if frame is not None:
            await blender.call("animation.set", {"frame": frame})
        told = await blender.call("render.save", {**settings, "path": str(made)}, work.attempt.progress)
    return _how(told)


def _examine_animation(params: Mapping[str, Any]) -> None:
    start, end, step = params.get("start"), params.get("end"), params.get("step")
    if start is not None and end is not None:
        frames = len(range(start, end + 1, step or 1))
        if not frames:
            raise refuse("end", f"the last frame, {end}, is before the first, {start}")
        if frames > _MOST_FRAMES:
            raise refuse("end", f"{frames} frames are too many for one job: at most {_MOST_FRAMES}")
    examine_video(params)
    examine_run_on(params)
    examine_blend(params)


@kind("render.animation", scene=True, examine=_examine_animation)
async def animation(
    work: Work,
    *,
    blend: Blend = None,
    start: Annotated[Frame | None, "the first frame; default: the scene's"] = None,
    end: Annotated[Frame | None, "the last frame; default: the scene's"] = None,
    step: Annotated[int | None, "every how many frames; default: the scene's", Range(1, 10_000)] = None,
    format: Format = "png",  # noqa: A002  # the name is the public parameter
    video: Annotated[
        Literal["mp4", "mkv", "webm"] | None, "make a video of the frames, too: needs ffmpeg, and png or jpg"
    ] = None,
    width: Pixels = None,
    height: Pixels = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: Camera = None,
    transparent: Transparent = None,
    threads: Threads = None,
    run_on: RunOn = "local",
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Render an animation frame by frame. After an error or a crash it goes on behind the last finished frame.

    What is simulated should be baked: where it goes on, Blender has not seen the frames before.
    """
    file = await scene_of(work, blend)
    settings = _given(
        width=width, height=height, engine=engine, samples=samples, camera=camera, transparent=transparent
    )
    pictures = Pictures(format, settings, threads)
    render = render_here if run_on == "local" else render_there
    time, told = await render(work, file, pictures, start=start, end=end, step=step, timeout=timeout)
    if video is not None:
        await encoded(work, _files(work, pictures, time.frames), time.fps, video)
    return {"frames": len(time.frames), "first": time.frames[0], "last": time.frames[-1], **_how(told)}


def _files(work: Work, pictures: Pictures, frames: range) -> list[Path]:
    return [work.outputs.kept / pictures.name(frame) for frame in frames]


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _how(told: Mapping[str, Any]) -> dict[str, Any]:
    """How the last picture was rendered; nothing where an earlier attempt had rendered them all."""
    return {name: told[name] for name in ("width", "height", "engine", "samples", "camera") if name in told}
