"""object.snap_to_floor: straight down until it touches."""

from __future__ import annotations

from typing import Annotated, Any, Iterator, List, Optional, Sequence, Set, Tuple

from .boxes import Box, evaluated_graph, joined, shown_vertices, with_children, world_box
from .catalogue import command
from .lookup import current_scene, in_view_layer, objects_named
from .object_arrange import Arranged, Names, Placed, arranged, shifted

# Rays down from so many vertices, and from a grid of so many on each side: what is thinner than both may be missed.
_VERTICES = 300
_GRID = 12
_STEP = 1e-4


@command("object.snap_to_floor", idempotent=True)
def snap_to_floor(
    *,
    names: Names,
    height: Annotated[float, "the floor's z in metres"] = 0.0,
    onto_objects: Annotated[
        bool, "let it down onto whatever visible surface is below; onto the floor where none is"
    ] = False,
    children: Annotated[bool, "what is parented to an object belongs to it: its lowest point counts too"] = True,
    together: Annotated[bool, "move all by the same amount, as one thing; else each for itself"] = False,
) -> Arranged:
    """Move objects straight down, or up, until their lowest point touches the floor or what is below them.

    Exact for the floor. What is below is searched with rays: something thinner than a tenth of the object may be
    missed.
    """
    items = objects_named(names)
    in_view_layer(items)
    placed: List[Placed] = []
    for group in [items] if together else [[item] for item in items]:
        graph = evaluated_graph()
        members = with_children(group) if children else group
        box = joined(_solid(members, graph))
        fall, under = (box.low[2] - height if box else 0.0), None
        if onto_objects:
            gap, found = _gap_below(members, graph)
            # The nearer one stops it; what has sunk below the floor already is caught by a surface alone.
            if gap is not None and (gap < fall or fall < 0):
                fall, under = gap, found
        placed += shifted(group, (0.0, 0.0, -fall), under)
    return arranged(placed)


def _solid(members: Sequence[Any], graph: Any) -> List[Box]:
    """The members' boxes; points, as lights and empties are, only where there is nothing else."""
    boxes = [world_box(member, graph) for member in members]
    return [box for box in boxes if any(box.size)] or boxes


def _gap_below(members: Sequence[Any], graph: Any) -> Tuple[Optional[float], Optional[str]]:
    """How far the members fall until one of their points meets something else, and what that is."""
    own = {member.name for member in members}
    best: Optional[float] = None
    under = None
    for point in _lower_points(members, own, graph):
        hit = _below(point, own, graph)
        if hit is not None and (best is None or point.z - hit[0].z < best):
            best, under = point.z - hit[0].z, hit[1]
    return best, under


def _lower_points(members: Sequence[Any], own: Set[str], graph: Any) -> Iterator[Any]:
    from mathutils import Vector

    for member in members:
        shown = member.evaluated_get(graph)
        box = world_box(member, graph)
        if not any(box.size):
            continue
        for values in shown_vertices(shown):
            step = max(1, len(values) // 3 // _VERTICES) * 3
            for start in range(0, len(values), step):
                yield shown.matrix_world @ Vector(values[start : start + 3])
        for x, y in _grid(box):
            hit = _cast(Vector((x, y, box.low[2] - 1.0)), Vector((0.0, 0.0, 1.0)), graph, only=own)
            if hit is not None and hit[0].z <= box.high[2] + _STEP:
                yield hit[0]


def _grid(box: Box) -> Iterator[Tuple[float, float]]:
    for across in range(_GRID):
        for along in range(_GRID):
            # Off the edges, where a ray may pass on either side.
            u, v = (across + 0.5) / _GRID, (along + 0.5) / _GRID
            yield box.low[0] + box.size[0] * u, box.low[1] + box.size[1] * v


def _below(point: Any, own: Set[str], graph: Any) -> Optional[Tuple[Any, str]]:
    from mathutils import Vector

    return _cast(point + Vector((0.0, 0.0, _STEP)), Vector((0.0, 0.0, -1.0)), graph, without=own)


def _cast(
    origin: Any, direction: Any, graph: Any, *, only: Optional[Set[str]] = None, without: Optional[Set[str]] = None
) -> Optional[Tuple[Any, str]]:
    """The first surface along the ray that belongs to `only`, or to none of `without`: its place and its object."""
    scene = current_scene()
    for _surface in range(100):
        found, location, _normal, _face, item, _matrix = scene.ray_cast(graph, origin, direction)
        if not found:
            return None
        if (only is None or item.name in only) and (without is None or item.name not in without):
            return location, item.name
        origin = location + direction * _STEP
    return None
