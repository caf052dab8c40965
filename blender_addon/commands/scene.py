"""scene.*: what there is."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Callable, Dict, List, Mapping, Optional, TypedDict, cast

from ..constraints import Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import MOST_NAMES, ObjectState, object_state, rounded
from .lookup import collection_named, current_scene, refuse
from .paging import Fields, Limit, Offset, only, page


class RenderSettings(TypedDict):
    engine: str
    width: int
    height: int


class SceneSummary(TypedDict):
    """`objects` counts them by type; lists of names end after 100."""

    blender: str
    file: str
    unsaved_changes: bool
    scene: str
    scenes: List[str]
    frame: int
    frame_start: int
    frame_end: int
    object_count: int
    objects: Dict[str, int]
    collections: List[str]
    materials: List[str]
    camera: Optional[str]
    active_object: Optional[str]
    render: RenderSettings


class Listed(TypedDict, total=False):
    """The fields that were asked for; `selected` and `collections` only if they were."""

    name: str
    type: str
    location: List[float]
    rotation: List[float]
    scale: List[float]
    visible: bool
    parent: Optional[str]
    selected: bool
    collections: List[str]
    materials: List[Optional[str]]
    dimensions: List[float]
    data: Optional[str]


class ObjectPage(TypedDict):
    """One page of the objects that match; `total` counts all that do, `next_offset` is null on the last page."""

    objects: List[Listed]
    total: int
    next_offset: Optional[int]


@command("scene.summary", read_only=True)
def summary() -> SceneSummary:
    """Tell what is open: the file, the scene, how many objects of each type, the camera, the render settings.

    A good first call: it is small whatever the scene holds.
    """
    import bpy

    scene = current_scene()
    active = bpy.context.view_layer.objects.active if bpy.context.view_layer else None
    scale = scene.render.resolution_percentage / 100
    return {
        "blender": bpy.app.version_string,
        "file": bpy.data.filepath,
        "unsaved_changes": bpy.data.is_dirty,
        "scene": scene.name,
        "scenes": bpy.data.scenes.keys()[:MOST_NAMES],
        "frame": scene.frame_current,
        "frame_start": scene.frame_start,
        "frame_end": scene.frame_end,
        "object_count": len(scene.objects),
        "objects": dict(Counter(item.type for item in scene.objects)),
        "collections": [collection.name for collection in scene.collection.children_recursive[:MOST_NAMES]],
        "materials": bpy.data.materials.keys()[:MOST_NAMES],
        "camera": scene.camera.name if scene.camera else None,
        "active_object": active.name if active else None,
        "render": {
            "engine": scene.render.engine,
            "width": int(scene.render.resolution_x * scale),
            "height": int(scene.render.resolution_y * scale),
        },
    }


@command("scene.objects", read_only=True)
def objects(
    *,
    query: Annotated[str, "only objects whose name contains this, upper and lower case alike", Size(0, 255)] = "",
    type: Annotated[str, "only objects of this type: MESH, LIGHT, CAMERA, EMPTY, CURVE, …"] = "",  # noqa: A002  # the name is the public parameter
    collection: Annotated[Optional[str], "only objects in this collection or one below it"] = None,
    selected: Annotated[Optional[bool], "only objects that the user has selected, or has not"] = None,
    fields: Annotated[
        Fields,
        "only these of each: name, type, location, rotation, scale, visible, parent (those are the default), selected, "
        "collections, materials, dimensions, data",
    ] = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> ObjectPage:
    """List the scene's objects with their transforms, sorted by name, a page at a time."""
    wanted, folded = _known_type(type), query.casefold()
    source = current_scene() if collection is None else collection_named(collection)
    only(fields, {}, FIELDS)
    found = [
        item
        for item in (source.objects if collection is None else source.all_objects)
        if (not wanted or item.type == wanted)
        and (not folded or folded in item.name.casefold())
        and (selected is None or item.select_get() == selected)
    ]
    found.sort(key=_by_name)
    shown, following = page(found, limit, offset)
    return {
        "objects": [_listed(item, fields) for item in shown],
        "total": len(found),
        "next_offset": following,
    }


_MORE: Mapping[str, Callable[[Any], Any]] = {
    "selected": lambda item: item.select_get(),
    "collections": lambda item: [collection.name for collection in item.users_collection],
    "materials": lambda item: [slot.material and slot.material.name for slot in item.material_slots[:MOST_NAMES]],
    "dimensions": lambda item: rounded(item.dimensions),
    "data": lambda item: item.data and item.data.name,
}
FIELDS = (*ObjectState.__annotations__, *_MORE)


def _listed(item: Any, fields: Optional[List[str]]) -> Listed:
    state: Dict[str, Any] = {**object_state(item)}
    if fields is None:
        return cast(Listed, state)
    state.update({name: tell(item) for name, tell in _MORE.items() if name in fields})
    return cast(Listed, {name: state[name] for name in fields})


def _by_name(item: Any) -> str:
    return str(item.name)


def _known_type(given: str) -> str:
    import bpy

    known = bpy.types.Object.bl_rna.properties["type"].enum_items.keys()
    if given and given.upper() not in known:
        problem = f"Blender has no object type {given!r}{did_you_mean(given, known)}"
        raise refuse("type", problem, nearest(given, known))
    return given.upper()
