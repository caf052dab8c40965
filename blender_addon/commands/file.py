"""file.*: the open .blend file."""

from __future__ import annotations

from typing import Annotated, Optional, TypedDict

from .catalogue import command
from .lookup import current_scene, refuse
from .places import AbsolutePath, to_read, to_write

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


@command("file.new", destructive=True, idempotent=True, undo=False)
def new(*, empty: Annotated[bool, "no objects at all, instead of the cube, light and camera"] = False) -> Opened:
    """Start a new file with Blender's factory scene. What was open and not saved is lost."""
    import bpy

    # read_factory_settings would disable this add-on.
    bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=empty)
    return _opened()


@command("file.open", destructive=True, idempotent=True, undo=False)
def open_file(*, path: AbsolutePath) -> Opened:
    """Open a .blend file. What was open and not saved is lost. Scripts inside the file are not run."""
    import bpy

    place = to_read(path)
    with place.open("rb") as file:
        if not file.read(8).startswith(_MAGIC):
            raise refuse("path", f"{str(place)!r} is no .blend file")
    # The user's windows stay as they are, and a stranger's file does not get to run Python.
    bpy.ops.wm.open_mainfile(filepath=str(place), load_ui=False, use_scripts=False)
    return _opened()


@command("file.save", idempotent=True, undo=False)
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
    place = to_write(path or bpy.data.filepath, ".blend")
    bpy.ops.wm.save_as_mainfile(filepath=str(place), copy=copy, check_existing=False)
    return {"file": str(place), "bytes": place.stat().st_size}


def _opened() -> Opened:
    import bpy

    scene = current_scene()
    return {"file": bpy.data.filepath, "scene": scene.name, "objects": len(scene.objects)}
