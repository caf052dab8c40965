"""object.update."""

from __future__ import annotations

from typing import Annotated, Any, Dict, Optional

from ..constraints import Range, Size
from .catalogue import command
from .described import ObjectState, object_state
from .lookup import object_named, refuse
from .parameters import Colour, Location, Name, Rotation, Scale, linear_rgba
from .rna import set_properties
from .transform import place


@command("object.update", idempotent=True)
def update(
    *,
    name: Annotated[Name, "the object's name"],
    location: Optional[Location] = None,
    rotation: Optional[Rotation] = None,
    scale: Optional[Scale] = None,
    new_name: Annotated[Optional[Name], "rename it"] = None,
    parent: Annotated[Optional[str], 'the parent\'s name, "" for none; it stays where it is in the world'] = None,
    visible: Annotated[Optional[bool], "show or hide it, in the viewport and in renders"] = None,
    smooth: Annotated[Optional[bool], "smooth or flat shading of a mesh"] = None,
    text: Annotated[Optional[str], "what a text object says", Size(0, 10_000)] = None,
    energy: Annotated[Optional[float], "a light's power in watts; of a sun its strength", Range(0, 1e9)] = None,
    color: Annotated[Optional[Colour], "a light's colour"] = None,
    lens: Annotated[Optional[float], "a camera's focal length in mm", Range(1, 5000)] = None,
    properties: Annotated[
        Optional[Dict[str, Any]],
        'more of Blender\'s own properties of an object: {"display_type": "WIRE"}, and of its data: {"data": {…}}',
    ] = None,
) -> ObjectState:
    """Change an object; what is not given stays as it is."""
    item = object_named(name)
    wanted = {"smooth": smooth, "text": text, "energy": energy, "color": color, "lens": lens}
    given = {key: value for key, value in wanted.items() if value is not None}
    for key in given:
        if item.type != _MEANT_FOR[key]:
            raise refuse(key, f"{name!r} is a {item.type.lower()}: only a {_MEANT_FOR[key].lower()} has this")
    above = _possible_parent(item, parent) if parent else None
    # Refused before anything else is changed.
    set_properties(item, properties or {}, "properties")

    place(item, location, rotation, scale)
    for key, value in given.items():
        _set(item.data, key, value)
    if visible is not None:
        item.hide_viewport = item.hide_render = not visible
    if parent is not None:
        _attach(item, above)
    if new_name is not None:
        item.name = new_name
    return object_state(item)


_MEANT_FOR = {"smooth": "MESH", "text": "FONT", "energy": "LIGHT", "color": "LIGHT", "lens": "CAMERA"}


def _set(data: Any, key: str, value: Any) -> None:
    if key == "smooth":
        data.polygons.foreach_set("use_smooth", [value] * len(data.polygons))
        data.update()
    elif key == "text":
        data.body = value
    elif key == "color":
        data.color = linear_rgba(value)[:3]
    else:
        setattr(data, key, value)


def _possible_parent(item: Any, name: str) -> Any:
    """Blender ignores a loop of parents without a word: refuse it instead."""
    above = step = object_named(name, "parent")
    while step is not None:
        if step == item:
            raise refuse("parent", f"{name!r} is {item.name!r} itself or below it")
        step = step.parent
    return above


def _attach(item: Any, above: Any) -> None:
    import bpy

    bpy.context.view_layer.update()
    world = item.matrix_world.copy()
    item.parent = above
    if above is not None:
        item.matrix_parent_inverse = above.matrix_world.inverted_safe()
    item.matrix_world = world
