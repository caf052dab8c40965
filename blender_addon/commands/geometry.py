"""Arrays ↔ a mesh, in bulk: foreach_get and foreach_set on array.array, never lists.

From 4.2 on positions and corners are attributes that are copied whole (GB/s); 3.4 has no such attributes, and there
the old accessors are the fast ones. numpy checks large inputs where Blender brings it, and plain Python where not.
"""

from __future__ import annotations

from array import array
from itertools import accumulate, combinations, islice
from typing import Any, Callable, Mapping, Optional, Tuple

from ..constraints import Array
from ..wire import Part
from .attribute_types import numbers, read_items

LAYOUTS: Mapping[str, Array] = {
    "co": Array("<f4", 3),
    "normal": Array("<f4", 3),
    "edges": Array("<i4", 2),
    "loop_vertex_index": Array("<i4"),
    "face_sizes": Array("<i4"),
    "material_index": Array("<i4"),
    "smooth": Array("|u1"),
}


def read_attribute(mesh: Any, name: str) -> Part:
    """One of LAYOUTS as a binary part."""
    source, key, rows = _READERS[name](mesh)
    return read_items(source, key, LAYOUTS[name], rows)


Source = Tuple[Any, str, int]


def _positions(mesh: Any) -> Source:
    attribute = mesh.attributes.get("position")
    rows = len(mesh.vertices)
    return (mesh.vertices, "co", rows) if attribute is None else (attribute.data, "vector", rows)


def _corners(mesh: Any) -> Source:
    attribute = mesh.attributes.get(".corner_vert")
    rows = len(mesh.loops)
    return (mesh.loops, "vertex_index", rows) if attribute is None else (attribute.data, "value", rows)


def _edges(mesh: Any) -> Source:
    attribute = mesh.attributes.get(".edge_verts")
    rows = len(mesh.edges)
    return (mesh.edges, "vertices", rows) if attribute is None else (attribute.data, "value", rows)


_READERS: Mapping[str, Callable[[Any], Source]] = {
    "co": _positions,
    "normal": lambda mesh: (mesh.vertex_normals, "vector", len(mesh.vertices)),
    "loop_vertex_index": _corners,
    "edges": _edges,
    "face_sizes": lambda mesh: (mesh.polygons, "loop_total", len(mesh.polygons)),
    "material_index": lambda mesh: (mesh.polygons, "material_index", len(mesh.polygons)),
    "smooth": lambda mesh: (mesh.polygons, "use_smooth", len(mesh.polygons)),
}


def as_array(part: Part, name: str) -> array[Any]:
    """The part's numbers, in memory of their own."""
    return numbers(part, LAYOUTS[name])


def all_finite(values: array[Any]) -> bool:
    """No NaN and no infinity. Both have the highest exponent, which no number below 1.7e38 has half of."""
    top_bytes = values.tobytes()[3::4]
    if b"\x7f" not in top_bytes and b"\xff" not in top_bytes:
        return True
    total = sum(values)
    return bool(total - total == 0)


def bounds(values: array[Any]) -> Tuple[int, int]:
    """The smallest and the largest value of a list that is not empty."""
    numpy = _numpy()
    if numpy is None:
        return min(values), max(values)
    view = numpy.frombuffer(values, numpy.int32)
    return int(view.min()), int(view.max())


def total(values: array[Any]) -> int:
    """The sum, which may be beyond 32 bits."""
    numpy = _numpy()
    return sum(values) if numpy is None else int(numpy.frombuffer(values, numpy.int32).sum(dtype=numpy.int64))


def has_repeated_corner(corners: array[Any], face_sizes: array[Any]) -> bool:
    """Some face uses a vertex twice. The sizes add up to the corners."""
    numpy = _numpy()
    if numpy is None:
        at = iter(corners)
        return any(len(set(islice(at, size))) < size for size in face_sizes)
    vertices, sizes = numpy.frombuffer(corners, numpy.int32), numpy.frombuffer(face_sizes, numpy.int32)
    starts = numpy.cumsum(sizes, dtype=numpy.int64) - sizes
    for size in numpy.unique(sizes):
        if size * len(sizes) == len(vertices):
            faces = vertices.reshape(-1, size)
        else:
            faces = vertices[starts[sizes == size][:, None] + numpy.arange(size)]
        if _has_equal_columns(numpy, faces):
            return True
    return False


def _has_equal_columns(numpy: Any, faces: Any) -> bool:
    columns = faces.shape[1]
    if columns > 4:
        ordered = numpy.sort(faces, axis=1)
        return bool((ordered[:, 1:] == ordered[:, :-1]).any())
    pairs = combinations(range(columns), 2)
    return any(bool((faces[:, one] == faces[:, other]).any()) for one, other in pairs)


def _starts(face_sizes: array[Any]) -> array[Any]:
    starts: array[Any] = array("i", (0,))
    starts.extend(accumulate(face_sizes[:-1]))
    return starts


def _numpy() -> Optional[Any]:
    try:
        import numpy as np
    except ImportError:
        return None
    return np


def move_vertices(mesh: Any, co: array[Any]) -> None:
    """Set every vertex's position; the faces stay."""
    if co:
        source, key, _rows = _positions(mesh)
        source.foreach_set(key, co)
        # The bulk copy does not tell Blender that positions changed, and its bounds would stay; this does.
        mesh.vertices[0].co = mesh.vertices[0].co
    mesh.update()


def replace_geometry(mesh: Any, co: array[Any], corners: array[Any], face_sizes: array[Any]) -> bool:
    """Make the mesh of these arrays alone. True where Blender had to repair it (a face that uses a vertex twice)."""
    import bpy

    mesh.clear_geometry()
    mesh.vertices.add(len(co) // 3)
    if face_sizes:
        mesh.loops.add(len(corners))
        mesh.polygons.add(len(face_sizes))
        mesh.polygons.foreach_set("loop_start", _starts(face_sizes))
        if bpy.app.version < (4, 0, 0):
            mesh.polygons.foreach_set("loop_total", face_sizes)
        source, key, _rows = _corners(mesh)
        source.foreach_set(key, corners)
    if co:
        source, key, _rows = _positions(mesh)
        source.foreach_set(key, co)
    mesh.update(calc_edges=True)
    # Blender's own check takes longer than all of the rest: it is for what needs a repair.
    return has_repeated_corner(corners, face_sizes) and bool(mesh.validate())
