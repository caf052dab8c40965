"""file.*: the open .blend file."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
from typing import Annotated, Any, Dict, List, Optional, Tuple, TypedDict

from .catalogue import command
from .data_counts import data_counts, orphan_count
from .described import MOST_NAMES
from .lookup import current_scene, refuse
from .places import AbsolutePath, to_read_blend, to_write

# BLENDER-v402; since 5.0 BLENDER17-01v0500.
_WRITTEN_BY = re.compile(rb"BLENDER(?:\d\d)?[-_](?:\d\d)?[vV](\d{3,4})")


class Opened(TypedDict):
    file: str
    scene: str
    objects: int


class Saved(TypedDict):
    """`file` is what was written; after a copy the open file is still another."""

    file: str
    bytes: int


class LinkedFile(TypedDict):
    name: str
    file: str
    missing: bool


class FileInfo(TypedDict):
    """`file` is empty where it was never saved, and then `bytes` and `written_by` are null. `dirty`: there are changes
    that are not saved; null where Blender has no window and keeps no count. `written_by`: the Blender that saved it,
    "4.2". `data`: how much of each type; `orphans`: data without a user, which is not saved. The first 100
    `libraries`."""

    file: str
    bytes: Optional[int]
    dirty: Optional[bool]
    written_by: Optional[str]
    blender: str
    libraries: List[LinkedFile]
    library_count: int
    data: Dict[str, int]
    orphans: int


class Purged(TypedDict):
    """How much was removed, of each type."""

    removed: int
    data: Dict[str, int]


@command("file.info", read_only=True)
def info() -> FileInfo:
    """Tell about the open file: where it is, which Blender wrote it, what is in it and which files it links to.

    file.missing lists what it cannot find.
    """
    import bpy

    file = bpy.data.filepath
    libraries = bpy.data.libraries
    return {
        "file": file,
        "bytes": os.path.getsize(file) if os.path.isfile(file) else None,
        "dirty": None if bpy.app.background else bpy.data.is_dirty,
        "written_by": _written_by(file),
        "blender": bpy.app.version_string,
        "libraries": [_linked_file(library) for library in libraries[:MOST_NAMES]],
        "library_count": len(libraries),
        "data": data_counts(),
        "orphans": orphan_count(),
    }


@command("file.purge", destructive=True, idempotent=True)
def purge() -> Purged:
    """Remove data that nothing uses (meshes, materials, images, …), and what only such data used.

    What has a fake user stays.
    """
    import bpy

    before = data_counts()
    removed = bpy.data.orphans_purge(do_local_ids=True, do_linked_ids=True, do_recursive=True)
    after = data_counts()
    gone = {name: count - after.get(name, 0) for name, count in before.items() if count > after.get(name, 0)}
    return {"removed": removed, "data": gone}


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

    place = to_read_blend(path)
    # The user's windows stay as they are, and a stranger's file does not get to run Python.
    bpy.ops.wm.open_mainfile(filepath=str(place), load_ui=False, use_scripts=False)
    return _opened()


@command("file.save", destructive=True, idempotent=True, undo=False)
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


def _written_by(file: str) -> Optional[str]:
    """The version that wrote it: 4.2, 5.0. Blender's own bpy.data.version stays at the one that was opened."""

    if not os.path.isfile(file):
        return None
    with open(file, "rb") as blend:
        found = _WRITTEN_BY.match(blend.read(17))
    major, minor = divmod(int(found[1]), 100) if found else _version_inside(file)
    return f"{major}.{minor}"


def _version_inside(file: str) -> Tuple[int, int]:
    """Of a compressed file, whose header is not in plain sight; before 5.0 as it was when it was opened."""
    import bpy

    version = bpy.data.version
    # By another name, since Blender does not look into the file that is open; Windows may not allow it one.
    with contextlib.suppress(OSError), tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        other = os.path.join(directory, "other.blend")
        os.symlink(file, other)
        with bpy.data.libraries.load(other) as (there, _wanted):
            version = getattr(there, "version", version)
    major, minor = version[:2]
    return major, minor


def _linked_file(library: Any) -> LinkedFile:
    import bpy

    file = bpy.path.abspath(library.filepath)
    return {"name": library.name, "file": file, "missing": not os.path.isfile(file)}
