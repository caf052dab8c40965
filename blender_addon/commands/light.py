"""light.*: what makes things visible. Power in watts (a sun: W/m²), lengths in metres, angles in radians."""

from __future__ import annotations

import math
from typing import Annotated, Any, Dict, List, Literal, NamedTuple, Optional, Tuple, TypedDict, Union

from ..constraints import Range
from ..schema import nearest
from .aiming import Target, aim
from .catalogue import command
from .described import rounded
from .lookup import current_scene, object_named, refuse
from .paging import Fields, Limit, Offset, only, page
from .parameters import Colour, Fraction, Location, Name, Positive, Rotation, linear_rgba
from .rna import set_properties

Kind = Literal["point", "sun", "spot", "area"]
Energy = Annotated[float, "power in watts; of a sun its strength, where 1 to 5 is daylight", Range(0, 1e9)]
Size = Annotated[float, "width of the source: larger is softer. Of a sun its angle in radians", Range(0, 1e4)]
SizeY = Annotated[Positive, "an area's height, where it is not square"]
SpotAngle = Annotated[float, "a spot's whole cone, in radians", Range(0.0175, 3.1415)]
Shadow = Annotated[bool, "it throws shadows"]
Properties = Annotated[Optional[Dict[str, Any]], "other properties of the light's data by Blender's names"]

# What suits things a few metres away.
USUAL_ENERGY: Dict[str, float] = {"point": 1000.0, "sun": 3.0, "spot": 1000.0, "area": 500.0}


class LightState(TypedDict):
    """`location` and `rotation` are in the world; what another type has is null."""

    name: str
    type: str
    location: List[float]
    rotation: List[float]
    energy: float
    color: List[float]
    size: float
    size_y: Optional[float]
    spot_angle: Optional[float]
    spot_blend: Optional[float]
    shadow: bool
    visible: bool


class LightPage(TypedDict):
    lights: List[Dict[str, Any]]
    total: int
    next_offset: Optional[int]


@command("light.create")
def create(
    *,
    type: Annotated[Kind, "point: a bulb; sun: parallel, its place is nothing; spot: a cone; area: a soft panel"],  # noqa: A002  # the name is the public parameter
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    location: Location = (4.0, -4.0, 6.0),
    rotation: Annotated[Optional[Rotation], "it shines along its own -z; default: to the target"] = None,
    target: Target = (0.0, 0.0, 0.0),
    energy: Annotated[
        Optional[float], "power in watts; of a sun its strength. Default: 1000, area 500, sun 3", Range(0, 1e9)
    ] = None,
    color: Colour = "#ffffff",
    size: Optional[Size] = None,
    size_y: Optional[SizeY] = None,
    spot_angle: Optional[SpotAngle] = None,
    spot_blend: Annotated[Optional[Fraction], "how soft a spot's edge is"] = None,
    shadow: Shadow = True,
) -> LightState:
    """Add a light that points at a target, or in the direction of its rotation. light.studio adds three at once."""
    import bpy

    lamp = _Lamp(
        energy=USUAL_ENERGY[type] if energy is None else energy,
        color=_rgb(color),
        size_y=size_y,
        spot_size=spot_angle,
        spot_blend=spot_blend,
        use_shadow=shadow,
    )
    lamp.check(type)
    item = bpy.data.objects.new(name or type.title(), bpy.data.lights.new(name or type.title(), type.upper()))
    (bpy.context.collection or current_scene().collection).objects.link(item)
    lamp.set(item.data, size)
    aim(item, location, rotation, target if rotation is None else None)
    return state(item)


