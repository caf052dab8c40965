"""mesh.bevel, extrude, inset, subdivide, shade: the operations that shape a mesh, on faces chosen by what they are."""

from __future__ import annotations

import contextlib
import math
from array import array
from typing import Annotated, Any, Iterable, Iterator, List, Optional, TypedDict

from ..constraints import Range
from .catalogue import command
from .face_selection import SomeFaces, chosen_faces
from .mesh_attributes import mesh_to_change
from .parameters import Fraction, Name, Positive

Angle = Annotated[float, Range(0, math.pi)]
Distance = Annotated[float, Range(-1e6, 1e6)]


class Shaped(TypedDict):
    """What the mesh has now; `chosen`: how many faces or edges the operation was given."""

    object: str
    vertices: int
    edges: int
    faces: int
    chosen: int


@command("mesh.bevel", destructive=True)
def bevel(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    width: Annotated[Positive, "in metres of the object's own space"],
    segments: Annotated[int, "how many strips make the round: 1 is a chamfer", Range(1, 100)] = 1,
    profile: Annotated[Fraction, "0.5 is round, 1 keeps the corner, 0 cuts in"] = 0.5,
    sharper_than: Annotated[Angle, "only edges whose faces meet at more than this, in radians"] = 0.5236,
    faces: SomeFaces = None,
) -> Shaped:
    """Round or chamfer a mesh's edges for good. The modifier of type BEVEL does it and can be changed later."""
    with _shape(object) as (mesh, shape):
        chosen = set(chosen_faces(shape.faces, faces))
        edges = [edge for edge in shape.edges if _is_sharp(edge, sharper_than) and chosen.issuperset(edge.link_faces)]
        if edges:
            import bmesh

            ends = list({vertex for edge in edges for vertex in edge.verts})
            settings = {"offset": width, "offset_type": "OFFSET", "segments": segments, "profile": profile}
            bmesh.ops.bevel(shape, geom=edges + ends, affect="EDGES", clamp_overlap=True, material=-1, **settings)
    return _shaped(object, mesh, len(edges))


@command("mesh.extrude", destructive=True)
def extrude(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    distance: Annotated[Distance, "along the normals, in metres of the object's own space; negative: inwards"],
    faces: SomeFaces = None,
    individual: Annotated[bool, "each face by itself, instead of what hangs together as one"] = False,
) -> Shaped:
    """Extrude faces along their normals, with walls at the sides. All faces of an open surface give it a thickness."""
    with _shape(object) as (mesh, shape):
        chosen = chosen_faces(shape.faces, faces)
        if individual:
            _extrude_each(shape, chosen, distance)
        else:
            _extrude_region(shape, chosen, distance)
    return _shaped(object, mesh, len(chosen))


@command("mesh.inset", destructive=True)
def inset(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    thickness: Annotated[float, "the width of the rim, in metres of the object's own space", Range(0, 1e6)],
    depth: Annotated[Distance, "moves the inner faces along their normals; negative: a recess"] = 0.0,
    faces: SomeFaces = None,
    individual: Annotated[bool, "a rim in each face, instead of one around what hangs together"] = True,
) -> Shaped:
    """Make a smaller face inside of each chosen one, with a rim around it: panels, windows, recesses."""
    import bmesh

    with _shape(object) as (mesh, shape):
        chosen = chosen_faces(shape.faces, faces)
        operation = bmesh.ops.inset_individual if individual else bmesh.ops.inset_region
        operation(shape, faces=chosen, thickness=thickness, depth=depth, use_even_offset=True)
    return _shaped(object, mesh, len(chosen))


