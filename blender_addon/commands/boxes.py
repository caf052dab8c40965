"""Boxes around objects in world space, modifiers included: as tight as their vertices, not as their turned boxes."""

from __future__ import annotations

from array import array
from typing import Any, Iterable, Iterator, List, NamedTuple, Optional, Sequence, Tuple

from .geometry import read_attribute

Three = Tuple[float, float, float]

# In plain Python a vertex costs 0.2 µs an axis: beyond this the turned box has to do where there is no numpy.
_MOST_IN_PYTHON = 1_000_000
_GEOMETRY = ("MESH", "CURVE", "FONT", "SURFACE", "META")


class Box(NamedTuple):
    """The lowest and the highest corner."""

    low: Three
    high: Three

    @property
    def center(self) -> Three:
        return _three((low + high) / 2 for low, high in zip(*self))  # noqa: B905  # three each

    @property
    def size(self) -> Three:
        return _three(high - low for low, high in zip(*self))  # noqa: B905  # three each

    def overlaps(self, other: Box, margin: float = 0.0) -> bool:
        """They share space, or come closer than the margin; boxes that only touch do not overlap."""
        return all(
            self.low[axis] < other.high[axis] + margin and other.low[axis] < self.high[axis] + margin
            for axis in range(3)
        )


def evaluated_graph() -> Any:
    """The dependency graph, up to date with all that was changed before."""
    import bpy

    graph = bpy.context.evaluated_depsgraph_get()
    graph.update()
    return graph


def world_box(item: Any, graph: Any) -> Box:
    """The box around one object as it is seen; an object without a shape is a point."""
    shown = item.evaluated_get(graph)
    world = shown.matrix_world
    straight = all(sum(abs(value) > 1e-9 for value in row) == 1 for row in world.to_3x3())
    # Where every axis goes along an axis of the world, a mesh's box is exact and costs nothing. Around curves Blender
    # leaves room for a radius that they may not have.
    tight = None if straight and item.type == "MESH" else _vertex_box(shown)
    return tight or _box_of(world @ corner for corner in _corners(shown))


def joined(boxes: Iterable[Box]) -> Optional[Box]:
    """The box around boxes; None around none."""
    return around(corner for box in boxes for corner in box)


def around(points: Iterable[Sequence[float]]) -> Optional[Box]:
    """The box around points; None around none."""
    listed = list(points)
    return _box_of(listed) if listed else None


def _box_of(points: Iterable[Sequence[float]]) -> Box:
    axes = list(zip(*points))  # noqa: B905  # three each
    return Box(_three(min(axis) for axis in axes), _three(max(axis) for axis in axes))


def with_children(items: Sequence[Any]) -> List[Any]:
    """The objects and all that is parented to them, each once."""
    found = dict.fromkeys(items)
    for item in items:
        found.update(dict.fromkeys(item.children_recursive))
    return list(found)


def shown_vertices(shown: Any) -> Iterator[array[Any]]:
    """The evaluated object's vertices, x y z x y z … in its own space: one array, or none where it has no surface."""
    mesh = shown.to_mesh() if shown.type in _GEOMETRY else None
    if mesh is None:
        return
    try:
        if len(mesh.vertices):
            values: array[Any] = array("f")
            values.frombytes(read_attribute(mesh, "co").data)
            yield values
    finally:
        shown.to_mesh_clear()


def _vertex_box(shown: Any) -> Optional[Box]:
    for values in shown_vertices(shown):
        rows = [tuple(row) for row in shown.matrix_world][:3]
        low, high = [], []
        for row in rows:
            span = _along(values, row)
            if span is None:
                return None
            low.append(span[0])
            high.append(span[1])
        return Box(_three(low), _three(high))
    return None


def _along(values: array[Any], row: Sequence[float]) -> Optional[Tuple[float, float]]:
    """The smallest and the largest of row · (x, y, z, 1)."""
    try:
        import numpy as np
    except ImportError:
        if len(values) > 3 * _MOST_IN_PYTHON:
            return None
        a, b, c, d = row
        numbers = [a * x + b * y + c * z for x, y, z in zip(values[::3], values[1::3], values[2::3])]  # noqa: B905
        return min(numbers) + d, max(numbers) + d
    found = np.frombuffer(values, np.float32).reshape(-1, 3) @ np.array(row[:3])
    return float(found.min()) + row[3], float(found.max()) + row[3]


def _corners(shown: Any) -> List[Any]:
    from mathutils import Vector

    return [Vector(corner) for corner in shown.bound_box]


def _three(values: Iterable[float]) -> Three:
    x, y, z = values
    return x, y, z
