"""scene.*: what there is."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any, Dict, List, Optional, TypedDict

from ..constraints import Range, Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import MOST_NAMES, ObjectState, object_state
from .lookup import current_scene, refuse


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


class ObjectPage(TypedDict):
    """One page of the objects that match; `total` counts all that do, `next_offset` is null on the last page."""

    objects: List[ObjectState]
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
    limit: Annotated[int, "how many at most", Range(1, 1000)] = 50,
    offset: Annotated[int, "how many to skip: next_offset of the page before", Range(0, 10**9)] = 0,
) -> ObjectPage:
    """List the scene's objects with their transforms, sorted by name, a page at a time."""
    wanted, folded = _known_type(type), query.casefold()
    found = [
        item
        for item in current_scene().objects
        if (not wanted or item.type == wanted) and (not folded or folded in item.name.casefold())
    ]
    found.sort(key=_by_name)
    end = offset + limit
    return {
        "objects": [object_state(item) for item in found[offset:end]],
        "total": len(found),
        "next_offset": end if end < len(found) else None,
    }


def _by_name(item: Any) -> str:
    return str(item.name)


def _known_type(given: str) -> str:
    import bpy

    known = bpy.types.Object.bl_rna.properties["type"].enum_items.keys()
    if given and given.upper() not in known:
        problem = f"Blender has no object type {given!r}{did_you_mean(given, known)}"
        raise refuse("type", problem, nearest(given, known))
    return given.upper()
