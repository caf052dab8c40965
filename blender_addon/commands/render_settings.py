"""The scene's render settings: changed for one render, and put back."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, Optional, Tuple

from .lookup import refuse

# In the order in which they are put back: a format decides which depths and modes there are.
_RENDER = (
    "engine",
    "filepath",
    "resolution_x",
    "resolution_y",
    "resolution_percentage",
    "use_border",
    "use_multiview",
    "use_overwrite",
    "use_placeholder",
    "use_file_extension",
)
_IMAGE = ("media_type", "file_format", "color_mode", "color_depth", "compression")
_WORKBENCH_SAMPLES = ((1, "OFF"), (5, "5"), (8, "8"), (11, "11"), (16, "16"), (32, "32"))


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


def set_engine(scene: Any, engine: Optional[str]) -> None:
    """Set the engine by our name for it; Blender's own differ between versions."""
    if engine is None:
        return
    import bpy

    if engine == "eevee":
        wanted = "BLENDER_EEVEE_NEXT" if (4, 2, 0) <= bpy.app.version < (5, 0, 0) else "BLENDER_EEVEE"
    else:
        wanted = {"cycles": "CYCLES", "workbench": "BLENDER_WORKBENCH"}[engine]
    try:
        scene.render.engine = wanted
    except TypeError:
        raise refuse("engine", f"this Blender has no {engine}: its add-on may be disabled") from None


def set_samples(scene: Any, samples: Optional[int]) -> Optional[int]:
    """Set the samples of the scene's engine; returns how many it takes, None where it is not known."""
    engine = scene.render.engine
    if engine == "CYCLES":
        scene.cycles.samples = samples or scene.cycles.samples
        if not _can_denoise():
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


def _can_denoise() -> bool:
    """Some builds, Debian's 3.4 for one, have no denoiser, and a render that asks for it fails."""
    try:
        import _cycles  # type: ignore[import-not-found]  # only inside Blender
    except ImportError:
        return True
    return bool(getattr(_cycles, "with_openimagedenoise", True))


def use_png(scene: Any, picture: Path, size: Tuple[int, int]) -> None:
    """Write one whole picture of that size to that path."""
    render, image = scene.render, scene.render.image_settings
    render.filepath = str(picture)
    render.resolution_x, render.resolution_y = size
    render.resolution_percentage = 100
    render.use_border = render.use_multiview = render.use_placeholder = False
    render.use_overwrite = render.use_file_extension = True
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format = "PNG"
    image.color_mode = "RGBA"
    image.color_depth = "8"
    image.compression = 15
