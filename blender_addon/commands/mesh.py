"""mesh.read and mesh.write: whole meshes as binary parts, never as JSON numbers."""

from __future__ import annotations

from array import array
from typing import Annotated, Any, Dict, List, Optional, Tuple, TypedDict

from ..constraints import Size
from ..wire import Part
from .attributes import attribute_named, read_values
from .catalogue import command
from .evaluated import mesh_of
from .geometry import LAYOUTS, all_finite, as_array, bounds, move_vertices, read_attribute, replace_geometry, total
from .lookup import current_scene, mesh_object_named, refuse, refuse_all
from .parameters import Name

Problems = List[Tuple[str, str]]


class MeshParts(TypedDict):
    object: str
    vertices: int
    edges: int
    faces: int
    corners: int
    attributes: Dict[str, Part]


class Written(TypedDict):
    """`created`: the object is new. `repaired`: Blender removed faces or edges that were not valid."""

    object: str
    vertices: int
    faces: int
    created: bool
    repaired: bool


@command("mesh.read", read_only=True)
def read(
    *,
    object: Annotated[Name, "an object's name"],  # noqa: A002  # the name is the public parameter
    attributes: Annotated[
        Optional[List[Name]],
        "co: <f4 [n, 3], positions in the object's own space; normal: <f4 [n, 3], per vertex; edges: <i4 [n, 2]; "
        "loop_vertex_index: <i4, the vertices of each face one after another; face_sizes: <i4, how many vertices each "
        "face has; material_index: <i4 and smooth: |u1, per face; or the name of a UV map, a colour or any other "
        "attribute that mesh.attributes lists. Default: co, loop_vertex_index and face_sizes",
        Size(1, 50),
    ] = None,
    evaluated: Annotated[
        bool, "the result of its modifiers, and of curves, texts and surfaces the mesh that they become"
    ] = False,
) -> MeshParts:
    """Read a mesh as binary arrays: its own geometry, or as its modifiers make it."""
    wanted = dict.fromkeys(attributes or ("co", "loop_vertex_index", "face_sizes"))
    with mesh_of(object, evaluated=evaluated) as mesh:
        return {
            "object": object,
            "vertices": len(mesh.vertices),
            "edges": len(mesh.edges),
            "faces": len(mesh.polygons),
            "corners": len(mesh.loops),
            "attributes": {name: _values(mesh, name) for name in wanted},
        }


def _values(mesh: Any, name: str) -> Part:
    if name in LAYOUTS:
        return read_attribute(mesh, name)
    return read_values(mesh, attribute_named(mesh, name, "attributes", list(LAYOUTS)), "attributes")


@command("mesh.write", destructive=True, idempotent=True)
def write(
    *,
    name: Annotated[Name, "a mesh object's name; it is made where there is none"],
    co: Annotated[Part, "positions, [n, 3]", LAYOUTS["co"]],
    loop_vertex_index: Annotated[
        Optional[Annotated[Part, LAYOUTS["loop_vertex_index"]]], "the vertices of each face one after another"
    ] = None,
    face_sizes: Annotated[
        Optional[Annotated[Part, LAYOUTS["face_sizes"]]], "how many vertices each face has, 3 or more"
    ] = None,
) -> Written:
    """Write a mesh from binary arrays: a new object, or the whole geometry of one that exists.

    With `co` alone the vertices of an existing mesh move and its faces stay, if there are as many as it has; a new
    object gets loose points. Everything is checked before Blender is touched.
    """
    positions = as_array(co, "co")
    corners = as_array(loop_vertex_index, "loop_vertex_index") if loop_vertex_index else array("i")
    sizes = as_array(face_sizes, "face_sizes") if face_sizes else array("i")
    moves_only = loop_vertex_index is None and face_sizes is None
    if (loop_vertex_index is None) != (face_sizes is None):
        missing = "face_sizes" if face_sizes is None else "loop_vertex_index"
        raise refuse(missing, "is required: loop_vertex_index and face_sizes go together")
    problems = _problems(positions, corners, sizes)
    if problems:
        raise refuse_all(problems)
    item, created = _target(name)
    mesh = item.data
    repaired = False
    if moves_only and not created:
        if len(mesh.vertices) * 3 != len(positions):
            counts = f"{len(positions) // 3} positions, and {name!r} has {len(mesh.vertices)} vertices"
            raise refuse("co", f"{counts}: send loop_vertex_index and face_sizes to replace the geometry")
        move_vertices(mesh, positions)
    else:
        repaired = replace_geometry(mesh, positions, corners, sizes)
    return {
        "object": item.name,
        "vertices": len(mesh.vertices),
        "faces": len(mesh.polygons),
        "created": created,
        "repaired": repaired,
    }


def _problems(positions: array[Any], corners: array[Any], sizes: array[Any]) -> Problems:
    found: Problems = []
    if not all_finite(positions):
        found.append(("co", "has numbers that are not finite"))
    if corners:
        low, high = bounds(corners)
        vertices = len(positions) // 3
        if low < 0 or high >= vertices:
            wrong = low if low < 0 else high
            found.append(("loop_vertex_index", f"names vertex {wrong}, and there are {vertices} from 0 on"))
    if sizes and bounds(sizes)[0] < 3:
        found.append(("face_sizes", f"each face needs 3 vertices or more, one has {bounds(sizes)[0]}"))
    elif total(sizes) != len(corners):
        found.append(("face_sizes", f"add up to {total(sizes)}, and loop_vertex_index has {len(corners)} entries"))
    return found


def _target(name: str) -> Tuple[Any, bool]:
    """The mesh object to write, and whether it is new."""
    import bpy

    if name in bpy.data.objects:
        item = mesh_object_named(name, "name")
        if item.mode == "EDIT":
            raise refuse("name", f"{name!r} is being edited: leave its edit mode first")
        return item, False
    item = bpy.data.objects.new(name, bpy.data.meshes.new(name))
    (bpy.context.collection or current_scene().collection).objects.link(item)
    return item, True
