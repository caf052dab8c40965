"""world.*: what is behind everything, and the light that comes from it."""

from __future__ import annotations

from typing import Annotated, Any, List, Literal, Optional, TypedDict

from ..constraints import Range
from .catalogue import command
from .described import rounded
from .lookup import current_scene, refuse
from .parameters import Colour, linear_rgba
from .places import AbsolutePath, to_read
from .world_nodes import Backdrop, backdrop_of, hang_picture, hang_sky, paint, sky_types

_PICTURES = (".hdr", ".exr", ".png", ".jpg", ".jpeg", ".tif", ".tiff", ".webp")


class WorldState(TypedDict):
    """`kind` is "nodes" where the world's nodes are none of the others, "none" where the scene has no world.

    `rotation` and the sun's angles are in radians.
    """

    name: Optional[str]
    kind: Literal["color", "hdri", "sky", "nodes", "none"]
    color: List[float]
    strength: float
    image: Optional[str]
    rotation: Optional[float]
    sun_elevation: Optional[float]
    sun_rotation: Optional[float]


@command("world.get", read_only=True)
def get() -> WorldState:
    """Tell what the scene's world is: a colour, a picture around it (HDRI), a sky, or other nodes."""
    return _state(current_scene().world)


@command("world.set", idempotent=True)
def set_world(
    *,
    color: Annotated[Optional[Colour], "one colour everywhere; black is no light"] = None,
    hdri: Annotated[Optional[AbsolutePath], "a panorama: .hdr or .exr, which light well, or any picture"] = None,
    rotation: Annotated[Optional[float], "turn the panorama about the vertical, in radians", Range(-1000, 1000)] = None,
    sky: Annotated[Optional[bool], "true: a clear sky with a sun, for Cycles and newer EEVEEs"] = None,
    sun_elevation: Annotated[Optional[float], "the sun's height in radians", Range(-1.5708, 1.5708)] = None,
    sun_rotation: Annotated[Optional[float], "the sun's compass direction in radians", Range(-1000, 1000)] = None,
    strength: Annotated[Optional[float], "1 as it is; a sky wants 0.1 to 0.3", Range(0, 1e6)] = None,
) -> WorldState:
    """Set the scene's world: a colour, a panorama or a sky, of which the last one set stays. It is made where none is.

    Nodes that fed the background before are removed. `strength` and the angles alone change what is there.
    """
    scene = current_scene()
    if [color is not None, hdri is not None, bool(sky)].count(True) > 1:
        raise refuse("color", "a world is one of color, hdri and sky: give one of them")
    picture = to_read(hdri, _PICTURES, param="hdri") if hdri is not None else None
    kind = _kind_after(scene, color, hdri, sky)
    for param, value, owner in (
        ("rotation", rotation, "hdri"), ("sun_elevation", sun_elevation, "sky"), ("sun_rotation", sun_rotation, "sky"),
    ):  # fmt: skip
        if value is not None and kind != owner:
            raise refuse(param, f"only a world with {owner} has this: give {owner} too")
    image = _loaded(str(picture)) if picture is not None else None
    drop = backdrop_of(_world(scene))
    if color is not None:
        paint(drop, linear_rgba(color))
    elif image is not None:
        hang_picture(drop, image)
    elif sky:
        hang_sky(drop)
    _adjust(drop, strength, rotation, sun_elevation, sun_rotation)
    return _state(scene.world)


def _kind_after(scene: Any, color: object, hdri: object, sky: Optional[bool]) -> str:
    if color is not None:
        return "color"
    if hdri is not None:
        return "hdri"
    if sky and not sky_types():
        raise refuse("sky", "this Blender has no sky texture")
    return "sky" if sky else _state(scene.world)["kind"]


def _loaded(path: str) -> Any:
    import bpy

    try:
        image = bpy.data.images.load(path, check_existing=True)
    except RuntimeError as error:
        raise refuse("hdri", str(error).strip()) from None
    if not image.size[0]:
        if not image.users:
            bpy.data.images.remove(image)
        raise refuse("hdri", f"{path!r} is no picture that Blender can read")
    return image


def _world(scene: Any) -> Any:
    import bpy

    if scene.world is None:
        scene.world = bpy.data.worlds.new("World")
    world = scene.world
    # From 5.0 on every world has nodes, and setting this warns.
    if bpy.app.version < (5, 0, 0) and not world.use_nodes:
        world.use_nodes = True
    return world


def _adjust(
    drop: Backdrop,
    strength: Optional[float],
    rotation: Optional[float],
    sun_elevation: Optional[float],
    sun_rotation: Optional[float],
) -> None:
    if strength is not None:
        drop.set_input("Strength", strength)
    if rotation is not None:
        drop.mapping().inputs["Rotation"].default_value[2] = rotation
    source = drop.source()
    if sun_elevation is not None:
        source.sun_elevation = sun_elevation
    if sun_rotation is not None:
        source.sun_rotation = sun_rotation


def _state(world: Any) -> WorldState:
    state: WorldState = {
        "name": world.name if world else None,
        "kind": "none",
        "color": [0.0, 0.0, 0.0],
        "strength": 0.0,
        "image": None,
        "rotation": None,
        "sun_elevation": None,
        "sun_rotation": None,
    }
    if world is None:
        return state
    drop = Backdrop.found(world)
    if drop is None:
        # Without nodes the world is its own colour.
        plain = world.node_tree is None or not world.use_nodes
        kind: Literal["color", "nodes"] = "color" if plain else "nodes"
        return {**state, "kind": kind, "color": rounded(world.color), "strength": 1.0}
    state["color"] = rounded(drop.background.inputs["Color"].default_value[:3])
    state["strength"] = rounded([drop.background.inputs["Strength"].default_value])[0]
    return _with_source(state, drop)


def _with_source(state: WorldState, drop: Backdrop) -> WorldState:
    source = drop.source()
    if source is None:
        state["kind"] = "color"
    elif source.type == "TEX_ENVIRONMENT":
        mapping = drop.mapping_found()
        state["kind"] = "hdri"
        state["image"] = source.image.filepath if source.image else None
        state["rotation"] = rounded([mapping.inputs["Rotation"].default_value[2]])[0] if mapping else 0.0
    elif source.type == "TEX_SKY":
        state["kind"] = "sky"
        state["sun_elevation"], state["sun_rotation"] = rounded([source.sun_elevation, source.sun_rotation])
    else:
        state["kind"] = "nodes"
    return state
