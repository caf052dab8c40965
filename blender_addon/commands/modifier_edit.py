"""modifier.add, update, remove and apply."""

from __future__ import annotations

from typing import Annotated, Any, List, Optional, TypedDict

from ..constraints import Range, Size
from ..wire import Fault
from .catalogue import command
from .lookup import in_object_mode, in_view_layer, object_named, refuse
from .modifier import (
    ModifierName,
    ModifierState,
    ObjectName,
    Properties,
    all_types,
    known_type,
    modifier_named,
    modifier_state,
)
from .parameters import Name
from .rna import set_properties


class Names(TypedDict):
    """`modifiers` are those that are left, in order."""

    object: str
    modifiers: List[str]


class Applied(TypedDict):
    """`data`: the object's own data after it. `vertices` is null where it is no mesh."""

    object: str
    applied: List[str]
    modifiers: List[str]
    data: str
    vertices: Optional[int]


@command("modifier.add")
def add(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    type: Annotated[str, "ARRAY, BEVEL, BOOLEAN, MIRROR, SOLIDIFY, SUBSURF, …: modifier.types lists all", Size(1, 64)],  # noqa: A002  # the name is the public parameter
    name: Annotated[Optional[Name], "its name; default: its type's"] = None,
    properties: Optional[Properties] = None,
    index: Annotated[Optional[int], "its place in the stack; default: last", Range(0, 1000)] = None,
) -> ModifierState:
    """Add a modifier to an object, its properties set: all of it, or nothing where one of them is refused.

    modifier.types with a type tells which properties there are. A geometry-nodes modifier is NODES.
    """
    item = object_named(object, "object")
    kind = known_type(type, "type")
    label = next(other.name for other in all_types() if other.identifier == kind)
    modifier = item.modifiers.new(name or label, kind)
    if modifier is None:
        raise refuse("type", f"{object!r} is a {item.type.lower()}, which takes no {label} modifier")
    # Its name is what stays of it when the stack is changed.
    called = modifier.name
    try:
        set_properties(modifier, properties or {}, "properties")
        if index is not None:
            _move(item, called, index)
    except BaseException:
        item.modifiers.remove(item.modifiers[called])
        raise
    return modifier_state(item, item.modifiers[called])


@command("modifier.update", idempotent=True)
def update(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    name: ModifierName,
    properties: Optional[Properties] = None,
    new_name: Annotated[Optional[Name], "rename it"] = None,
    viewport: Annotated[Optional[bool], "show its effect in the viewport"] = None,
    render: Annotated[Optional[bool], "show its effect in renders"] = None,
    index: Annotated[Optional[int], "move it to this place in the stack", Range(0, 1000)] = None,
) -> ModifierState:
    """Change a modifier's properties, its name or its place in the stack; what is not given stays as it is."""
    item = object_named(object, "object")
    modifier = modifier_named(item, name)
    shown = {"show_viewport": viewport, "show_render": render}
    set_properties(
        modifier, {**(properties or {}), **{key: on for key, on in shown.items() if on is not None}}, "properties"
    )
    if new_name is not None:
        modifier.name = new_name
    called = modifier.name
    if index is not None:
        _move(item, called, index)
    return modifier_state(item, item.modifiers[called])


@command("modifier.remove", destructive=True)
def remove(*, object: ObjectName, name: ModifierName) -> Names:  # noqa: A002  # the name is the public parameter
    """Take a modifier off an object, its effect with it. modifier.apply keeps the effect."""
    item = object_named(object, "object")
    item.modifiers.remove(modifier_named(item, name))
    return {"object": item.name, "modifiers": item.modifiers.keys()}


@command("modifier.apply", destructive=True)
def apply(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    names: Annotated[
        Optional[List[Name]], "the modifiers, applied in the stack's order; default: all", Size(1, 100)
    ] = None,
    single_user: Annotated[bool, "give the object a copy of data that other objects use too"] = False,
) -> Applied:
    """Make the effect of modifiers part of the object's own data, and remove them. One that cannot be is told by name.

    Modifiers before the first that cannot be applied stay applied.
    """
    item = object_named(object, "object")
    in_view_layer([item], "object")
    in_object_mode([item], "object")
    wanted = [modifier_named(item, name, "names").name for name in names] if names else item.modifiers.keys()
    if item.data is None:
        raise refuse("object", f"{object!r} is an empty, which has no data to apply modifiers to")
    if item.data.users > 1:
        if not single_user:
            users = item.data.users
            raise refuse("object", f"its data is used {users} times: with single_user it gets a copy of its own")
        item.data = item.data.copy()
    applied: List[str] = []
    for name in [modifier.name for modifier in item.modifiers if modifier.name in wanted]:
        _apply_one(item, name, applied)
        applied.append(name)
    return {
        "object": item.name,
        "applied": applied,
        "modifiers": item.modifiers.keys(),
        "data": item.data.name,
        "vertices": len(item.data.vertices) if item.type == "MESH" else None,
    }


def _move(item: Any, name: str, index: int) -> None:
    import bpy

    index = min(index, len(item.modifiers) - 1)
    if hasattr(item.modifiers, "move"):
        item.modifiers.move(item.modifiers.find(name), index)
        return
    # Before 3.5 there is the operator alone.
    with bpy.context.temp_override(object=item, active_object=item):
        bpy.ops.object.modifier_move_to_index(modifier=name, index=index)


def _apply_one(item: Any, name: str, applied: List[str]) -> None:
    import bpy

    try:
        with bpy.context.temp_override(object=item, active_object=item, selected_objects=[item]):
            bpy.ops.object.modifier_apply(modifier=name)
    except RuntimeError as error:
        reason = str(error).removeprefix("Error: ").strip()
        raise Fault(
            "execution_failed",
            f"{name!r} cannot be applied: {reason}",
            data={"type": "RuntimeError", "applied": applied, "modifiers": item.modifiers.keys()},
        ) from None
