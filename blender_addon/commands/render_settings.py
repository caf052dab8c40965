"""The scene's render settings: changed for one render, and put back."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Iterator, List, Optional, Tuple

from ..schema import did_you_mean, nearest
from .lookup import refuse

# In the order in which they are put back: a format decides which depths and modes there are.
_RENDER = (
    "engine",
    "filepath",
    "resolution_x",
    "resolution_y",
    "resolution_percentage",
    "use_border",
    "use_crop_to_border",
    "border_min_x",
    "border_max_x",
    "border_min_y",
    "border_max_y",
    "use_multiview",
    "use_overwrite",
    "use_placeholder",
    "use_file_extension",
    "film_transparent",
)
_IMAGE = ("media_type", "file_format", "color_mode", "color_depth", "compression", "quality", "exr_codec", "tiff_codec")
_WORKBENCH_SAMPLES = ((1, "OFF"), (5, "5"), (8, "8"), (11, "11"), (16, "16"), (32, "32"))
_NO_CHOICE = "no such choice"


@contextlib.contextmanager
def kept_settings(scene: Any) -> Iterator[None]:
    """Put back whatever a render changes, also when it fails."""
    kept = [(scene, "camera", scene.camera)]
    owners = [(scene.render, _RENDER), (scene.render.image_settings, _IMAGE), (scene.display, ("render_aa",))]
    owners.append((scene.eevee, ("taa_render_samples",)))
    if hasattr(scene, "cycles"):
        owners.append((scene.cycles, ("samples", "use_denoising")))
    for owner, names in owners:
        kept += [(owner, name, getattr(owner, name)) for name in names if hasattr(owner, name)]
    try:
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


@contextlib.contextmanager
def kept_frame(scene: Any) -> Iterator[None]:
    """Go back to the current frame afterwards."""
    frame, subframe = scene.frame_current, scene.frame_subframe
    try:
        yield
    finally:
        scene.frame_set(frame, subframe=subframe)


def choices(owner: Any, name: str) -> List[str]:
    """What an enum takes right now: what it knows depends on the add-ons, and only its refusal tells."""
    try:
        setattr(owner, name, _NO_CHOICE)
    except TypeError as error:
        return re.findall(r"'([^']*)'", str(error).rpartition("not found in")[2])
    return []


def choose(owner: Any, name: str, value: str, param: str) -> None:
    """Set an enum. Raises Fault `invalid_params` with what it takes."""
    try:
        setattr(owner, name, value)
    except TypeError:
        known = choices(owner, name)
        hint = did_you_mean(value, known) or f"; it is one of {', '.join(known)}"
        raise refuse(param, f"this Blender has no {value!r} here{hint}", nearest(value, known)) from None


def set_engine(scene: Any, engine: Optional[str]) -> None:
    """Set the engine by our name for it, as Blender's own differ between versions, or by Blender's."""
    if engine is None:
        return
    import bpy

    eevee = "BLENDER_EEVEE_NEXT" if (4, 2, 0) <= bpy.app.version < (5, 0, 0) else "BLENDER_EEVEE"
    wanted = {"cycles": "CYCLES", "workbench": "BLENDER_WORKBENCH", "eevee": eevee}.get(engine, engine)
    try:
        scene.render.engine = wanted
    except TypeError:
        problem = f"this Blender has no {engine}: its add-on may be disabled; render.engines lists what it has"
        raise refuse("engine", problem, choices(scene.render, "engine")) from None


def set_samples(scene: Any, samples: Optional[int]) -> Optional[int]:
    """Set the samples of the scene's engine; returns how many it takes, None where it is not known."""
    engine = scene.render.engine
    if engine == "CYCLES":
        scene.cycles.samples = samples or scene.cycles.samples
        if not can_denoise():
            scene.cycles.use_denoising = False
        return int(scene.cycles.samples)
    if engine.startswith("BLENDER_EEVEE"):
        scene.eevee.taa_render_samples = samples or scene.eevee.taa_render_samples
        return int(scene.eevee.taa_render_samples)
    if engine == "BLENDER_WORKBENCH" and samples is not None:
        count, name = next((level for level in _WORKBENCH_SAMPLES if level[0] >= samples), _WORKBENCH_SAMPLES[-1])
        scene.display.render_aa = name
        return count
    return None


def samples_of(scene: Any) -> Optional[int]:
    """How many samples the scene's engine takes, None where it is not known."""
    engine = scene.render.engine
    if engine == "CYCLES":
        return int(scene.cycles.samples)
    return int(scene.eevee.taa_render_samples) if engine.startswith("BLENDER_EEVEE") else None


def can_denoise() -> bool:
    """Some builds, Debian's 3.4 for one, have no denoiser, and a render that asks for it fails."""
    try:
        import _cycles  # type: ignore[import-not-found]  # only inside Blender
    except ImportError:
        return True
    return bool(getattr(_cycles, "with_openimagedenoise", True))


def picture_size(scene: Any, width: Optional[int], height: Optional[int]) -> Tuple[int, int]:
    """What is asked for; else what keeps the scene's proportions; else the scene's own size."""
    render = scene.render
    own_width, own_height = render.resolution_x, render.resolution_y
    if width is None and height is None:
        scale = render.resolution_percentage / 100
        return max(4, int(own_width * scale)), max(4, int(own_height * scale))
    if width is None:
        width = round((height or 0) * own_width / own_height)
    if height is None:
        height = round(width * own_height / own_width)
    return min(max(4, width), 16_384), min(max(4, height), 16_384)
