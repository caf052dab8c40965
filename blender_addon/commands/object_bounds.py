"""object.bounds and scene.ray_cast: where things are, and what is where."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, Sequence, Tuple, TypedDict

from ..call import Call
from ..constraints import Range, Size
from .boxes import Box, evaluated_graph, joined, with_children, world_box
from .catalogue import command
from .described import rounded
from .lookup import collection_named, current_scene, in_view_layer, objects_named, refuse
from .paging import Limit, Offset, page
from .parameters import Name, Positive, Vector

_MOST_PAIRS = 100
# 2000 boxes are two million comparisons: a second.
_MOST_COMPARED = 2000


class Extent(TypedDict):
    """A box in world space: its lowest and highest corner, its middle and its size."""

    min: List[float]
    max: List[float]
    center: List[float]
    size: List[float]


class ObjectExtent(Extent):
    name: str


class Overlap(TypedDict):
    """Two objects whose boxes share space; `surfaces`: whether their surfaces cross, null where not asked for."""

    a: str
    b: str
    surfaces: Optional[bool]


class Bounds(TypedDict):
    """`all`: the box around all objects of every page, null where there is none. `overlaps` ends after 100 pairs."""

    objects: List[ObjectExtent]
    total: int
    next_offset: Optional[int]
    all: Optional[Extent]
    overlaps: List[Overlap]
    overlap_count: int


class Hit(TypedDict):
    """`face`: its index in the mesh with modifiers. `normal` points out of the surface."""

    object: str
    location: List[float]
    normal: List[float]
    face: int
    distance: float


class Seen(TypedDict):
    """`hit` is null where the ray meets nothing."""

    hit: Optional[Hit]


@command("object.bounds", read_only=True)
def bounds(
    call: Call,
    *,
    names: Annotated[Optional[List[Name]], "these objects; default: all of the scene", Size(1, 1000)] = None,
    collection: Annotated[Optional[str], "only objects in this collection or one below it"] = None,
    children: Annotated[bool, "each box holds what is parented to the object too"] = False,
    overlaps: Annotated[bool, "find objects whose boxes share space"] = False,
    surfaces: Annotated[bool, "look closer at overlaps: do the meshes themselves cross?"] = False,
    margin: Annotated[float, "overlaps: boxes closer than this count too, in metres", Range(0, 1000)] = 0.0,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Bounds:
    """Tell the boxes around objects in world space, modifiers included, sorted by name, and which of them overlap.

    Boxes are as tight as the vertices. Objects without a shape (lights, cameras, empties) are points, and overlap
    nothing.
    """
    # First, since new objects are in the view layer only once it was updated.
    graph = evaluated_graph()
    items = _chosen(names, collection)
    boxes = {item: _box(item, children, graph) for item in items}
    shown, following = page(items, limit, offset)
    pairs = _overlapping(boxes, margin, call) if overlaps or surfaces else []
    told = pairs[:_MOST_PAIRS]
    crossing = _crossing(told, graph, call) if surfaces else [None] * len(told)
    everything = joined(boxes.values())
    return {
        "objects": [{"name": item.name, **extent(boxes[item])} for item in shown],
        "total": len(items),
        "next_offset": following,
        "all": extent(everything) if everything else None,
        "overlaps": [
            {"a": a.name, "b": b.name, "surfaces": cross}
            for (a, b), cross in zip(told, crossing)  # noqa: B905  # one each
        ],
        "overlap_count": len(pairs),
    }


def extent(box: Box) -> Extent:
    return {
        "min": rounded(box.low),
        "max": rounded(box.high),
        "center": rounded(box.center),
        "size": rounded(box.size),
    }


def _chosen(names: Optional[Sequence[str]], collection: Optional[str]) -> List[Any]:
    import bpy

    if names is not None:
        items = objects_named(names)
        in_view_layer(items)
    else:
        items = list(bpy.context.view_layer.objects)
    if collection is not None:
        inside = set(collection_named(collection).all_objects)
        items = [item for item in items if item in inside]
    return sorted(items, key=_by_name)


def _by_name(item: Any) -> str:
    return str(item.name)


def _box(item: Any, children: bool, graph: Any) -> Box:
    members = with_children([item]) if children else [item]
    boxes = [world_box(member, graph) for member in members]
    solid = [box for box in boxes if any(box.size)]
    return joined(solid) or boxes[0]


def _overlapping(boxes: Dict[Any, Box], margin: float, call: Call) -> List[Tuple[Any, Any]]:
    solid = [(item, box) for item, box in boxes.items() if any(box.size)]
    if len(solid) > _MOST_COMPARED:
        raise refuse(
            "overlaps", f"{len(solid)} objects are too many to compare: name those that matter, or a collection"
        )
    # Sorted along x, each meets only those that begin before it ends.
    solid.sort(key=_by_low_x)
    found = []
    for index, (item, box) in enumerate(solid):
        call.check()
        for other, others in solid[index + 1 :]:
            if others.low[0] >= box.high[0] + margin:
                break
            if box.overlaps(others, margin):
                found.append((item, other))
    pairs = [(a, b) if a.name < b.name else (b, a) for a, b in found]
    pairs.sort(key=lambda pair: (pair[0].name, pair[1].name))
    return pairs


def _by_low_x(pair: Tuple[Any, Box]) -> float:
    return pair[1].low[0]


def _crossing(pairs: Sequence[Tuple[Any, Any]], graph: Any, call: Call) -> List[Optional[bool]]:
    trees: Dict[Any, Any] = {}
    for item in {item: None for pair in pairs for item in pair}:
        call.check()
        trees[item] = _surface(item, graph)
    return [bool(trees[a].overlap(trees[b])) for a, b in pairs]


def _surface(item: Any, graph: Any) -> Any:
    """The faces in world space, arranged for the search; of what has none nothing is ever met."""
    import bmesh
    from mathutils.bvhtree import BVHTree

    shown = item.evaluated_get(graph)
    shape = bmesh.new()
    try:
        mesh = shown.to_mesh() if item.type in ("MESH", "CURVE", "FONT", "SURFACE", "META") else None
        if mesh is not None:
            shape.from_mesh(mesh)
            shape.transform(shown.matrix_world)
            shown.to_mesh_clear()
        return BVHTree.FromBMesh(shape)
    finally:
        shape.free()


@command("scene.ray_cast", read_only=True)
def ray_cast(
    *,
    origin: Annotated[Vector, "where the ray begins, in world space"],
    direction: Annotated[Optional[Vector], "where it goes; its length does not matter"] = None,
    to: Annotated[Optional[Vector], "a place that it goes towards, instead of a direction"] = None,
    distance: Annotated[Optional[Positive], "how far it goes, in metres; default: without end"] = None,
) -> Seen:
    """Find the first surface that a ray meets: what stands below a place, what a camera sees, what is in the way.

    Objects that are hidden in the viewport are not met.
    """
    from mathutils import Vector as Direction

    if (direction is None) == (to is None):
        raise refuse("direction", "give either a direction or to")
    along = Direction(direction) if direction is not None else Direction(to) - Direction(origin)
    if along.length < 1e-9:
        raise refuse("direction" if to is None else "to", "has no length: the ray goes nowhere")
    graph = evaluated_graph()
    found, location, normal, face, item, _matrix = current_scene().ray_cast(
        graph, Direction(origin), along.normalized(), distance=distance or 1.70141e38
    )
    if not found:
        return {"hit": None}
    hit: Hit = {
        "object": item.name,
        "location": rounded(location),
        "normal": rounded(normal),
        "face": face,
        "distance": rounded([(location - Direction(origin)).length])[0],
    }
    return {"hit": hit}
