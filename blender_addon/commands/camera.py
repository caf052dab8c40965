"""camera.create, update, activate and list, in metres and radians; camera_aim has the commands that point it."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Literal, NamedTuple, Optional, TypedDict

from ..constraints import Range
from .aiming import Target, aim
from .catalogue import command
from .described import rounded
from .lookup import camera_named, current_scene, object_named, refuse
from .paging import Fields, Limit, Offset, only, page
from .parameters import Location, Name, Positive, Rotation
from .rna import set_properties

Projection = Annotated[Literal["perspective", "orthographic", "panoramic"], "panoramic is for Cycles alone"]
_TYPES: Dict[str, str] = {"perspective": "PERSP", "orthographic": "ORTHO", "panoramic": "PANO"}

Lens = Annotated[float, "focal length in mm: 24 is wide, 50 normal, 85 for portraits", Range(1, 5000)]
Sensor = Annotated[float, "the sensor's width in mm", Range(1, 1000)]
Fstop = Annotated[float, "aperture: small numbers blur what is out of focus", Range(0.01, 128)]
Focus = Annotated[str, 'the object that is sharp: switches the depth of field on; "" switches it off']
ClipStart = Annotated[Positive, "what is nearer than this is not seen"]
ClipEnd = Annotated[Positive, "what is farther than this is not seen"]
FocusDistance = Annotated[Positive, "what is sharp, without an object: switches depth of field on"]
Properties = Annotated[
    Optional[Dict[str, Any]], "other properties of the camera's data by Blender's names, as shift_x or sensor_fit"
]


class CameraState(TypedDict):
    """`location` and `rotation` are in the world; `fov` is the wider angle; `focus` is null without depth of field."""

    name: str
    active: bool
    location: List[float]
    rotation: List[float]
    projection: str
    lens: float
    fov: float
    sensor_width: float
    ortho_scale: float
    clip_start: float
    clip_end: float
    focus: Optional[Focused]


class Focused(TypedDict):
    object: Optional[str]
    distance: float
    fstop: float


class CameraPage(TypedDict):
    cameras: List[Dict[str, Any]]
    total: int
    next_offset: Optional[int]


@command("camera.create")
def create(
    *,
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    location: Location = (0.0, -10.0, 2.0),
    rotation: Annotated[Optional[Rotation], "it looks along its own -z; default: to the target"] = None,
    target: Target = (0.0, 0.0, 0.0),
    projection: Projection = "perspective",
    lens: Lens = 50.0,
    sensor_width: Sensor = 36.0,
    ortho_scale: Annotated[Positive, "how much an orthographic camera sees, in metres"] = 6.0,
    clip_start: ClipStart = 0.1,
    clip_end: ClipEnd = 1000.0,
    focus: Optional[Focus] = None,
    focus_distance: Optional[FocusDistance] = None,
    fstop: Optional[Fstop] = None,
    activate: Annotated[bool, "render through it"] = True,
) -> CameraState:
    """Add a camera that looks at a target, or in the direction of its rotation.

    camera.frame_objects then moves it to where it sees given objects whole.
    """
    import bpy

    _check_clip(clip_start, clip_end)
    optics = _Optics(
        lens=lens,
        sensor_width=sensor_width,
        ortho_scale=ortho_scale,
        clip_start=clip_start,
        clip_end=clip_end,
        type=_TYPES[projection],
    )
    blur = _Blur(focus, object_named(focus, "focus") if focus else None, focus_distance, fstop)
    scene = current_scene()
    item = bpy.data.objects.new(name or "Camera", bpy.data.cameras.new(name or "Camera"))
    (bpy.context.collection or scene.collection).objects.link(item)
    optics.set(item.data)
    blur.set(item.data.dof)
    aim(item, location, rotation, target if rotation is None else None)
    if activate or scene.camera is None:
        scene.camera = item
    return state(item)


@command("camera.update", idempotent=True)
def update(
    *,
    name: Annotated[Name, "a camera object's name"],
    location: Optional[Location] = None,
    rotation: Optional[Rotation] = None,
    projection: Optional[Projection] = None,
    lens: Optional[Lens] = None,
    sensor_width: Optional[Sensor] = None,
    ortho_scale: Annotated[Optional[Positive], "how much an orthographic camera sees, in metres"] = None,
    clip_start: Optional[ClipStart] = None,
    clip_end: Optional[ClipEnd] = None,
    focus: Optional[Focus] = None,
    focus_distance: Optional[FocusDistance] = None,
    fstop: Optional[Fstop] = None,
    properties: Properties = None,
) -> CameraState:
    """Change a camera; what is not given stays as it is. camera.look_at turns it, camera.frame_objects moves it."""
    item = camera_named(name, "name")
    data = item.data
    _check_clip(clip_start or data.clip_start, clip_end or data.clip_end)
    optics = _Optics(
        lens=lens,
        sensor_width=sensor_width,
        ortho_scale=ortho_scale,
        clip_start=clip_start,
        clip_end=clip_end,
        type=_TYPES[projection] if projection else None,
    )
    blur = _Blur(focus, object_named(focus, "focus") if focus else None, focus_distance, fstop)
    if properties:
        set_properties(data, properties, "properties")
    optics.set(data)
    blur.set(data.dof)
    aim(item, location, rotation, None)
    return state(item)


@command("camera.activate", idempotent=True)
def activate(*, name: Annotated[Name, "a camera object's name"]) -> CameraState:
    """Make this the scene's camera: the one that renders."""
    item = camera_named(name, "name")
    current_scene().camera = item
    return state(item)


