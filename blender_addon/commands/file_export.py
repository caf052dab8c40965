"""file.export: the scene, or some of its objects, for other programs."""

from __future__ import annotations

import contextlib
import os
import tempfile
from pathlib import Path
from typing import Annotated, Any, Dict, Iterator, List, Mapping, Optional, Sequence, Tuple, TypedDict

from ..constraints import Size
from ..wire import Fault, Part
from .catalogue import command
from .context import in_a_view, object_mode, selected_only
from .file_formats import Format, FormatName, Way, format_of, way
from .lookup import object_named, refuse
from .operator_call import run_operator
from .operator_options import checked_options, option_properties
from .parameters import Name
from .places import AbsolutePath, to_write

_MOST_FILES = 100
# A folder with more than these is looked through for names like the target's only.
_MOST_ENTRIES = 20_000
_MOST_BYTES = 256 * 1024 * 1024

Seen = Dict[str, Tuple[int, int]]


class WrittenFile(TypedDict):
    """`file` is a path, of content a name."""

    file: str
    bytes: int


class Exported(TypedDict):
    """All files that were written, the first 100 of `file_count`: the main one first. `content`: without a path."""

    format: str
    operator: str
    objects: int
    files: List[WrittenFile]
    file_count: int
    content: Dict[str, Part]


@command("file.export", destructive=True, idempotent=True, undo=False)
def export_file(
    *,
    path: Annotated[Optional[AbsolutePath], "the file to write; default: it comes back as content"] = None,
    format: Annotated[Optional[FormatName], "default: by the path's suffix"] = None,  # noqa: A002  # the public name
    objects: Annotated[Optional[List[Name]], "only these, by name; default: the whole scene", Size(1, 10_000)] = None,
    selected: Annotated[bool, "only what is selected"] = False,
    options: Annotated[
        Optional[Dict[str, Any]], "of the operator that writes it: see file.formats, api.operator"
    ] = None,
) -> Exported:
    """Export to glTF (.glb is one file, .gltf several), FBX, OBJ, STL, PLY, USD, Alembic or SVG (grease pencil only).

    Existing files are replaced. Without a path the files come back as binary parts, at most 256 MiB: give a format.
    The scene and its selection are left as they were.
    """
    if path is None and format is None:
        raise refuse("path", "is required, or a format, and then the files come back as content")
    known = format_of(format, path, "path")
    found = way(known, "writes", "format" if format else "path")
    items = _wanted(objects, selected)
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        if path is not None:
            place = to_write(path, known.suffixes[0], others=known.suffixes)
        else:
            place = Path(directory) / f"export{known.portable or known.suffixes[0]}"
        checked = checked_options(found.operator, options or {}, str(place.parent), (found.selection[0],))
        before = _seen(place)
        _export(known, found, place, items, checked)
        files = _changed(place, known, before)
        content = _content(files, directory) if path is None else {}
    return {
        "format": known.name,
        "operator": found.operator,
        "objects": len(_scene_objects() if items is None else items),
        "files": [{"file": _name(file, directory), "bytes": size} for file, size in files[:_MOST_FILES]],
        "file_count": len(files),
        "content": content,
    }


def _wanted(names: Optional[Sequence[str]], selected: bool) -> Optional[List[Any]]:
    """The objects to write; None is all."""
    with in_a_view() as context:
        view_layer = context.view_layer
        if names is not None:
            if selected:
                raise refuse("selected", "and objects: one of the two")
            items = [object_named(name, f"objects[{index}]") for index, name in enumerate(dict.fromkeys(names))]
            for index, item in enumerate(items):
                if item.name not in view_layer.objects or not item.visible_get(view_layer=view_layer):
                    problem = f"{item.name!r} is hidden or not in the scene's view layer: show it first"
                    raise refuse(f"objects[{index}]", problem)
            return items
        if not selected:
            return None
        items = [item for item in view_layer.objects if item.select_get(view_layer=view_layer)]
    if not items:
        raise refuse("selected", "nothing is selected")
    return items


