"""modifier.types and modifier.list: every modifier type that this Blender has, its properties by name."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, TypedDict

from ..constraints import Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .lookup import object_named, part_named, refuse
from .parameters import Name
from .rna import PropertyDescription, describe_property, is_setting, property_values

ObjectName = Annotated[Name, "the object's name"]
ModifierName = Annotated[Name, "the modifier's name on that object"]
Properties = Annotated[
    Dict[str, Any],
    'Blender\'s own properties of it, by name: {"levels": 2}; objects and other data by name, vectors as lists',
]

# Said of every modifier by its state already.
_COMMON = ("name", "type", "show_viewport", "show_render")


class ModifierState(TypedDict):
    """One modifier; `index` is its place in the stack, from 0, which is evaluated first."""

    object: str
    name: str
    type: str
    index: int
    viewport: bool
    render: bool
    properties: Dict[str, Any]


class Stack(TypedDict):
    object: str
    modifiers: List[ModifierState]
    total: int


class ModifierType(TypedDict):
    type: str
    name: str
    description: str


class ModifierTypes(TypedDict):
    """`properties`: of the one type that was asked for."""

    types: List[ModifierType]
    properties: List[PropertyDescription]


@command("modifier.types", read_only=True)
def types(
    *,
    query: Annotated[str, "only types whose name or description contains this", Size(0, 255)] = "",
    type: Annotated[str, "one type: its properties too", Size(0, 64)] = "",  # noqa: A002  # the name is the public parameter
) -> ModifierTypes:
    """List the modifier types that this Blender has; of one type also every property: values, defaults, limits."""
    folded = query.casefold()
    wanted = known_type(type, "type") if type else None
    found: List[ModifierType] = [
        {"type": item.identifier, "name": item.name, "description": item.description}
        for item in all_types()
        if (
            item.identifier == wanted
            if wanted
            else folded in f"{item.identifier} {item.name} {item.description}".casefold()
        )
    ]
    return {"types": found, "properties": _described(wanted) if wanted else []}


@command("modifier.list", read_only=True)
def list_all(*, object: ObjectName) -> Stack:  # noqa: A002  # the name is the public parameter
    """List an object's modifiers in the order in which they work, each with its properties (at most 20 modifiers)."""
    item = object_named(object, "object")
    return {
        "object": item.name,
        "modifiers": [modifier_state(item, modifier) for modifier in item.modifiers[:20]],
        "total": len(item.modifiers),
    }


def all_types() -> Any:
    import bpy

    return bpy.types.Modifier.bl_rna.properties["type"].enum_items


def known_type(given: str, param: str) -> str:
    known = all_types().keys()
    if given.upper() in known:
        return given.upper()
    by_label = {item.name.casefold(): item.identifier for item in all_types()}
    if given.casefold() in by_label:
        return str(by_label[given.casefold()])
    import bpy

    problem = f"Blender {bpy.app.version_string} has no modifier type {given!r}{did_you_mean(given, known)}"
    raise refuse(param, problem, nearest(given, known))


def _described(kind: str) -> List[PropertyDescription]:
    """The properties of a type, by making one on an object of its own for a moment."""
    import bpy

    for blocks in (bpy.data.meshes, getattr(bpy.data, "grease_pencils_v3", bpy.data.grease_pencils)):
        data = blocks.new("modifier.types")
        item = bpy.data.objects.new("modifier.types", data)
        try:
            modifier = item.modifiers.new("", kind)
            if modifier is not None:
                return [
                    describe_property(prop)
                    for prop in modifier.bl_rna.properties
                    if is_setting(prop) and prop.identifier not in _COMMON
                ]
        finally:
            bpy.data.objects.remove(item)
            blocks.remove(data)
    return []


def modifier_named(item: Any, name: str, param: str = "name") -> Any:
    return part_named(item, item.modifiers, "modifier", name, param)


def modifier_state(item: Any, modifier: Any) -> ModifierState:
    values = property_values(modifier)
    return {
        "object": item.name,
        "name": modifier.name,
        "type": modifier.type,
        "index": item.modifiers.find(modifier.name),
        "viewport": modifier.show_viewport,
        "render": modifier.show_render,
        "properties": {key: value for key, value in values.items() if key not in _COMMON},
    }
