"""object.align and object.distribute."""

from __future__ import annotations

import math
from typing import Annotated, Any, List, Literal, Optional, Sequence, Tuple, TypedDict

from ..constraints import Range, Size
from .boxes import evaluated_graph, world_box
from .catalogue import command
from .described import MOST_NAMES, rounded
from .lookup import in_view_layer, objects_named, refuse
from .parameters import Name

Axis = Annotated[Literal["x", "y", "z"], "of the world"]
Names = Annotated[List[Name], "the objects' names", Size(1, 1000)]


class Placed(TypedDict):
    """`moved`: by how much, along the world's axes; `on`: what it stands on, null for the floor's height."""

    name: str
    moved: List[float]
    location: List[float]
    on: Optional[str]


class Arranged(TypedDict):
    """`objects` ends after 100."""

    objects: List[Placed]
    total: int


def arranged(placed: Sequence[Placed]) -> Arranged:
    return {"objects": [*placed[:MOST_NAMES]], "total": len(placed)}


@command("object.align", idempotent=True)
def align(
    *,
    names: Names,
    axis: Axis,
    by: Annotated[
        Literal["min", "center", "max", "origin"], "which side of each object's box, or its origin"
    ] = "center",
    to: Annotated[Optional[float], "the coordinate that they are aligned to"] = None,
    target: Annotated[Optional[Name], "an object that they are aligned to; default: the first of the names"] = None,
) -> Arranged:
    """Line objects up along one of the world's axes: min along z puts their undersides at one height."""
    items = objects_named(names)
    if to is not None and target is not None:
        raise refuse("target", "give either to or target")
    models = objects_named([target], "target") if target is not None else items[:1]
    in_view_layer([*items, *models])
    graph = evaluated_graph()
    index = "xyz".index(axis)
    wanted = to if to is not None else _side(models[0], by, index, graph)
    # A parent takes its children along: theirs is measured again after it moved.
    placed: List[Placed] = []
    for item in sorted(items, key=_depth):
        now = evaluated_graph() if item.parent is not None else graph
        placed += shifted([item], _along(index, wanted - _side(item, by, index, now)), None)
    return arranged(placed)


@command("object.distribute", idempotent=True)
def distribute(
    *,
    names: Annotated[List[Name], "two objects or more; they keep the order in which they stand", Size(2, 1000)],
    axis: Axis,
    gap: Annotated[
        Optional[float], "metres between their boxes; default: even, the outer two stay", Range(-1e6, 1e6)
    ] = None,
) -> Arranged:
    """Spread objects along one of the world's axes with equal gaps between them."""
    items = objects_named(names)
    in_view_layer(items)
    chosen = set(items)
    nested = [item.name for item in items if item.parent in chosen]
    if nested:
        raise refuse("names", f"{nested[0]!r} moves with its parent, which is named too")
    graph = evaluated_graph()
    index = "xyz".index(axis)
    spans = sorted(((world_box(item, graph), item) for item in items), key=lambda pair: pair[0].center[index])
    if gap is None:
        room = spans[-1][0].high[index] - spans[0][0].low[index]
        gap = (room - math.fsum(box.size[index] for box, _item in spans)) / max(1, len(spans) - 1)
    at = spans[0][0].low[index]
    placed: List[Placed] = []
    for box, item in spans:
        placed += shifted([item], _along(index, at - box.low[index]), None)
        at += box.size[index] + gap
    return arranged(placed)


def _side(item: Any, by: str, index: int, graph: Any) -> float:
    if by == "origin":
        return float(item.matrix_world.translation[index])
    box = world_box(item, graph)
    return {"min": box.low, "center": box.center, "max": box.high}[by][index]


def _along(index: int, distance: float) -> Tuple[float, float, float]:
    offset = [0.0, 0.0, 0.0]
    offset[index] = distance
    return offset[0], offset[1], offset[2]


def _depth(item: Any) -> int:
    depth = 0
    while item.parent is not None:
        item, depth = item.parent, depth + 1
    return depth


def shifted(items: Sequence[Any], offset: Tuple[float, float, float], on: Optional[str]) -> List[Placed]:
    """Move objects in the world; children of one another move along with their parents."""
    from mathutils import Matrix

    chosen = set(items)
    for item in items:
        if any(offset) and item.parent not in chosen:
            item.matrix_world = Matrix.Translation(offset) @ item.matrix_world
    return [
        {"name": item.name, "moved": rounded(offset), "location": rounded(item.location), "on": on} for item in items
    ]