@command("mesh.subdivide", destructive=True)
def subdivide(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    cuts: Annotated[int, "of each edge: 1 makes four faces of one", Range(1, 50)] = 1,
    smoothness: Annotated[float, "0: flat; 1: bulges towards a sphere", Range(0, 10)] = 0.0,
    faces: SomeFaces = None,
) -> Shaped:
    """Cut faces into smaller ones for good. The modifier of type SUBSURF smooths and can be changed later."""
    import bmesh

    with _shape(object) as (mesh, shape):
        chosen = chosen_faces(shape.faces, faces)
        edges = list({edge for face in chosen for edge in face.edges})
        bmesh.ops.subdivide_edges(shape, edges=edges, cuts=cuts, smooth=smoothness, use_grid_fill=True)
    return _shaped(object, mesh, len(chosen))


@command("mesh.shade", idempotent=True)
def shade(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    smooth: Annotated[bool, "false: each face is flat"] = True,
    sharper_than: Annotated[
        Optional[Angle], "edges whose faces meet at more than this, in radians, stay sharp; default: none does"
    ] = None,
) -> Shaped:
    """Shade a mesh smooth or flat; its geometry stays as it is."""
    mesh = mesh_to_change(object)
    by_angle = smooth and sharper_than is not None
    if hasattr(mesh, "set_sharp_from_angle"):
        # Half a turn leaves no edge sharp, and so undoes an earlier angle. It makes all faces smooth.
        mesh.set_sharp_from_angle(angle=sharper_than if by_angle else math.pi)
    else:
        mesh.use_auto_smooth = by_angle
        mesh.auto_smooth_angle = sharper_than if by_angle else mesh.auto_smooth_angle
    mesh.polygons.foreach_set("use_smooth", array("b", (int(smooth),)) * len(mesh.polygons))
    mesh.update()
    return _shaped(object, mesh, len(mesh.polygons))


@contextlib.contextmanager
def _shape(name: str) -> Iterator[Any]:
    """The object's mesh and a bmesh of it, which is written back at the end of a block that raised nothing."""
    import bmesh

    mesh = mesh_to_change(name)
    shape = bmesh.new()
    try:
        shape.from_mesh(mesh)
        yield mesh, shape
        shape.normal_update()
        shape.to_mesh(mesh)
        mesh.update()
    finally:
        shape.free()


def _shaped(name: str, mesh: Any, chosen: int) -> Shaped:
    counts = len(mesh.vertices), len(mesh.edges), len(mesh.polygons)
    return {"object": name, "vertices": counts[0], "edges": counts[1], "faces": counts[2], "chosen": chosen}


def _is_sharp(edge: Any, angle: float) -> bool:
    return len(edge.link_faces) == 2 and bool(edge.calc_face_angle(0.0) > angle)


def _extrude_each(shape: Any, faces: List[Any], distance: float) -> None:
    import bmesh

    for face in bmesh.ops.extrude_discrete_faces(shape, faces=faces)["faces"]:
        bmesh.ops.translate(shape, verts=face.verts, vec=face.normal * distance)


def _extrude_region(shape: Any, faces: List[Any], distance: float) -> None:
    import bmesh
    from bmesh.types import BMVert

    chosen = set(faces)
    edges = {edge for face in faces for edge in face.edges}
    rim = [edge for edge in edges if not chosen.issuperset(edge.link_faces)]
    if not rim and not any(len(edge.link_faces) == 1 for edge in edges):
        # There is nothing to build walls on: a closed surface moves as it is.
        _move(shape, {vertex for face in faces for vertex in face.verts}, distance)
        return
    sheet = not rim
    made = bmesh.ops.extrude_face_region(shape, geom=[*faces, *edges] if sheet else faces, use_keep_orig=sheet)["geom"]
    _move(shape, [item for item in made if isinstance(item, BMVert)], distance)
    if sheet:
        # The back of what has a thickness now looks the other way.
        bmesh.ops.recalc_face_normals(shape, faces=shape.faces)
    else:
        bmesh.ops.delete(shape, geom=faces, context="FACES")


def _move(shape: Any, vertices: Iterable[Any], distance: float) -> None:
    shape.normal_update()
    for vertex, path in [(vertex, vertex.normal * vertex.calc_shell_factor() * distance) for vertex in vertices]:
        vertex.co += path
