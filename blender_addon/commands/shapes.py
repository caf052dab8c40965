"""What object.create can make: data-blocks of each type, without operators, so that no context is needed."""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping, Optional, Tuple

# Blender's own primitives are 2 m across.
ACROSS = 2.0
_ENERGY = {"POINT": 1000.0, "SPOT": 1000.0, "AREA": 500.0, "SUN": 3.0}


def make_object(kind: str, name: str, size: Optional[float]) -> Any:
    """A new object of that kind, in no collection yet. `size` None: as large as Blender makes it."""
    import bpy

    if kind == "empty":
        item = bpy.data.objects.new(name, None)
        item.empty_display_size = size / 2 if size else 1.0
        return item
    if kind in _SHAPES:
        return bpy.data.objects.new(name, _mesh(name, _SHAPES[kind], size or ACROSS))
    if kind == "camera":
        data = bpy.data.cameras.new(name)
        data.display_size = size or data.display_size
    elif kind == "text":
        data = bpy.data.curves.new(name, "FONT")
        data.body = "Text"
        data.size = size or data.size
    else:
        data = _light(name, kind.rpartition("_")[2].upper(), size)
    return bpy.data.objects.new(name, data)


def _light(name: str, kind: str, size: Optional[float]) -> Any:
    import bpy

    light = bpy.data.lights.new(name, kind)
    light.energy = _ENERGY[kind]
    if size and kind == "AREA":
        light.size = size
    elif size and kind != "SUN":
        light.shadow_soft_size = size / 2
    return light


def _mesh(name: str, build: Callable[[Any, float], None], size: float) -> Any:
    import bmesh
    import bpy

    mesh = bpy.data.meshes.new(name)
    shape = bmesh.new()
    try:
        shape.loops.layers.uv.new("UVMap")
        build(shape, size)
        shape.to_mesh(mesh)
    finally:
        shape.free()
    return mesh


def _primitive(name: str, **settings: Any) -> Callable[[Any, float], None]:
    """One of bmesh's own; `settings` that are functions are given the size."""

    def build(shape: Any, size: float) -> None:
        import bmesh

        values = {key: value(size) if callable(value) else value for key, value in settings.items()}
        getattr(bmesh.ops, name)(shape, calc_uvs=True, **values)

    return build


def _half(size: float) -> float:
    return size / 2


def _whole(size: float) -> float:
    return size


def _monkey(shape: Any, size: float) -> None:
    import bmesh
    from mathutils import Matrix

    bmesh.ops.create_monkey(shape, matrix=Matrix.Scale(size / ACROSS, 4), calc_uvs=True)


def _torus(shape: Any, size: float, around: int = 48, across: int = 16) -> None:
    """A ring whose outer diameter is the size and whose tube is a fifth of it."""
    ring, tube = size * 0.4, size * 0.1
    grid = [(step, turn) for step in range(around) for turn in range(across)]
    points = {at: shape.verts.new(_on_torus(ring, tube, at[0] / around, at[1] / across)) for at in grid}
    for step, turn in grid:
        following, onward = (step + 1) % around, (turn + 1) % across
        corners = ((step, turn), (following, turn), (following, onward), (step, onward))
        shape.faces.new([points[corner] for corner in corners])


def _on_torus(ring: float, tube: float, along: float, about: float) -> Tuple[float, float, float]:
    u, v = along * math.tau, about * math.tau
    distance = ring + tube * math.cos(v)
    return distance * math.cos(u), distance * math.sin(u), tube * math.sin(v)


_SHAPES: Mapping[str, Callable[[Any, float], None]] = {
    "cube": _primitive("create_cube", size=_whole),
    "uv_sphere": _primitive("create_uvsphere", u_segments=32, v_segments=16, radius=_half),
    "ico_sphere": _primitive("create_icosphere", subdivisions=2, radius=_half),
    "cylinder": _primitive("create_cone", cap_ends=True, segments=32, radius1=_half, radius2=_half, depth=_whole),
    "cone": _primitive("create_cone", cap_ends=True, segments=32, radius1=_half, radius2=0.0, depth=_whole),
    "plane": _primitive("create_grid", x_segments=1, y_segments=1, size=_half),
    "torus": _torus,
    "monkey": _monkey,
}
