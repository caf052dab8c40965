"""collection.update and collection.delete."""

from __future__ import annotations

from typing import Annotated, Any, List, Optional, TypedDict

from .catalogue import command
from .collection import CollectionName, CollectionState, Colour, collection_state, layers, walk
from .lookup import collection_named, current_scene, refuse
from .parameters import Name


class Deleted(TypedDict):
    """`objects`: how many were deleted with it; `kept`: how many went to its parent."""

    deleted: List[str]
    objects: int
    kept: int


@command("collection.update", idempotent=True)
def update(
    *,
    name: CollectionName,
    new_name: Annotated[Optional[Name], "rename it"] = None,
    parent: Annotated[Optional[str], 'move it into this collection; the scene\'s root is ""'] = None,
    viewport: Annotated[Optional[bool], "its objects are shown in all viewports"] = None,
    render: Annotated[Optional[bool], "its objects are shown in renders"] = None,
    excluded: Annotated[Optional[bool], "this view layer is without it: its objects are not even evaluated"] = None,
    color: Annotated[Optional[Colour], "its mark in the outliner"] = None,
) -> CollectionState:
    """Rename, move, show or hide a collection; what is not given stays as it is."""
    root = current_scene().collection
    item = collection_named(name, "name")
    above = collection_named(parent, "parent") if parent is not None else None
    if item == root and (above is not None or new_name is not None or excluded is not None):
        raise refuse("name", "the scene's root collection cannot be renamed, moved or excluded")
    if above is not None and (above == item or above in set(item.children_recursive)):
        raise refuse("parent", f"{above.name!r} is {item.name!r} itself or in it")
    if excluded is not None and item.name not in layers():
        raise refuse("excluded", f"{item.name!r} is not in this scene")

    for key, wanted in (("hide_viewport", viewport), ("hide_render", render)):
        if wanted is not None:
            setattr(item, key, not wanted)
    if color is not None:
        item.color_tag = color
    if above is not None:
        _move_collection(item, above)
    if excluded is not None:
        layers()[item.name].exclude = excluded
    if new_name is not None:
        item.name = new_name
    found = next((entry for entry in walk(root) if entry[0] == item), (item, None, 0))
    return collection_state(*found, layers())


@command("collection.delete", destructive=True)
def delete(
    *,
    name: CollectionName,
    objects: Annotated[bool, "delete its objects too, and the collections in it; else they move to its parent"] = False,
) -> Deleted:
    """Delete a collection. Objects that another collection holds too are never deleted."""
    import bpy

    item = collection_named(name, "name")
    root = current_scene().collection
    if item == root:
        raise refuse("name", "the scene's root collection cannot be deleted")
    gone = [item, *item.children_recursive] if objects else [item]
    if objects:
        inside = set(gone)
        doomed = [each for each in item.all_objects if inside.issuperset(each.users_collection)]
        kept = 0
        bpy.data.batch_remove(doomed)
    else:
        doomed, kept = [], len(item.objects)
        _empty_into(item, _parents(item) or [root])
    names = [each.name for each in gone]
    bpy.data.batch_remove(gone)
    return {"deleted": names, "objects": len(doomed), "kept": kept}


def _empty_into(item: Any, parents: List[Any]) -> None:
    for above in parents:
        for each in item.objects:
            if above.objects.get(each.name) != each:
                above.objects.link(each)
        for child in item.children:
            if above.children.get(child.name) != child:
                above.children.link(child)


def _move_collection(item: Any, target: Any) -> None:
    for above in _parents(item):
        if above != target:
            above.children.unlink(item)
    if target.children.get(item.name) != item:
        target.children.link(item)


def _parents(item: Any) -> List[Any]:
    import bpy

    roots = [scene.collection for scene in bpy.data.scenes]
    return [above for above in (*roots, *bpy.data.collections) if above.children.get(item.name) == item]