@command("light.update", idempotent=True)
def update(
    *,
    name: Annotated[Name, "a light object's name"],
    type: Annotated[Optional[Kind], "make it a light of another type"] = None,  # noqa: A002  # the name is the public parameter
    location: Optional[Location] = None,
    rotation: Optional[Rotation] = None,
    target: Optional[Target] = None,
    energy: Optional[Energy] = None,
    color: Optional[Colour] = None,
    size: Optional[Size] = None,
    size_y: Optional[SizeY] = None,
    spot_angle: Optional[SpotAngle] = None,
    spot_blend: Annotated[Optional[Fraction], "how soft a spot's edge is"] = None,
    shadow: Optional[Shadow] = None,
    properties: Properties = None,
) -> LightState:
    """Change a light; what is not given stays as it is.

    A sun counts its energy otherwise than the rest: give it too where the type changes.
    """
    item = light_named(name)
    lamp = _Lamp(
        energy=energy,
        color=_rgb(color) if color is not None else None,
        size_y=size_y,
        spot_size=spot_angle,
        spot_blend=spot_blend,
        use_shadow=shadow,
    )
    lamp.check(type or item.data.type.lower())
    if type is not None:
        item.data.type = type.upper()
    if properties:
        # A light of another type is another class in Blender: look it up anew.
        set_properties(light_named(name).data, properties, "properties")
    lamp.set(light_named(name).data, size)
    aim(item, location, rotation, target)
    return state(item)


@command("light.list", read_only=True)
def list_lights(*, fields: Fields = None, limit: Limit = 50, offset: Offset = 0) -> LightPage:
    """List the scene's lights with their settings, sorted by name."""
    found = sorted((item for item in current_scene().objects if item.type == "LIGHT"), key=lambda item: str(item.name))
    shown, following = page(found, limit, offset)
    states = [only(fields, state(item), tuple(LightState.__annotations__)) for item in shown]
    return {"lights": states, "total": len(found), "next_offset": following}


def light_named(name: str) -> Any:
    """The light of that name. Raises Fault `invalid_params` with the nearest lights."""
    import bpy

    found = object_named(name)
    if found.type != "LIGHT":
        lights = [other.name for other in bpy.data.objects if other.type == "LIGHT"]
        raise refuse("name", f"{name!r} is no light but a {found.type.lower()}", nearest(name, lights) or lights[:5])
    return found


def _rgb(color: Union[List[float], str]) -> Tuple[float, float, float]:
    red, green, blue, _alpha = linear_rgba(color)
    return red, green, blue


class _Lamp(NamedTuple):
    """What create and update set of a light's data, None where it stays; the names are Blender's."""

    energy: Optional[float]
    color: Optional[Tuple[float, float, float]]
    size_y: Optional[float]
    spot_size: Optional[float]
    spot_blend: Optional[float]
    use_shadow: Optional[bool]

    def check(self, kind: str) -> None:
        """Raises Fault `invalid_params` for what a light of that kind does not have."""
        owners = (("size_y", self.size_y, "area"), ("spot_angle", self.spot_size, "spot"))
        for param, value, owner in (*owners, ("spot_blend", self.spot_blend, "spot")):
            if value is not None and kind != owner:
                raise refuse(param, f"only a light of type {owner} has this, and this one is of type {kind}")

    def set(self, data: Any, size: Optional[float]) -> None:
        for name, value in self._asdict().items():
            if value is not None:
                setattr(data, name, value)
        if self.size_y is not None and data.shape in ("SQUARE", "DISK"):
            data.shape = "RECTANGLE" if data.shape == "SQUARE" else "ELLIPSE"
        if size is None:
            return
        if data.type == "AREA":
            data.size = size
        elif data.type == "SUN":
            data.angle = min(size, math.pi)
        else:
            data.shadow_soft_size = size / 2


def state(item: Any) -> LightState:
    """What is told of one light."""
    import bpy

    bpy.context.view_layer.update()
    data = item.data
    spot = data.type == "SPOT"
    size = {"AREA": "size", "SUN": "angle"}.get(data.type)
    return {
        "name": item.name,
        "type": data.type.lower(),
        "location": rounded(item.matrix_world.translation),
        "rotation": rounded(item.matrix_world.to_euler("XYZ")),
        "energy": rounded([data.energy])[0],
        "color": rounded(data.color),
        "size": rounded([getattr(data, size) if size else data.shadow_soft_size * 2])[0],
        "size_y": rounded([data.size_y])[0] if data.type == "AREA" and data.shape in ("RECTANGLE", "ELLIPSE") else None,
        "spot_angle": rounded([data.spot_size])[0] if spot else None,
        "spot_blend": rounded([data.spot_blend])[0] if spot else None,
        "shadow": data.use_shadow,
        "visible": not (item.hide_viewport or item.hide_render),
    }
