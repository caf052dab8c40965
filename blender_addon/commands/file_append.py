"""file.contents, file.append, file.link: data of other .blend files."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Annotated, Any, Dict, Iterator, List, Literal, Optional, Sequence, Tuple, TypedDict

from ..constraints import Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .context import in_a_view
from .described import MOST_NAMES
from .lookup import collection_named, refuse, refuse_all
from .paging import Limit, Offset, page
from .parameters import Name
from .places import AbsolutePath, to_read_blend

DataType = Literal[
    "objects", "collections", "materials", "meshes", "node_groups", "images", "actions", "worlds", "curves", "lights",
    "cameras", "armatures", "scenes", "texts", "textures", "brushes", "fonts", "sounds", "grease_pencils",
    "grease_pencils_v3", "particles", "lattices", "metaballs", "palettes", "linestyles", "volumes", "hair_curves",
    "pointclouds", "shape_keys", "speakers", "workspaces", "movieclips", "masks", "lightprobes", "paint_curves",
    "cache_files",
]  # fmt: skip
BlendFile = Annotated[AbsolutePath, "the other .blend file"]
Names = Annotated[List[Name], "what to take, by name: see file.contents", Size(1, 1000)]
Into = Annotated[Optional[Name], "the collection that objects and collections go to; default: the active one"]


class Contents(TypedDict):
    """How much there is of each type, and of the type that was asked for a page of names."""

    file: str
    counts: Dict[str, int]
    names: List[str]
    next_offset: Optional[int]


class Taken(TypedDict):
    """`names`: what came, as it is called here. `objects`: the first 100 that are new in the scene."""

    file: str
    type: str
    names: List[str]
    objects: List[str]
    object_count: int


@command("file.contents", read_only=True)
def contents(
    *,
    path: BlendFile,
    type: Annotated[Optional[DataType], "whose names to list"] = None,  # noqa: A002  # the name is the public parameter
    limit: Limit = 100,
    offset: Offset = 0,
) -> Contents:
    """List what another .blend file has that file.append and file.link can take. Nothing is loaded."""
    place = _other_file(path)
    with _library(place, link=False) as (there, _wanted):
        known = {name: sorted(names) for name in dir(there) if isinstance(names := getattr(there, name), list)}
    some, more = page(known.get(type or "", ()), limit, offset)
    counts = {name: len(names) for name, names in sorted(known.items()) if names}
    return {"file": str(place), "counts": counts, "names": list(some), "next_offset": more}


@command("file.append")
def append(
    *,
    path: BlendFile,
    type: Annotated[DataType, "what the names are names of"] = "objects",  # noqa: A002  # the name is the public parameter
    names: Names,
    collection: Into = None,
) -> Taken:
    """Copy data from another .blend file, with all that it needs: from then on it is this file's own.

    Objects and collections come into the scene; materials, node groups and the like are there to be used.
    """
    place, into = _checked(path, collection)
    taken = _load(place, type, names, link=False)
    before = _in_scene()
    for block in taken:
        _put(block, into)
    return _said(place, type, taken, before)


@command("file.link")
def link(
    *,
    path: BlendFile,
    type: Annotated[DataType, "what the names are names of"] = "collections",  # noqa: A002  # the name is the public parameter
    names: Names,
    collection: Into = None,
    instance: Annotated[bool, "a collection comes as one object that shows it and can be moved; else as it is"] = True,
) -> Taken:
    """Use data of another .blend file where it is: it follows that file and cannot be edited here."""
    place, into = _checked(path, collection)
    taken = _load(place, type, names, link=True)
    before = _in_scene()
    for block in taken:
        if type == "collections" and instance:
            _put(_instance(block), into)
        else:
            _put(block, into)
    return _said(place, type, taken, before)


def _other_file(path: str) -> Path:
    import bpy

    place = to_read_blend(path)
    if os.path.isfile(bpy.data.filepath) and os.path.samefile(place, bpy.data.filepath):
        raise refuse("path", "is the open file itself, not another one: what is in it is there already")
    return place


def _checked(path: str, collection: Optional[str]) -> Tuple[Path, Any]:
    place = _other_file(path)
    if collection is not None:
        return place, collection_named(collection)
    with in_a_view() as context:
        return place, context.collection or context.scene.collection


@contextlib.contextmanager
def _library(place: Path, *, link: bool) -> Iterator[Tuple[Any, Any]]:
    import bpy

    try:
        with bpy.data.libraries.load(str(place), link=link) as both:
            yield both
    except OSError as error:
        raise refuse("path", f"{place.name!r} cannot be read by Blender {bpy.app.version_string}: {error}") from None


def _load(place: Path, kind: str, names: Sequence[str], *, link: bool) -> List[Any]:
    wanted = list(dict.fromkeys(names))
    with _library(place, link=link) as (there, taken):
        known = list(getattr(there, kind, ()))
        problems, close = [], []
        for index, name in enumerate(names):
            if name not in known:
                hint = did_you_mean(name, known) or f"; it has {', '.join(known[:20]) or 'none'}"
                problems.append((f"names[{index}]", f"there is no {name!r} among its {kind}{hint}"))
                close += nearest(name, known)
        if not problems:
            setattr(taken, kind, wanted)
    if problems:
        raise refuse_all(problems, close)
    return [block for block in getattr(taken, kind) if block is not None]


def _put(block: Any, into: Any) -> None:
    """Objects and collections into the collection, all else is there already."""
    kind = block.bl_rna.identifier
    if kind == "Object" and block.name not in into.objects:
        into.objects.link(block)
    elif kind == "Collection" and block.name not in into.children:
        into.children.link(block)


def _instance(collection: Any) -> Any:
    import bpy

    item = bpy.data.objects.new(collection.name, None)
    item.instance_type = "COLLECTION"
    item.instance_collection = collection
    return item


def _in_scene() -> set[int]:
    with in_a_view() as context:
        return {item.as_pointer() for item in context.scene.objects}


def _said(place: Path, kind: str, taken: Sequence[Any], before: set[int]) -> Taken:
    with in_a_view() as context:
        new = [item.name for item in context.scene.objects if item.as_pointer() not in before]
    names = [block.name for block in taken]
    return {"file": str(place), "type": kind, "names": names, "objects": new[:MOST_NAMES], "object_count": len(new)}
