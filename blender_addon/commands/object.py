"""object.get, object.create and object.delete."""

from __future__ import annotations

from typing import Annotated, List, Literal, Optional, TypedDict

from ..constraints import Size
from .boxes import with_children
from .catalogue import command
from .described import MOST_NAMES, ObjectDetails, ObjectState, object_details, object_state
from .lookup import current_scene, object_named, objects_named
from .parameters import Location, Name, Positive, Rotation, Scale
from .shapes import make_object
from .transform import place

Kind = Literal[
    "cube",
    "uv_sphere",
    "ico_sphere",
    "cylinder",
    "cone",
    "plane",
    "torus",
    "monkey",
    "empty",
    "camera",
    "light_point",
    "light_sun",
    "light_area",
    "light_spot",
    "text",
]


class Deleted(TypedDict):
    deleted: List[str]
    total: int


@command("object.get", read_only=True)
def get(*, name: Annotated[Name, "the object's name"]) -> ObjectDetails:
    """Tell all about one object: transform, box in world space, materials, modifiers, and what its type has."""
    import bpy

    item = object_named(name)
    # New and moved objects have no world matrix until the dependency graph was evaluated.
    bpy.context.view_layer.update()
    return object_details(item, current_scene())


@command("object.create")
def create(
    *,
    type: Annotated[Kind, "what to make"],  # noqa: A002  # the name is the public parameter
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    location: Location = (0.0, 0.0, 0.0),
    rotation: Rotation = (0.0, 0.0, 0.0),
    scale: Scale = (1.0, 1.0, 1.0),
    size: Annotated[
        Optional[Positive],
        "edge length or diameter in metres, default 2; of a light the width of its source, of a text its height",
    ] = None,
) -> ObjectState:
    """Add an object to the scene: a shape, a light, a camera, a text or an empty. The answer has the name it got.

    Lights and cameras point down (-z) until they are rotated. The first camera becomes the scene's. Lights start at
    1000 W (point, spot), 500 W (area) or strength 3 (sun); object.update changes that.
    """
    import bpy

    scene = current_scene()
    item = make_object(type, name or type.replace("_", " ").title(), size)
    (bpy.context.collection or scene.collection).objects.link(item)
    place(item, location, rotation, scale)
    if type == "camera" and scene.camera is None:
        scene.camera = item
    return object_state(item)


@command("object.delete", destructive=True)
def delete(
    *,
    names: Annotated[List[Name], "the objects' names", Size(1, 10_000)],
    children: Annotated[bool, "all that is parented to them too; else that stays, and loses its parent"] = False,
) -> Deleted:
    """Delete objects, and their meshes, lights and so on that nothing else uses. If a name is missing none is deleted.

    `deleted` ends after 100 names.
    """
    import bpy

    items = objects_named(names)
    doomed = with_children(items) if children else items
    gone = [item.name for item in doomed]
    data = {item.data for item in doomed if item.data is not None}
    bpy.data.batch_remove(doomed)
    bpy.data.batch_remove([block for block in data if block.users == 0])
    return {"deleted": gone[:MOST_NAMES], "total": len(gone)}
