"""camera.look_at and camera.frame_objects: plain geometry over bounding boxes, so that no window is needed."""

from __future__ import annotations

from typing import Annotated, Any, List, Optional, TypedDict

from ..constraints import Range
from .aiming import Direction, Fit, Target, fit_orthographic, fit_perspective, frame_of, looking, put, turned_to
from .camera import CameraState, state
from .catalogue import command
from .described import rounded
from .lookup import camera_named, current_scene, object_named, refuse
from .parameters import Name
from .subjects import Subjects, corners, sphere_around, subjects_named


class Framed(TypedDict):
    """`distance` is the camera's from the middle of what it sees."""

    camera: CameraState
    objects: int
    distance: float


@command("camera.look_at", idempotent=True)
def look_at(
    *,
    camera: Annotated[Optional[Name], "a camera object's name; default: the scene's"] = None,
    point: Optional[Target] = None,
    object: Annotated[Optional[Name], "look at the middle of this object instead"] = None,  # noqa: A002  # the name is the public parameter
    roll: Annotated[float, "turn it about its own axis, in radians", Range(-1000, 1000)] = 0.0,
) -> CameraState:
    """Turn a camera to a point or to an object; it stays where it is."""
    item = _camera(camera)
    if (point is None) == (object is None):
        raise refuse("point", "give either a point or an object")
    if object is not None:
        subject = object_named(object, "object")
        if subject == item:
            raise refuse("object", "a camera cannot look at itself")
        point = sphere_around(corners([subject])).center
    here = item.matrix_world.translation.copy()
    rotation = looking(point, from_=here, roll=roll)
    if rotation is None:
        raise refuse("point" if object is None else "object", "the camera is at this very place: move it first")
    put(item, here, rotation)
    return state(item)


@command("camera.frame_objects", idempotent=True)
def frame_objects(
    *,
    camera: Annotated[Optional[Name], "a camera object's name; default: the scene's"] = None,
    objects: Subjects = None,
    direction: Annotated[Optional[Direction], "default: the direction in which it looks now"] = None,
    margin: Annotated[float, "room on each side, a fraction of the picture", Range(0, 0.45)] = 0.05,
) -> Framed:
    """Move a camera so that it sees the objects whole and as large as they fit, by their bounding boxes.

    The lens stays; an orthographic camera's scale changes. clip_end grows where the objects would be cut.
    """
    item = _camera(camera)
    subjects = [subject for subject in subjects_named(objects) if subject != item]
    if not subjects:
        raise refuse("objects", "a camera cannot see itself")
    points = corners(subjects)
    rotation = item.matrix_world.to_quaternion() if direction is None else turned_to(direction)
    fit = _fit(item.data, points, rotation, margin)
    item.data.ortho_scale *= fit.ortho_factor
    item.data.clip_end = max(item.data.clip_end, fit.farthest * 1.1)
    put(item, fit.location, rotation)
    distance = (sphere_around(points).center - fit.location).length
    return {"camera": state(item), "objects": len(subjects), "distance": rounded([distance])[0]}


def _camera(name: Optional[str]) -> Any:
    """The camera of that name, else the scene's, its world matrix up to date. Raises Fault `invalid_params`."""
    import bpy

    bpy.context.view_layer.update()
    if name is not None:
        return camera_named(name, "camera")
    found = current_scene().camera
    if found is None or found.type != "CAMERA":
        cameras = [item.name for item in bpy.data.objects if item.type == "CAMERA"]
        raise refuse("camera", "the scene has none: add one with camera.create, or name one here", cameras[:5])
    return found


def _fit(data: Any, points: List[Any], rotation: Any, margin: float) -> Fit:
    frame = frame_of(data, current_scene()).narrowed(margin)
    if data.type == "ORTHO":
        return fit_orthographic(points, rotation, frame, data.clip_start * 1.01)
    # One point alone would be met at no distance at all.
    near = max(data.clip_start * 1.01, sphere_around(points).radius if len(set(map(tuple, points))) == 1 else 0.0)
    return fit_perspective(points, rotation, frame, near)
