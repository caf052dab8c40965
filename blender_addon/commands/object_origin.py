"""object.apply_transform and object.set_origin: geometry and origin change places, and nothing moves in the world."""

from __future__ import annotations

import math
from array import array
from typing import Annotated, Any, List, Literal, Sequence, Union

from .boxes import evaluated_graph, shown_vertices
from .catalogue import command
from .described import ObjectState, object_state, rounded
from .geometry import read_attribute
from .lookup import in_object_mode, in_view_layer, object_named, objects_named, refuse_all
from .object_place import Names, States, states
from .parameters import Name, Vector

_GEOMETRY = ("MESH", "CURVE", "SURFACE", "META", "LATTICE", "ARMATURE")


class Origin(ObjectState):
    """`world`: where the origin is now."""

    world: List[float]


@command("object.apply_transform", idempotent=True)
def apply_transform(
    *,
    names: Names,
    location: Annotated[bool, "the origin goes to the parent's, or the world's"] = False,
    rotation: Annotated[bool, "the rotation becomes 0"] = True,
    scale: Annotated[bool, "the scale becomes 1"] = True,
    single_user: Annotated[bool, "give objects a copy of data that others use too"] = False,
) -> States:
    """Make objects' transforms part of their geometry; nothing moves in the world, children stay too.

    Modifiers and physics work as expected only on objects whose scale is 1.
    """
    from mathutils import Matrix

    items = objects_named(names)
    _own_geometry(items, single_user)
    evaluated_graph()
    for item in items:
        place, turn, size = item.matrix_basis.decompose()
        kept = Matrix.LocRotScale(None if location else place, None if rotation else turn, None if scale else size)
        _change_basis(item, kept)
    evaluated_graph()
    return states(items)


@command("object.set_origin", idempotent=True)
def set_origin(
    *,
    name: Annotated[Name, "the object's name"],
    to: Annotated[
        Union[Literal["center", "bottom", "median"], Vector],
        "the middle of its box, the middle of its box's floor, the mean of its vertices (of what has none, center), "
        "or a place in the world",
    ] = "center",
    single_user: Annotated[bool, "give the object a copy of data that others use too"] = False,
) -> Origin:
    """Move an object's origin, which it turns and scales around, without moving the object."""
    from mathutils import Matrix
    from mathutils import Vector as Place

    item = object_named(name)
    _own_geometry([item], single_user, "name")
    graph = evaluated_graph()
    in_world = item.matrix_world.inverted_safe()
    here = Place(_own_center(item, to, graph)) if isinstance(to, str) else in_world @ Place(to)
    _change_basis(item, item.matrix_basis @ Matrix.Translation(here))
    evaluated_graph()
    return {**object_state(item), "world": rounded(item.matrix_world.translation)}


def _own_center(item: Any, to: str, graph: Any) -> List[float]:
    """In the object's own space, without modifiers where it is a mesh: the origin belongs to what they begin with."""
    values = array("f")
    if item.type == "MESH":
        values.frombytes(read_attribute(item.data, "co").data)
    else:
        for shown in shown_vertices(item.evaluated_get(graph)):
            values = shown
    if not values:
        to = "center" if to == "median" else to
        values = array("f", [value for corner in item.bound_box for value in corner])
    axes = [values[axis::3] for axis in range(3)]
    if to == "median":
        return [math.fsum(axis) / len(axis) for axis in axes]
    middle = [(min(axis) + max(axis)) / 2 for axis in axes]
    return [middle[0], middle[1], min(axes[2])] if to == "bottom" else middle


def _change_basis(item: Any, wanted: Any) -> None:
    """Give the object another own transform while its geometry and its children stay where they are."""
    change = wanted.inverted_safe() @ item.matrix_basis
    children = list(item.children)
    _move_geometry(item, change)
    item.matrix_basis = wanted
    for child in children:
        # Children of bones and vertices hang on the geometry, which did not move.
        if child.parent_type == "OBJECT":
            child.matrix_parent_inverse = change @ child.matrix_parent_inverse


def _move_geometry(item: Any, change: Any) -> None:
    data = item.data
    if item.type == "MESH":
        data.transform(change, shape_keys=True)
        # A mirrored mesh would be inside out.
        if change.is_negative:
            data.flip_normals()
        data.update()
    elif item.type in ("CURVE", "SURFACE"):
        data.transform(change, shape_keys=True)
    else:
        data.transform(change)


def _no_geometry(item: Any) -> str:
    if item.type == "FONT":
        return "is a text, whose letters take no transform up: object.convert makes it a mesh"
    return f"is a {item.type.lower()}, which has no geometry to take its transform up"


def _own_geometry(items: Sequence[Any], single_user: bool, param: str = "names") -> None:
    """Refuse objects whose geometry cannot take a transform up; give those that share theirs a copy."""
    in_view_layer(items, param)
    in_object_mode(items, param)
    wrong = [item for item in items if item.type not in _GEOMETRY]
    if wrong:
        raise refuse_all([(param, f"{item.name!r} {_no_geometry(item)}") for item in wrong])
    flat = [item for item in items if 0.0 in item.scale]
    if flat:
        raise refuse_all([(param, f"{item.name!r} has a scale of 0") for item in flat])
    shared = [item for item in items if item.data.users > 1]
    if shared and not single_user:
        said = "is used by other objects too: with single_user it gets a copy of its own"
        raise refuse_all([(param, f"the data of {item.name!r} {said}") for item in shared])
    for item in shared:
        item.data = item.data.copy()
