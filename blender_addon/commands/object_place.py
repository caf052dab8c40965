"""object.transform and object.parent: places in the world, and what follows from them."""

from __future__ import annotations

from typing import Annotated, Any, Iterator, List, Literal, Optional, Sequence, TypedDict, Union

from ..constraints import Size
from ..schema import did_you_mean, nearest
from .boxes import evaluated_graph, joined, world_box
from .catalogue import command
from .described import MOST_NAMES, ObjectState, object_state
from .lookup import in_view_layer, object_named, objects_named, refuse, refuse_all
from .parameters import Name, Rotation, Scale, Vector

Names = Annotated[List[Name], "the objects' names", Size(1, 1000)]


class States(TypedDict):
    """`objects` ends after 100."""

    objects: List[ObjectState]
    total: int


def states(items: Sequence[Any]) -> States:
    return {"objects": [object_state(item) for item in items[:MOST_NAMES]], "total": len(items)}


@command("object.transform")
def transform(
    *,
    names: Names,
    move: Annotated[Vector, "metres along x, y, z"] = (0.0, 0.0, 0.0),
    rotate: Rotation = (0.0, 0.0, 0.0),
    scale: Scale = (1.0, 1.0, 1.0),
    pivot: Annotated[
        Union[Literal["origins", "center"], Vector],
        "what to turn and scale around: each object's own origin, the centre of the box around all, or a place",
    ] = "origins",
    space: Annotated[Literal["world", "local"], "whose axes; local: each object's own"] = "world",
) -> States:
    """Move, turn and scale objects by an amount, relative to how they are. object.update sets absolute values.

    Scaled and turned first, then moved. Children follow their parents, also when both are named.
    """
    from mathutils import Euler, Matrix

    items = objects_named(names)
    in_view_layer(items)
    if 0.0 in scale:
        raise refuse("scale", "a factor of 0 would make it flat for good")
    graph = evaluated_graph()
    turned = Euler(rotate, "XYZ").to_matrix().to_4x4()
    scaled = Matrix.Diagonal((*scale, 1.0))
    moved = Matrix.Translation(move)
    chosen = set(items)
    roots = [item for item in items if not chosen.intersection(_above(item))]
    around = _pivot(pivot, items, graph)
    wanted = []
    for item in roots:
        world = item.matrix_world.copy()
        if space == "local":
            wanted.append(world @ moved @ turned @ scaled)
            continue
        center = Matrix.Translation(world.translation if around is None else around)
        wanted.append(moved @ center @ turned @ scaled @ center.inverted() @ world)
    for item, world in zip(roots, wanted):  # noqa: B905  # one each
        item.matrix_world = world
    return states(items)


def _pivot(pivot: Any, items: Sequence[Any], graph: Any) -> Optional[Any]:
    if pivot == "origins":
        return None
    if pivot == "center":
        box = joined(world_box(item, graph) for item in items)
        return box.center if box else None
    return pivot


def _above(item: Any) -> Iterator[Any]:
    while item.parent is not None:
        item = item.parent
        yield item


@command("object.parent", idempotent=True)
def parent(
    *,
    names: Names,
    parent: Annotated[Optional[Name], "the parent; default: none, they stand on their own"] = None,
    bone: Annotated[Optional[Name], "a bone of the parent, which is an armature"] = None,
    keep_transform: Annotated[bool, "they stay where they are in the world; else they move along"] = True,
) -> States:
    """Put objects under a parent that they follow, or take them off their parents."""
    items = objects_named(names)
    above = object_named(parent, "parent") if parent is not None else None
    if above is not None:
        loop = [item for item in items if item == above or item in set(_above(above))]
        if loop:
            raise refuse_all([("parent", f"{above.name!r} is {item.name!r} itself or below it") for item in loop])
    if bone is not None:
        _check_bone(above, bone)
    evaluated_graph()
    for item in items:
        world = item.matrix_world.copy()
        item.parent = above
        item.parent_type = "OBJECT" if bone is None else "BONE"
        item.parent_bone = bone or ""
        item.matrix_parent_inverse.identity()
        if keep_transform:
            if above is not None and bone is None:
                item.matrix_parent_inverse = above.matrix_world.inverted_safe()
            item.matrix_world = world
    evaluated_graph()
    return states(items)


def _check_bone(above: Optional[Any], bone: str) -> None:
    if above is None or above.type != "ARMATURE":
        raise refuse("bone", "the parent is no armature")
    if bone not in above.data.bones:
        known = above.data.bones.keys()
        problem = f"{above.name!r} has no bone named {bone!r}{did_you_mean(bone, known)}"
        raise refuse("bone", problem, nearest(bone, known))
