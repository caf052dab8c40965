"""render.still and render.save: one picture."""

from __future__ import annotations

import struct
import time
from pathlib import Path
from typing import Annotated, Optional, TypedDict

from ..call import Call
from ..constraints import Media
from ..wire import Part
from .catalogue import command
from .places import AbsolutePath, to_write
from .render_output import (
    CameraName,
    Engine,
    Height,
    Region,
    Samples,
    Transparent,
    Width,
    format_of,
    picture_bytes,
    planned,
    prepared,
    write_picture,
)
from .render_progress import progress_of_renders
from .unfinished import forget_unfinished


class Rendered(TypedDict):
    """`seconds` is the whole time in Blender; `samples` is null where the engine has none."""

    image: Annotated[Part, Media("image/png")]
    width: int
    height: int
    engine: str
    samples: Optional[int]
    camera: str
    seconds: float


class Saved(TypedDict):
    """`seconds` is the whole time in Blender; `samples` is null where the engine has none."""

    file: str
    bytes: int
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
    width: Width = None,
    height: Height = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: CameraName = None,
    transparent: Transparent = None,
    region: Region = None,
) -> Rendered:
    """Render the current frame, or a region of it, to a PNG, with progress. The scene's own settings are left alone.

    In a Blender with a window it stands still meanwhile, and a render cannot be interrupted there: choose the size and
    the samples with care. viewport.preview is quicker where plain shading will do.
    """
    began = time.monotonic()
    shot = planned(
        width=width,
        height=height,
        engine=engine,
        samples=samples,
        camera=camera,
        transparent=transparent,
        region=region,
    )
    call.check()
    with prepared(shot, ".png") as ready, progress_of_renders(call) as progress:
        progress.begin()
        data = picture_bytes(ready.scene, call)
        progress.end()
    real_width, real_height = struct.unpack(">II", data[16:24])
    return {
        "image": Part(data, media_type="image/png"),
        "width": real_width,
        "height": real_height,
        "engine": ready.engine,
        "samples": ready.samples,
        "camera": shot.camera.name,
        "seconds": round(time.monotonic() - began, 3),
    }


@command("render.save", destructive=True, idempotent=True, undo=False)
def save(
    call: Call,
    *,
    path: Annotated[AbsolutePath, "where to, on Blender's machine: .png, .jpg, .exr, .tif or .webp"],
    width: Width = None,
    height: Height = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: CameraName = None,
    transparent: Transparent = None,
    region: Region = None,
) -> Saved:
    """Render the current frame to a file, whose suffix is its format. A file that is there is replaced once it is done.

    As render.still in all else.
    """
    began = time.monotonic()
    place = to_write(path)
    suffix = format_of(Path(path))
    shot = planned(
        width=width,
        height=height,
        engine=engine,
        samples=samples,
        camera=camera,
        transparent=transparent,
        region=region,
    )
    call.check()
    forget_unfinished(place.parent)
    with prepared(shot, suffix) as ready, progress_of_renders(call) as progress:
        progress.begin()
        write_picture(ready.scene, place, call)
        progress.end()
    return {
        "file": str(place),
        "bytes": place.stat().st_size,
        "width": shot.pixels[0],
        "height": shot.pixels[1],
        "engine": ready.engine,
        "samples": ready.samples,
        "camera": shot.camera.name,
        "seconds": round(time.monotonic() - began, 3),
    }
