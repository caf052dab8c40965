"""collection.list, get and create, and which objects are in them."""

from __future__ import annotations

from typing import Annotated, Any, Dict, Iterator, List, Literal, Optional, Tuple, TypedDict

from ..constraints import Range, Size
from .catalogue import command
from .described import MOST_NAMES
from .lookup import collection_named, current_scene, objects_named, refuse
from .paging import Limit, Offset, page
from .parameters import Name

CollectionName = Annotated[str, "the collection's name", Size(1, 255)]
Colour = Literal["NONE", "COLOR_01", "COLOR_02", "COLOR_03", "COLOR_04", "COLOR_05", "COLOR_06", "COLOR_07", "COLOR_08"]


class CollectionState(TypedDict):
    """`objects` and `children` are counts of its own, not of those below. `excluded`: not in this view layer."""

    name: str
    parent: Optional[str]
    depth: int
    objects: int
    children: int
    viewport: bool
    render: bool
    excluded: bool
    color: str


class Tree(TypedDict):
    """The tree from the root on, each collection before those in it."""

    collections: List[CollectionState]
    total: int
    next_offset: Optional[int]


class Members(TypedDict):
    """`objects` and `children` end after 100 names."""

    name: str
    objects: List[str]
    object_count: int
    children: List[str]


@command("collection.list", read_only=True)
def list_all(
    *,
    depth: Annotated[int, "how deep to go; 0 is the scene's root alone", Range(0, 100)] = 100,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Tree:
    """List the scene's collections as a tree, the root first: who is in whom, how many objects, what is hidden."""
    found = [entry for entry in walk(current_scene().collection) if entry[2] <= depth]
    shown, following = page(found, limit, offset)
    known = layers()
    return {
        "collections": [collection_state(each, above, level, known) for each, above, level in shown],
        "total": len(found),
        "next_offset": following,
    }


@command("collection.get", read_only=True)
def get(*, name: CollectionName) -> Members:
    """Tell which objects and collections are directly in a collection."""
    return _members(collection_named(name, "name"))


@command("collection.create")
def create(
    *,
    name: Annotated[Name, "its name; Blender adds .001 and so on where it is taken"],
    parent: Annotated[Optional[str], "the collection that holds it; default: the scene's root"] = None,
    objects: Annotated[
        Optional[List[Name]], "objects that move into it, out of their collections", Size(1, 1000)
    ] = None,
    color: Annotated[Colour, "its mark in the outliner"] = "NONE",
) -> Members:
    """Make a collection, and move objects into it. The answer has the name it got."""
    import bpy

    above = collection_named(parent or "", "parent")
    items = objects_named(objects or (), "objects")
    made = bpy.data.collections.new(name)
    made.color_tag = color
    above.children.link(made)
    for item in items:
        _move_object(item, made)
    return _members(made)


@command("collection.move_objects", idempotent=True)
def move_objects(
    *,
    objects: Annotated[List[Name], "the objects' names", Size(1, 10_000)],
    to: Annotated[str, "the collection that takes them"],
    keep: Annotated[bool, "they stay in their present collections too: linked, not moved"] = False,
) -> Members:
    """Move objects into a collection, out of all others; with `keep` they are in several."""
    target = collection_named(to, "to")
    for item in objects_named(objects, "objects"):
        if not keep:
            _move_object(item, target)
        elif item.name not in target.objects:
            target.objects.link(item)
    return _members(target)


@command("collection.unlink_objects", idempotent=True)
def unlink_objects(
    *,
    objects: Annotated[List[Name], "the objects' names", Size(1, 10_000)],
    name: CollectionName,
) -> Members:
    """Take objects out of one collection. Refused for objects that are in no other: they would be gone."""
    source = collection_named(name, "name")
    inside = [item for item in objects_named(objects, "objects") if source.objects.get(item.name) == item]
    lost = [item.name for item in inside if len(item.users_collection) < 2]
    if lost:
        raise refuse("objects", f"{lost[0]!r} is in no other collection: move it, or delete it with object.delete")
    for item in inside:
        source.objects.unlink(item)
    return _members(source)


def _move_object(item: Any, target: Any) -> None:
    # Linked first: an object that is in no collection loses its selection and visibility in the view layer.
    if target.objects.get(item.name) != item:
        target.objects.link(item)
    for home in item.users_collection:
        if home != target:
            home.objects.unlink(item)


Entry = Tuple[Any, Optional[str], int]


def walk(top: Any, above: Optional[str] = None, level: int = 0) -> Iterator[Entry]:
    """The collection and all below it, each with its parent's name and its depth."""
    yield top, above, level
    for child in top.children:
        yield from walk(child, top.name, level + 1)


def layers() -> Dict[str, Any]:
    """By name what the view layer has to say of each collection."""
    import bpy

    found, waiting = {}, [bpy.context.view_layer.layer_collection]
    while waiting:
        layer = waiting.pop()
        found[layer.collection.name] = layer
        waiting += layer.children
    return found


def collection_state(item: Any, above: Optional[str], level: int, known: Dict[str, Any]) -> CollectionState:
    """`known`: what `layers` found."""
    layer = known.get(item.name)
    return {
        "name": item.name,
        "parent": above,
        "depth": level,
        "objects": len(item.objects),
        "children": len(item.children),
        "viewport": not item.hide_viewport,
        "render": not item.hide_render,
        "excluded": layer is None or layer.exclude,
        "color": item.color_tag,
    }


def _members(item: Any) -> Members:
    return {
        "name": item.name,
        "objects": sorted(item.objects.keys())[:MOST_NAMES],
        "object_count": len(item.objects),
        "children": item.children.keys()[:MOST_NAMES],
    }
