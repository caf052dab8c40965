"""mesh.check and mesh.clean: what is wrong with a mesh, and its repair."""

from __future__ import annotations

import contextlib
from typing import Annotated, Any, Iterator, List, Optional, TypedDict

from ..constraints import Range
from .catalogue import command
from .described import rounded
from .evaluated import mesh_of
from .mesh_attributes import mesh_to_change
from .parameters import Name

# Shorter and smaller than this is degenerate, in metres and square metres.
_TINY_LENGTH = 1e-6
_TINY_AREA = 1e-10


class Checked(TypedDict):
    """Counts. `closed`: every edge has two faces, as 3D printing and booleans need; then `volume` is in cubic metres.

    `inconsistent_edges`: the faces on both sides disagree about which side is out."""

    object: str
    vertices: int
    edges: int
    faces: int
    triangles: int
    quads: int
    ngons: int
    closed: bool
    boundary_edges: int
    wire_edges: int
    overfull_edges: int
    inconsistent_edges: int
    loose_vertices: int
    double_vertices: int
    zero_length_edges: int
    zero_area_faces: int
    area: float
    volume: Optional[float]


class Cleaned(TypedDict):
    """What the mesh has now, and what was done."""

    object: str
    vertices: int
    edges: int
    faces: int
    merged_vertices: int
    loose_removed: int
    degenerate_removed: int
    holes_filled: int


@command("mesh.check", read_only=True)
def check(
    *,
    object: Annotated[Name, "an object's name"],  # noqa: A002  # the name is the public parameter
    evaluated: Annotated[bool, "check the result of its modifiers"] = False,
    double_distance: Annotated[float, "vertices nearer than this count as double", Range(0, 1e3)] = 1e-4,
) -> Checked:
    """Tell what is wrong with a mesh: holes, loose parts, doubles, flipped normals, degenerate faces. Object space."""
    with mesh_of(object, evaluated=evaluated) as mesh, _bmesh(mesh) as shape:
        return _checked(object, shape, double_distance)


@command("mesh.clean", destructive=True, idempotent=True)
def clean(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    merge_distance: Annotated[float, "vertices nearer than this become one; 0: none", Range(0, 1e3)] = 1e-4,
    delete_loose: Annotated[bool, "edges and vertices without a face"] = True,
    dissolve_degenerate: Annotated[bool, "edges without length and faces without area"] = True,
    fill_holes: Annotated[bool, "a face over each hole"] = False,
    recalculate_normals: Annotated[bool, "all faces look outwards"] = True,
    triangulate: Annotated[bool, "faces of more than three corners become triangles"] = False,
) -> Cleaned:
    """Repair a mesh: merge doubles, delete loose parts, dissolve degenerate ones, fill holes, turn normals outwards."""
    import bmesh

    mesh = mesh_to_change(object)
    with _bmesh(mesh) as shape:
        merged = _removed(shape, lambda: bmesh.ops.remove_doubles(shape, verts=shape.verts, dist=merge_distance))
        degenerate = 0
        if dissolve_degenerate:
            degenerate = _removed(
                shape, lambda: bmesh.ops.dissolve_degenerate(shape, dist=_TINY_LENGTH, edges=shape.edges)
            )
        loose = _removed(shape, lambda: _delete_loose(shape)) if delete_loose else 0
        filled = _fill_holes(shape) if fill_holes else 0
        if recalculate_normals:
            bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
        if triangulate:
            bmesh.ops.triangulate(shape, faces=shape.faces)
        shape.to_mesh(mesh)
    mesh.update()
    return {
        "object": object,
        "vertices": len(mesh.vertices),
        "edges": len(mesh.edges),
        "faces": len(mesh.polygons),
        "merged_vertices": merged,
        "loose_removed": loose,
        "degenerate_removed": degenerate,
        "holes_filled": filled,
    }


def _checked(name: str, shape: Any, double_distance: float) -> Checked:
    import bmesh

    around = [len(edge.link_faces) for edge in shape.edges]
    sizes = [len(face.verts) for face in shape.faces]
    areas = [face.calc_area() for face in shape.faces]
    closed = bool(around) and all(count == 2 for count in around)
    doubles = bmesh.ops.find_doubles(shape, verts=shape.verts, dist=double_distance)["targetmap"]
    return {
        "object": name,
        "vertices": len(shape.verts),
        "edges": len(around),
        "faces": len(sizes),
        "triangles": sizes.count(3),
        "quads": sizes.count(4),
        "ngons": sum(size > 4 for size in sizes),
        "closed": closed,
        "boundary_edges": around.count(1),
        "wire_edges": around.count(0),
        "overfull_edges": sum(count > 2 for count in around),
        "inconsistent_edges": sum(len(edge.link_faces) == 2 and not edge.is_contiguous for edge in shape.edges),
        "loose_vertices": sum(not vertex.link_edges for vertex in shape.verts),
        "double_vertices": len(doubles),
        "zero_length_edges": sum(edge.calc_length() < _TINY_LENGTH for edge in shape.edges),
        "zero_area_faces": sum(area < _TINY_AREA for area in areas),
        "area": rounded([sum(areas)])[0],
        "volume": rounded([shape.calc_volume(signed=True)])[0] if closed else None,
    }


@contextlib.contextmanager
def _bmesh(mesh: Any) -> Iterator[Any]:
    import bmesh

    shape = bmesh.new()
    try:
        shape.from_mesh(mesh)
        shape.normal_update()
        yield shape
    finally:
        shape.free()


def _removed(shape: Any, operate: Any) -> int:
    """How many vertices the operation took away."""
    before = len(shape.verts)
    operate()
    return before - len(shape.verts)


def _delete_loose(shape: Any) -> None:
    import bmesh

    edges = [edge for edge in shape.edges if not edge.link_faces]
    bmesh.ops.delete(shape, geom=edges, context="EDGES")
    vertices: List[Any] = [vertex for vertex in shape.verts if not vertex.link_faces]
    bmesh.ops.delete(shape, geom=vertices, context="VERTS")


def _fill_holes(shape: Any) -> int:
    import bmesh

    rims = [edge for edge in shape.edges if len(edge.link_faces) == 1]
    return len(bmesh.ops.holes_fill(shape, edges=rims, sides=0)["faces"]) if rims else 0
