"""light.studio: three soft lights about a subject, as photographers put them."""

from __future__ import annotations

import math
from typing import Annotated, Any, List, NamedTuple, Tuple, TypedDict

from ..constraints import Range
from .aiming import looking, put, turned_to
from .catalogue import command
from .light import LightState, state
from .lookup import current_scene, refuse
from .parameters import Positive
from .subjects import Sphere, Subjects, corners, sphere_around, subjects_named


class Studio(TypedDict):
    lights: List[LightState]


class _Lamp(NamedTuple):
    """Where a light stands as the camera sees it, in radians, and how bright and warm it is beside the key light."""

    name: str
    around: float
    up: float
    share: float
    color: Tuple[float, float, float]


_LAMPS = (
    _Lamp("Studio Key", math.radians(45), math.radians(40), 1.0, (1.0, 0.95, 0.88)),
    _Lamp("Studio Fill", math.radians(-50), math.radians(15), 0.3, (0.85, 0.92, 1.0)),
    _Lamp("Studio Rim", math.radians(160), math.radians(45), 0.8, (1.0, 1.0, 1.0)),
)
# The radii of the subject at which the lights stand.
_DISTANCE = 3.0


@command("light.studio", idempotent=True)
def studio(
    *,
    objects: Subjects = None,
    strength: Annotated[Positive, "1 exposes a middling grey well in a dark world"] = 1.0,
    softness: Annotated[float, "the panels' width, in widths of the subject", Range(0.05, 10)] = 1.0,
) -> Studio:
    """Light objects with a key, a fill and a rim light, placed about them as the scene's camera sees them.

    The lights are "Studio Key", "Studio Fill" and "Studio Rim"; where they are there already they are moved.
    """
    import bpy

    for lamp in _LAMPS:
        known = bpy.data.objects.get(lamp.name)
        if known is not None and known.type != "LIGHT":
            raise refuse("objects", f"{lamp.name!r} is a {known.type.lower()}: rename it, the light needs its name")
    subject = sphere_around(corners(subjects_named(objects)))
    front = _around(subject)
    lights = [_stand(lamp, subject, front, strength, softness) for lamp in _LAMPS]
    return {"lights": [state(item) for item in lights]}


def _around(subject: Sphere) -> float:
    """The angle from which the scene's camera sees the subject; the front where there is none."""
    camera = current_scene().camera
    if camera is None:
        return 0.0
    away = camera.matrix_world.translation - subject.center
    return math.atan2(away.x, -away.y) if away.xy.length > 1e-6 else 0.0


def _stand(lamp: _Lamp, subject: Sphere, front: float, strength: float, softness: float) -> Any:
    import bpy

    item = bpy.data.objects.get(lamp.name)
    if item is None:
        item = bpy.data.objects.new(lamp.name, bpy.data.lights.new(lamp.name, "AREA"))
    scene = current_scene()
    if item.name not in scene.objects:
        scene.collection.objects.link(item)
    item.data.type = "AREA"
    distance = subject.radius * _DISTANCE
    panel = bpy.data.objects[lamp.name].data
    panel.shape, panel.size = "SQUARE", subject.radius * 2 * softness
    panel.color = lamp.color
    # A panel of P watts sends P / (π d²) to a distance d, and white sends 1/π of what it gets on.
    panel.energy = strength * lamp.share * (math.pi * distance) ** 2
    turned = turned_to((front + lamp.around, lamp.up))
    place = subject.center + turned @ _backwards(distance)
    put(item, place, looking(subject.center, from_=place) or turned)
    return item


def _backwards(distance: float) -> Any:
    from mathutils import Vector

    return Vector((0.0, 0.0, distance))
