"""file.*: the open .blend file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Optional, TypedDict

from ..constraints import Size
from ..schema import nearest
from .catalogue import command
from .lookup import current_scene, refuse

AbsolutePath = Annotated[str, "an absolute path on Blender's machine; ~ is the home directory", Size(1, 4096)]
# Plain, gzip (up to 2.93) and zstd.
_MAGIC = (b"BLENDER", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")


class Opened(TypedDict):
    file: str
    scene: str
    objects: int


class Saved(TypedDict):
    """`file` is what was written; after a copy the open file is still another."""

    file: str
    bytes: int


@command("file.new", destructive=True, idempotent=True)
def new(*, empty: Annotated[bool, "no objects at all, instead of the cube, light and camera"] = False) -> Opened:
    """Start a new file with Blender's factory scene. What was open and not saved is lost."""
    import bpy

    # read_factory_settings would disable this add-on.
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=empty)
    return _opened()


@command("file.open", destructive=True, idempotent=True)
def open_file(*, path: AbsolutePath) -> Opened:
    """Open a .blend file. What was open and not saved is lost. Scripts inside the file are not run."""
    import bpy

    place = _absolute(path)
    if not place.is_file():
        raise refuse("path", f"there is no file {str(place)!r}", _neighbours(place))
    with place.open("rb") as file:
        if not file.read(8).startswith(_MAGIC):
            raise refuse("path", f"{str(place)!r} is no .blend file")
    # The user's windows stay as they are, and a stranger's file does not get to run Python.
    bpy.ops.wm.open_mainfile(filepath=str(place), load_ui=False, use_scripts=False)
    return _opened()


@command("file.save", idempotent=True)
def save(
    *,
    path: Annotated[Optional[AbsolutePath], "where to; default: the file that is open"] = None,
    copy: Annotated[bool, "write a copy and keep the open file's own path; needs a path"] = False,
) -> Saved:
    """Save the open file, under a new path where one is given. An existing file there is replaced."""
    import bpy

    if path is None and copy:
        raise refuse("path", "is required: a copy needs a path of its own")
    if path is None and not bpy.data.filepath:
        raise refuse("path", "is required: the open file has never been saved")
    place = _absolute(path) if path is not None else Path(bpy.data.filepath)
    if place.suffix != ".blend":
        place = place.with_name(place.name + ".blend")
    if place.is_dir() or not place.parent.is_dir():
        raise refuse("path", f"there is no directory {str(place.parent)!r}")
    if not os.access(place.parent, os.W_OK):
        raise refuse("path", f"the directory {str(place.parent)!r} may not be written to")
    bpy.ops.wm.save_as_mainfile(filepath=str(place), copy=copy, check_existing=False)
    return {"file": str(place), "bytes": place.stat().st_size}


def _opened() -> Opened:
    import bpy

    scene = current_scene()
    return {"file": bpy.data.filepath, "scene": scene.name, "objects": len(scene.objects)}


def _absolute(path: str) -> Path:
    place = Path(path).expanduser()
    if not place.is_absolute():
        raise refuse("path", f"expected an absolute path, got {path!r}: Blender's working directory is not yours")
    return place


def _neighbours(place: Path) -> list[str]:
    """The .blend files beside it with names like it."""
    try:
        names = [entry.name for entry in place.parent.iterdir() if entry.suffix == ".blend"]
    except OSError:
        return []
    return [str(place.parent / name) for name in nearest(place.name, names)]
