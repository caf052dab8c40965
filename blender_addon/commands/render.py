"""render.*"""

from __future__ import annotations

import struct
import tempfile
import time
from pathlib import Path
from typing import Annotated, Any, Literal, Optional, Tuple, TypedDict

from ..call import Call
from ..constraints import Media, Range
from ..wire import Part
from .catalogue import command
from .lookup import camera_named, current_scene, refuse
from .parameters import Name
from .render_progress import progress_of_renders
from .render_settings import kept_settings, set_engine, set_samples, use_png

Pixels = Annotated[int, Range(4, 16_384)]


class Rendered(TypedDict):
    """`seconds` is the whole time in Blender; `samples` is null where the engine has none."""

    image: Annotated[Part, Media("image/png")]
    width: int
    height: int
    engine: str
    samples: Optional[int]
    camera: str
    seconds: float


@command("render.still", read_only=True)
def still(
    call: Call,
    *,
    width: Annotated[Optional[Pixels], "in pixels; default: the scene's, or what keeps its proportions"] = None,
    height: Annotated[Optional[Pixels], "in pixels; default: the scene's, or what keeps its proportions"] = None,
    engine: Annotated[
        Optional[Literal["cycles", "eevee", "workbench"]],
        "cycles: true light, slow; eevee: near it, fast on a GPU; workbench: plain shading, fast. Default: the scene's",
    ] = None,
    samples: Annotated[Optional[int], "more are slower and less noisy; default: the scene's", Range(1, 65_536)] = None,
    camera: Annotated[Optional[Name], "a camera object's name; default: the scene's camera"] = None,
) -> Rendered:
    """Render the current frame to a PNG, with progress events. The scene's own settings are left as they were."""
    import bpy

    began = time.monotonic()
    scene = current_scene()
    view = camera_named(camera, "camera") if camera is not None else scene.camera
    if view is None:
        problem = "the scene has none: add one with object.create (type: camera), or name one here"
        raise refuse("camera", problem, [item.name for item in bpy.data.objects if item.type == "CAMERA"][:5])
    size = _size(scene, width, height)
    call.check()
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory, kept_settings(scene):
        picture = Path(directory) / "still.png"
        scene.camera = view
        set_engine(scene, engine)
        taken = set_samples(scene, samples)
        use_png(scene, picture, size)
        used = scene.render.engine
        with progress_of_renders(call):
            bpy.ops.render.render(write_still=True, scene=scene.name)
        # Blender swallows an interrupt while it renders: ask for it afterwards.
        call.check()
        data = picture.read_bytes()
    real_width, real_height = struct.unpack(">II", data[16:24])
    return {
        "image": Part(data, media_type="image/png"),
        "width": real_width,
        "height": real_height,
        "engine": used,
        "samples": taken,
        "camera": view.name,
        "seconds": round(time.monotonic() - began, 3),
    }


def _size(scene: Any, width: Optional[int], height: Optional[int]) -> Tuple[int, int]:
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