@command("camera.list", read_only=True)
def list_cameras(*, fields: Fields = None, limit: Limit = 50, offset: Offset = 0) -> CameraPage:
    """List the scene's cameras with their settings, sorted by name."""
    found = sorted((item for item in current_scene().objects if item.type == "CAMERA"), key=lambda item: str(item.name))
    shown, following = page(found, limit, offset)
    states = [only(fields, state(item), tuple(CameraState.__annotations__)) for item in shown]
    return {"cameras": states, "total": len(found), "next_offset": following}


class _Optics(NamedTuple):
    """What create and update set of a camera's data, None where it stays; the names are Blender's."""

    type: Optional[str]
    lens: Optional[float]
    sensor_width: Optional[float]
    ortho_scale: Optional[float]
    clip_start: Optional[float]
    clip_end: Optional[float]

    def set(self, data: Any) -> None:
        for name, value in self._asdict().items():
            if value is not None:
                setattr(data, name, value)


class _Blur(NamedTuple):
    """What create and update set of the depth of field: `subject` is the object named by `focus`."""

    focus: Optional[str]
    subject: Any
    distance: Optional[float]
    fstop: Optional[float]

    def set(self, blur: Any) -> None:
        if self.fstop is not None:
            blur.aperture_fstop = self.fstop
        if self.distance is not None:
            blur.use_dof, blur.focus_object, blur.focus_distance = True, None, self.distance
        if self.focus is not None:
            blur.use_dof, blur.focus_object = bool(self.focus), self.subject


def _check_clip(start: float, end: float) -> None:
    if start >= end:
        raise refuse("clip_start", f"{start:g} must be less than clip_end, which is {end:g}")


def state(item: Any) -> CameraState:
    """What is told of one camera."""
    import bpy

    bpy.context.view_layer.update()
    data, blur = item.data, item.data.dof
    focus: Optional[Focused] = None
    if blur.use_dof:
        focus = {
            "object": blur.focus_object.name if blur.focus_object else None,
            "distance": rounded([blur.focus_distance])[0],
            "fstop": rounded([blur.aperture_fstop])[0],
        }
    return {
        "name": item.name,
        "active": current_scene().camera == item,
        "location": rounded(item.matrix_world.translation),
        "rotation": rounded(item.matrix_world.to_euler("XYZ")),
        "projection": next((ours for ours, theirs in _TYPES.items() if theirs == data.type), data.type.lower()),
        "lens": rounded([data.lens])[0],
        "fov": rounded([data.angle])[0],
        "sensor_width": rounded([data.sensor_width])[0],
        "ortho_scale": rounded([data.ortho_scale])[0],
        "clip_start": rounded([data.clip_start])[0],
        "clip_end": rounded([data.clip_end])[0],
        "focus": focus,
    }