def _scene_objects() -> Sequence[Any]:
    with in_a_view() as context:
        return list(context.view_layer.objects)


def _export(known: Format, found: Way, place: Path, items: Optional[List[Any]], options: Dict[str, Any]) -> None:
    wanted: Dict[str, Any] = {"filepath": str(place), **_defaults(known, found, place), **options}
    if items is not None:
        wanted[found.selection[0]] = found.selection[1]
    with in_a_view() as context, object_mode(context), _strokes(known, items, context) as chosen:
        with contextlib.nullcontext() if chosen is None else selected_only(chosen, context.view_layer):
            run_operator(found.operator, wanted, f"Blender could not write {place.name}")


def _defaults(known: Format, found: Way, place: Path) -> Mapping[str, Any]:
    """What makes an operator do what the suffix says, or write the whole scene."""
    options = option_properties(found.operator)
    if known.name == "gltf":
        return {"export_format": "GLTF_SEPARATE" if place.suffix.lower() == ".gltf" else "GLB"}
    if known.name == "svg" and "selected_object_type" in options:
        return {"selected_object_type": "VISIBLE"}
    return {}


@contextlib.contextmanager
def _strokes(known: Format, items: Optional[List[Any]], context: Any) -> Iterator[Optional[List[Any]]]:
    """What to select for the operator, None where the selection is of no meaning to it.

    An SVG is made of grease pencils alone, and the operator starts from the active one.
    """
    if known.name != "svg":
        yield items
        return
    pencils = [item for item in items or context.view_layer.objects if item.type in ("GPENCIL", "GREASEPENCIL")]
    if not pencils:
        raise refuse("objects", "there is no grease pencil object among them: an SVG is made of those alone")
    yield pencils


def _seen(place: Path) -> Seen:
    """The files in and below the target's folder, as an exporter may write: textures, buffers, materials."""
    found: Seen = {}
    for folder in (str(place.parent), *_folders(place.parent)):
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if len(found) < _MOST_ENTRIES or entry.name.startswith(place.stem):
                    with contextlib.suppress(OSError):
                        if entry.is_file():
                            state = entry.stat()
                            found[entry.path] = (state.st_mtime_ns, state.st_size)
    return found


def _folders(folder: Path) -> List[str]:
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        return [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)][:_MOST_FILES]
    return []


def _changed(place: Path, known: Format, before: Seen) -> List[Tuple[str, int]]:
    """What was written, the main file first. Raises Fault where nothing was."""
    now = _seen(place)
    files = sorted((file, state[1]) for file, state in now.items() if before.get(file) != state)
    # An option may have given the main file another suffix than the one that was asked for.
    files.sort(key=lambda file: (file[0] != str(place), not file[0].lower().endswith(known.suffixes)))
    if not files:
        message = f"Blender wrote no {place.name}: there is nothing in the scene that this format can hold"
        raise Fault("execution_failed", message, data={"type": "Nothing", "traceback": "", "stdout": ""})
    return files


def _content(files: Sequence[Tuple[str, int]], directory: str) -> Dict[str, Part]:
    total = sum(size for _file, size in files)
    if total > _MOST_BYTES or len(files) > _MOST_FILES:
        message = f"{len(files)} files of {total} bytes in all are too much for an answer: give a path"
        raise Fault("execution_failed", message, data={"length": total, "limit": _MOST_BYTES})
    return {_name(file, directory): Part(Path(file).read_bytes(), media_type=_media(file)) for file, _size in files}


def _name(file: str, directory: str) -> str:
    return os.path.relpath(file, directory) if file.startswith(os.path.join(directory, "")) else file


_MEDIA = {".glb": "model/gltf-binary", ".gltf": "model/gltf+json", ".obj": "model/obj", ".mtl": "model/mtl",
          ".stl": "model/stl", ".usdz": "model/vnd.usdz+zip", ".svg": "image/svg+xml", ".png": "image/png",
          ".jpg": "image/jpeg"}  # fmt: skip


def _media(file: str) -> str:
    return _MEDIA.get(os.path.splitext(file)[1].lower(), "application/octet-stream")
