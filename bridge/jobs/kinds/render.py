"""render.still and render.animation: pictures, in a Blender of the job's own."""

from __future__ import annotations

from typing import Annotated, Any

from blender_addon.constraints import Range
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Blender, Work

from .catalogue import kind
from .parameters import Blend, Camera, Engine, Format, Frame, Pixels, Samples, Seconds
from .scene import scene_of


@kind("render.still")
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
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Render one picture of a file, or of the scene that is open now."""
    settings = _given(width=width, height=height, engine=engine, samples=samples, camera=camera)
    async with work.attempt.phase("snapshot"):
        file = scene_of(work, blend)
        await work.outputs.begin()
    async with work.attempt.phase("waiting_for_worker"), work.blender(file) as blender:
        async with work.attempt.phase("rendering", timeout):
            made = work.outputs.unfinished / f"still.{format}"
            if frame is not None:
                await blender.call("animation.set", {"frame": frame})
            told = await blender.call("render.save", {**settings, "path": str(made)}, work.attempt.progress)
    async with work.attempt.phase("collecting"):
        await work.attempt.confirm()
        await work.outputs.keep(made)
        return {**await work.outputs.close(), **_how(told)}


@kind("render.animation")
async def animation(
    work: Work,
    *,
    blend: Blend = None,
    start: Annotated[Frame | None, "the first frame; default: the scene's"] = None,
    end: Annotated[Frame | None, "the last frame; default: the scene's"] = None,
    step: Annotated[int | None, "every how many frames; default: the scene's", Range(1, 10_000)] = None,
    format: Format = "png",  # noqa: A002  # the name is the public parameter
    width: Pixels = None,
    height: Pixels = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: Camera = None,
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Render an animation frame by frame. After an error or a crash it goes on behind the last finished frame."""
    settings = _given(width=width, height=height, engine=engine, samples=samples, camera=camera)
    async with work.attempt.phase("snapshot"):
        file = scene_of(work, blend)
        await work.outputs.begin()
    told: dict[str, Any] = {}
    async with work.attempt.phase("waiting_for_worker"), work.blender(file) as blender:
        async with work.attempt.phase("rendering", timeout):
            frames = await _frames(blender, start, end, step)
            done = {path.name for path in work.outputs.finished()}
            for number, frame in enumerate(frames):
                name = f"frame_{frame:05d}.{format}"
                if name in done:
                    continue
                made = work.outputs.unfinished / name
                await blender.call("animation.set", {"frame": frame})
                following = _Following(work, number, len(frames), frame)
                told = await blender.call("render.save", {**settings, "path": str(made)}, following)
                await work.attempt.confirm()
                await work.outputs.keep(made)
                work.attempt.progress(number + 1, len(frames), f"frame {frame}")
    async with work.attempt.phase("collecting"):
        await work.attempt.confirm()
        return {**await work.outputs.close(), "frames": len(frames), **_how(told)}


class _Following:
    """A frame's own progress as a part of the whole."""

    def __init__(self, work: Work, number: int, total: int, frame: int) -> None:
        self._work, self._number, self._total, self._frame = work, number, total, frame

    def __call__(self, done: float, total: float, message: str) -> None:
        share = done / total if total > 0 else 0.0
        told = f"frame {self._frame}{': ' + message if message else ''}"
        self._work.attempt.progress(self._number + share, self._total, told)


async def _frames(blender: Blender, start: int | None, end: int | None, step: int | None) -> list[int]:
    own = await blender.call("animation.get", {})
    first = start if start is not None else own["frame_start"]
    last = end if end is not None else own["frame_end"]
    if last < first:
        raise JobFailed("invalid_params", f"the last frame, {last}, is before the first, {first}", final=True)
    return list(range(first, last + 1, step or own.get("frame_step") or 1))


def _given(**settings: Any) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _how(told: dict[str, Any]) -> dict[str, Any]:
    return {name: told[name] for name in ("width", "height", "engine", "samples", "camera") if name in told}
