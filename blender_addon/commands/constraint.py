"""constraint.*: object constraints, their properties by name."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, TypedDict

from ..constraints import Range, Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import rounded
from .lookup import object_named, part_named, refuse
from .parameters import Fraction, Name
from .rna import property_values, set_properties

ObjectName = Annotated[Name, "the object's name"]
Properties = Annotated[
    Dict[str, Any],
    'Blender\'s own properties of it, by name: {"target": "Empty", "track_axis": "TRACK_Z"}; api commands list them',
]
_COMMON = ("name", "type", "enabled", "mute", "influence", "show_expanded", "is_valid", "active")


class ConstraintState(TypedDict):
    """One constraint; `index` is its place in the stack, from 0. `valid`: it has the target that it needs."""

    object: str
    name: str
    type: str
    index: int
    enabled: bool
    influence: float
    valid: bool
    properties: Dict[str, Any]


class Constraints(TypedDict):
    """`constraints` ends after 20."""

    object: str
    constraints: List[ConstraintState]
    total: int


@command("constraint.list", read_only=True)
def list_all(*, object: ObjectName) -> Constraints:  # noqa: A002  # the name is the public parameter
    """List an object's constraints in the order in which they work, each with its properties."""
    return _all(object_named(object, "object"))


@command("constraint.add")
def add(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    type: Annotated[str, "TRACK_TO, COPY_LOCATION, CHILD_OF, FOLLOW_PATH, LIMIT_LOCATION, …", Size(1, 64)],  # noqa: A002  # the name is the public parameter
    name: Annotated[Optional[Name], "its name; default: its type's"] = None,
    properties: Optional[Properties] = None,
    influence: Annotated[Fraction, "how strong it is"] = 1.0,
) -> ConstraintState:
    """Add a constraint to an object, its properties set: all of it, or nothing where one of them is refused.

    Give its target in the properties: {"target": "Empty"}.
    """
    item = object_named(object, "object")
    kind = _known_type(type)
    made = item.constraints.new(kind)
    try:
        set_properties(made, properties or {}, "properties")
    except BaseException:
        item.constraints.remove(made)
        raise
    made.influence = influence
    if name is not None:
        made.name = name
    return _state(item, made)


@command("constraint.update", idempotent=True)
def update(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    name: Annotated[Name, "the constraint's name on that object"],
    properties: Optional[Properties] = None,
    new_name: Annotated[Optional[Name], "rename it"] = None,
    enabled: Annotated[Optional[bool], "false: it does nothing until it is enabled again"] = None,
    influence: Annotated[Optional[Fraction], "how strong it is"] = None,
    index: Annotated[Optional[int], "move it to this place in the stack", Range(0, 1000)] = None,
) -> ConstraintState:
    """Change a constraint's properties, its name or its place in the stack; what is not given stays as it is."""
    item = object_named(object, "object")
    found = _constraint_named(item, name)
    set_properties(found, properties or {}, "properties")
    if enabled is not None:
        found.mute = not enabled
    if influence is not None:
        found.influence = influence
    if new_name is not None:
        found.name = new_name
    called = found.name
    if index is not None:
        item.constraints.move(item.constraints.find(called), min(index, len(item.constraints) - 1))
    return _state(item, item.constraints[called])


@command("constraint.remove", destructive=True)
def remove(
    *,
    object: ObjectName,  # noqa: A002  # the name is the public parameter
    name: Annotated[Name, "the constraint's name on that object"],
    keep_transform: Annotated[bool, "the object stays where the constraint has put it"] = False,
) -> Constraints:
    """Take a constraint off an object. Answers those that are left."""
    import bpy

    item = object_named(object, "object")
    found = _constraint_named(item, name)
    bpy.context.view_layer.update()
    world = item.matrix_world.copy()
    item.constraints.remove(found)
    if keep_transform:
        bpy.context.view_layer.update()
        item.matrix_world = world
    return _all(item)


def _all(item: Any) -> Constraints:
    import bpy

    # A constraint is valid or not once it was evaluated.
    bpy.context.view_layer.update()
    return {
        "object": item.name,
        "constraints": [_state(item, each) for each in item.constraints[:20]],
        "total": len(item.constraints),
    }


def _known_type(given: str) -> str:
    import bpy

    kinds = bpy.types.Constraint.bl_rna.properties["type"].enum_items
    known = kinds.keys()
    if given.upper() in known:
        return given.upper()
    by_label = {kind.name.casefold(): kind.identifier for kind in kinds}
    if given.casefold() in by_label:
        return str(by_label[given.casefold()])
    problem = f"Blender {bpy.app.version_string} has no constraint type {given!r}{did_you_mean(given, known)}"
    raise refuse("type", problem, nearest(given, known))


def _constraint_named(item: Any, name: str) -> Any:
    return part_named(item, item.constraints, "constraint", name, "name")


def _state(item: Any, constraint: Any) -> ConstraintState:
    values = property_values(constraint)
    return {
        "object": item.name,
        "name": constraint.name,
        "type": constraint.type,
        "index": item.constraints.find(constraint.name),
        "enabled": not constraint.mute,
        "influence": rounded([constraint.influence])[0],
        "valid": constraint.is_valid,
        "properties": {key: value for key, value in values.items() if key not in _COMMON},
    }
