"""file.import: what other programs wrote, into the open scene."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated, Any, Dict, Iterator, List, Mapping, Optional, Tuple, TypedDict

from ..policy import permit_write
from ..wire import Fault, Part
from .catalogue import command
from .context import in_a_view, object_mode
from .data_counts import known_data, new_data
from .described import MOST_NAMES, Bounds, rounded
from .file_formats import Format, FormatName, Way, format_of, way
from .lookup import refuse
from .operator_call import run_operator
from .operator_options import checked_options
from .places import AbsolutePath, to_read

Content = Annotated[
    Dict[str, Part], "files by name, as file.export answers them: the first is read, the others lie beside"
]


class Came(TypedDict):
    name: str
    type: str


class Imported(TypedDict):
    """What came: the first 100 `objects` of `object_count`, the box around them all in world space, and how much new
    `data` of each type."""

    format: str
    operator: str
    objects: List[Came]
    object_count: int
    bounds: Optional[Bounds]
    data: Dict[str, int]


@command("file.import")
def import_file(
    *,
    path: Annotated[Optional[AbsolutePath], "the file to read"] = None,
    content: Optional[Content] = None,
    format: Annotated[Optional[FormatName], "default: by the file's suffix"] = None,  # noqa: A002  # the public name
    options: Annotated[
        Optional[Dict[str, Any]], "of the operator that reads it: see file.formats, api.operator"
    ] = None,
) -> Imported:
    """Import a glTF, FBX, OBJ, STL, PLY, USD, Alembic or SVG (as curves) file into the scene, beside what is there.

    From a `path` on Blender's machine, or from `content` that comes with the request. What came is selected.
    file.append is for .blend files.
    """
    if (path is None) == (content is None):
        raise refuse("path", "is required, or content instead: one of the two")
    param = "path" if content is None else "content"
    place, beside = _source(path, content)
    known = format_of(format, place.name, param)
    if content is not None and known.name == "alembic":
        raise refuse("content", "an Alembic file goes on being read after the import: give its path instead")
    found = way(known, "reads", "format" if format else param)
    checked = checked_options(found.operator, options or {}, str(place.parent))
    _permit_textures(checked)
    with _written(place, beside) as file:
        return _import(file, known, found, checked)


def _source(path: Optional[str], content: Optional[Mapping[str, Part]]) -> Tuple[Path, Mapping[str, Part]]:
    if path is not None:
        return to_read(path), {}
    assert content is not None
    if not content:
        raise refuse("content", "is empty: it needs a file")
    for name in content:
        place = Path(name)
        if not name or "\\" in name or "\0" in name or place.is_absolute() or ".." in place.parts or len(name) > 255:
            raise refuse("content", f"{name!r:.80} is no name for a file beside the others")
    return Path(next(iter(content))), content


@contextlib.contextmanager
def _written(place: Path, content: Mapping[str, Part]) -> Iterator[Path]:
    """The file to read; content is put into a folder of its own, which goes when it was read."""
    if not content:
        yield place
        return
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        for name, part in content.items():
            file = Path(directory) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(part.data)
        yield Path(directory) / place
        _pack_images_below(directory)


def _import(file: Path, known: Format, found: Way, options: Mapping[str, Any]) -> Imported:
    before = known_data()
    with in_a_view() as context:
        with object_mode(context):
            run_operator(found.operator, {"filepath": str(file), **options}, f"Blender could not read {file.name}")
            context.view_layer.update()
    came = new_data(before)
    if not came:
        message = f"there is nothing in {file.name} that Blender has a use for"
        raise Fault("execution_failed", message, data={"type": "Nothing", "traceback": "", "stdout": ""})
    objects = came.get("objects", [])
    return {
        "format": known.name,
        "operator": found.operator,
        "objects": [{"name": item.name, "type": item.type} for item in objects[:MOST_NAMES]],
        "object_count": len(objects),
        "bounds": _bounds(objects),
        "data": {name: len(blocks) for name, blocks in came.items()},
    }


def _bounds(objects: List[Any]) -> Optional[Bounds]:
    from mathutils import Vector

    shapes = [item for item in objects if item.type not in ("EMPTY", "LIGHT", "CAMERA", "ARMATURE", "SPEAKER")]
    corners = [item.matrix_world @ Vector(corner) for item in shapes for corner in item.bound_box]
    if not corners:
        return None
    lowest = rounded(min(corner[axis] for corner in corners) for axis in range(3))
    return {"min": lowest, "max": rounded(max(corner[axis] for corner in corners) for axis in range(3))}


def _permit_textures(options: Mapping[str, Any]) -> None:
    """USD may write the pictures that lie inside a file into a folder, which it has a default for."""
    import bpy

    if options.get("import_textures_mode") == "IMPORT_COPY" and "import_textures_dir" not in options:
        permit_write(bpy.path.abspath("//textures"))


def _pack_images_below(directory: str) -> None:
    """Take the pictures of a folder that goes into the .blend file."""
    import bpy

    for image in bpy.data.images:
        if image.packed_file is None and image.filepath and bpy.path.abspath(image.filepath).startswith(directory):
            with contextlib.suppress(RuntimeError):  # one that cannot be read is missing either way
                image.pack()
