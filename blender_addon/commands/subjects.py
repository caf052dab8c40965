"""What a picture or a light is about: objects with what is parented to them, and the corners of their boxes."""

from __future__ import annotations

from itertools import islice
from typing import Annotated, Any, Iterable, List, NamedTuple, Optional, Sequence

from ..constraints import Size
from .lookup import objects_named, refuse
from .parameters import Name

Subjects = Annotated[
    Optional[List[Name]], "these objects and what is parented to them; default: all that renders", Size(1, 1000)
]

# Nothing to see by themselves, though an empty may stand for a whole collection.
_WITHOUT_SHAPE = ("EMPTY", "LIGHT", "CAMERA", "SPEAKER", "LIGHT_PROBE", "ARMATURE", "LATTICE")
_MOST_INSTANCES = 100_000


class Sphere(NamedTuple):
    """Around the middle of a box; the radius is above 0."""

    center: Any
    radius: float


def subjects_named(names: Optional[Sequence[str]], param: str = "objects") -> List[Any]:
    """The objects of those names and all below them; None: whatever the view layer renders.

    Raises Fault `invalid_params` where a name is missing or there is nothing to see.
    """
    import bpy

    layer = bpy.context.view_layer
    if names is None:
        found = [item for item in layer.objects if not item.hide_render and _has_shape(item)]
        if not found:
            raise refuse(param, "there is nothing to see in this scene: no object that renders has a shape")
        return found
    chosen = dict.fromkeys(objects_named(names, param))
    for item in list(chosen):
        chosen.update(dict.fromkeys(item.children_recursive))
    return list(chosen)


def corners(items: Iterable[Any]) -> List[Any]:
    """The corners of their boxes in world space, modifiers and instances included; of what has no shape its place.

    Never empty where there are items.
    """
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    points: List[Any] = []
    sources = set()
    for item in items:
        evaluated = item.evaluated_get(graph)
        if _instances(item):
            sources.add(item)
        points += _box(evaluated) if item.type not in _WITHOUT_SHAPE else [evaluated.matrix_world.translation.copy()]
    for instance in islice(graph.object_instances, _MOST_INSTANCES) if sources else ():
        if instance.is_instance and instance.parent and instance.parent.original in sources:
            points += _box(instance.object, instance.matrix_world)
    return points


def sphere_around(points: Sequence[Any]) -> Sphere:
    """A sphere that holds all points; a metre wide where they are one."""
    from mathutils import Vector

    low = Vector([min(point[axis] for point in points) for axis in range(3)])
    high = Vector([max(point[axis] for point in points) for axis in range(3)])
    center = (low + high) / 2
    return Sphere(center, max((point - center).length for point in points) or 0.5)


def _has_shape(item: Any) -> bool:
    return item.type not in _WITHOUT_SHAPE or _instances(item)


def _instances(item: Any) -> bool:
    return item.instance_type != "NONE" or any(modifier.type == "NODES" for modifier in item.modifiers)


def _box(item: Any, world: Optional[Any] = None) -> List[Any]:
    from mathutils import Vector

    matrix = item.matrix_world if world is None else world
    return [matrix @ Vector(corner) for corner in item.bound_box]
