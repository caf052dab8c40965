"""mesh.uv_unwrap: UV maps made from the shape."""

from __future__ import annotations

import math
from typing import Annotated, Any, Callable, Literal, Mapping, Optional, TypedDict

from ..constraints import Range
from .catalogue import command
from .context import in_a_view, object_mode, selected_only
from .lookup import in_view_layer, mesh_object_named, refuse
from .operator_call import run_operator
from .parameters import Fraction, Name

Projection = Literal["smart", "seams", "cube"]
_Settings = Callable[[float, float], Mapping[str, Any]]
_OPERATORS: Mapping[str, tuple[str, _Settings]] = {
    "smart": ("uv.smart_project", lambda angle, margin: {"angle_limit": angle, "island_margin": margin}),
    "seams": ("uv.unwrap", lambda _angle, margin: {"method": "ANGLE_BASED", "margin": margin}),
    "cube": ("uv.cube_project", lambda _angle, _margin: {"scale_to_bounds": True}),
}


class Unwrapped(TypedDict):
    object: str
    uv_map: str
    created: bool
    faces: int


@command("mesh.uv_unwrap", destructive=True)
def uv_unwrap(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    projection: Annotated[
        Projection, "smart: islands by direction, for hard shapes; seams: cut open at the seams; cube: from six sides"
    ] = "smart",
    uv_map: Annotated[
        Optional[Name], "the map to write, made where there is none, then the active one; default: the active one"
    ] = None,
    angle: Annotated[float, "smart: an island's faces meet at less than this, radians", Range(0, math.pi / 2)] = 1.1519,
    margin: Annotated[Fraction, "between islands, of the map's width"] = 0.005,
    seams_sharper_than: Annotated[
        Optional[float], "seams: mark edges as seams whose faces meet at more, radians", Range(0, math.pi)
    ] = None,
) -> Unwrapped:
    """Unwrap all faces of a mesh into a UV map, so that image textures lie on it."""
    item = mesh_object_named(object, "object")
    in_view_layer([item], "object")
    mesh = item.data
    if not mesh.polygons:
        raise refuse("object", f"{object!r} has no faces to unwrap")
    if not item.visible_get():
        raise refuse("object", f"{object!r} is hidden, and only what is seen can be unwrapped")
    with in_a_view() as context, object_mode(context):
        created = _activate(mesh, uv_map)
        if seams_sharper_than is not None:
            _mark_seams(mesh, seams_sharper_than)
        operator, settings = _OPERATORS[projection]
        with selected_only([item], context.view_layer):
            _in_edit_mode(mesh, lambda: run_operator(operator, settings(angle, margin), f"unwrapping {object!r}"))
    return {
        "object": object,
        "uv_map": mesh.uv_layers.active.name,
        "created": created,
        "faces": len(mesh.polygons),
    }


def _activate(mesh: Any, name: Optional[str]) -> bool:
    """Make the map of that name the active one, and tell whether it is new."""
    maps = mesh.uv_layers
    if maps.active is not None and name in (None, maps.active.name):
        return False
    if name in maps.keys():  # noqa: SIM118  # `in` looks for a layer, not for a name
        maps.active = maps[name]
        return False
    made = maps.new(name=name or "UVMap")
    if made is None:
        raise refuse("uv_map", f"the mesh has {len(maps)} UV maps, and Blender allows no more")
    maps.active = maps[made.name]
    return True


def _mark_seams(mesh: Any, angle: float) -> None:
    import bmesh

    shape = bmesh.new()
    try:
        shape.from_mesh(mesh)
        for edge in shape.edges:
            edge.seam = len(edge.link_faces) == 2 and edge.calc_face_angle(0.0) > angle
        shape.to_mesh(mesh)
    finally:
        shape.free()


def _in_edit_mode(mesh: Any, operate: Callable[[], None]) -> None:
    """With all faces selected; hidden ones are shown, since operators pass over them."""
    import bmesh
    import bpy

    bpy.ops.object.mode_set(mode="EDIT")
    try:
        shape = bmesh.from_edit_mesh(mesh)
        for face in shape.faces:
            face.hide_set(False)
            face.select_set(True)
        bmesh.update_edit_mesh(mesh)
        operate()
    finally:
        bpy.ops.object.mode_set(mode="OBJECT")
