"""animation.*: time and keyframes."""

from __future__ import annotations

import math
from typing import Annotated, Any, List, Literal, Optional, TypedDict, Union

from ..constraints import Range, Size
from .animated import channel_of, curves_from
from .catalogue import command
from .described import rounded
from .lookup import current_scene, object_named, refuse, refuse_all
from .paging import Limit, Offset, page
from .parameters import Name

Frame = Annotated[int, Range(-1_048_574, 1_048_574)]
KeyFrame = Annotated[float, "the frame, fractions allowed", Range(-1_048_574, 1_048_574)]
Path = Annotated[
    str,
    'what moves, as Blender names it, from the object on: "location", "rotation_euler", "scale", "hide_render", '
    '"data.energy", "data.lens", \'modifiers["Subdivision"].levels\', \'["my property"]\', '
    '\'data.shape_keys.key_blocks["Key 1"].value\', "active_material.diffuse_color"',
    Size(1, 512),
]
Interpolation = Literal[
    "CONSTANT", "LINEAR", "BEZIER", "SINE", "QUAD", "CUBIC", "QUART", "QUINT", "EXPO", "CIRC", "BACK", "BOUNCE",
    "ELASTIC",
]  # fmt: skip
Value = Union[bool, float, Annotated[List[float], Size(1, 64)], str]


class Timeline(TypedDict):
    """`frame` is the current one; `seconds` is the length of start to end."""

    frame: int
    start: int
    end: int
    step: int
    fps: float
    seconds: float


class Key(TypedDict):
    """A value at a frame: a number, a list for all of a vector, true or false, or an enum's identifier."""

    frame: KeyFrame
    value: Value


class Inserted(TypedDict):
    """`keyframes`: how many the property has now, in all its curves."""

    object: str
    data_path: str
    inserted: int
    keyframes: int
    first: float
    last: float


class KeyState(TypedDict):
    """`index` is the place in a vector, 0 for what is none."""

    data_path: str
    index: int
    frame: float
    value: float
    interpolation: str


class KeyPage(TypedDict):
    keyframes: List[KeyState]
    total: int
    next_offset: Optional[int]


class DeletedKeys(TypedDict):
    deleted: int
    left: int


@command("animation.get", read_only=True)
def get() -> Timeline:
    """Tell the current frame, the frame range and the frames per second."""
    return _timeline()


@command("animation.set", idempotent=True)
def set_timeline(
    *,
    frame: Annotated[Optional[Frame], "go to this frame"] = None,
    start: Annotated[Optional[Annotated[int, Range(0, 1_048_574)]], "the first frame"] = None,
    end: Annotated[Optional[Annotated[int, Range(0, 1_048_574)]], "the last frame"] = None,
    step: Annotated[Optional[Annotated[int, Range(1, 10_000)]], "render each step-th frame only"] = None,
    fps: Annotated[Optional[float], "frames per second; 29.97 and the like are met exactly", Range(0.1, 240)] = None,
) -> Timeline:
    """Set the frame range and rate, and go to a frame; what is not given stays."""
    scene = current_scene()
    first = scene.frame_start if start is None else start
    last = scene.frame_end if end is None else end
    if first > last:
        raise refuse("start" if start is not None else "end", f"the range {first} to {last} has no frames")
    # Each pushes the other: set both.
    scene.frame_start, scene.frame_end = first, last
    if step is not None:
        scene.frame_step = step
    if fps is not None:
        scene.render.fps = math.ceil(fps)
        scene.render.fps_base = scene.render.fps / fps
    if frame is not None:
        scene.frame_set(frame)
    return _timeline()


@command("animation.insert_keyframes", idempotent=True)
def insert_keyframes(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    data_path: Path,
    keyframes: Annotated[List[Key], "a frame and a value each", Size(1, 10_000)],
    index: Annotated[Optional[int], "one component of a vector: 0 is x; default: all", Range(0, 63)] = None,
    interpolation: Annotated[Interpolation, "how it goes from each of these to the next"] = "BEZIER",
) -> Inserted:
    """Animate a property of an object: set its value at given frames. A keyframe that is there already is replaced.

    The current frame stays, and shows what the animation has there.
    """
    item = object_named(object, "object")
    channel = channel_of(item, data_path, index)
    wrong = ((number, channel.wrong(key["value"])) for number, key in enumerate(keyframes))
    problems = [(f"keyframes[{number}].value", problem) for number, problem in wrong if problem]
    if problems:
        raise refuse_all(problems)
    for key in keyframes:
        channel.insert(key["frame"], key["value"], interpolation)
    frames = [point.co.x for curve in channel.curves() for point in curve.keyframe_points]
    return {
        "object": item.name,
        "data_path": data_path,
        "inserted": len(keyframes),
        "keyframes": len(frames),
        "first": rounded([min(frames)])[0],
        "last": rounded([max(frames)])[0],
    }


@command("animation.keyframes", read_only=True)
def list_keyframes(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    data_path: Annotated[Optional[Path], "only this property's"] = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> KeyPage:
    """List keyframes of an object, its data and its materials, a page at a time, by property, component and frame."""
    keys = [
        (found.path, found.curve.array_index, point)
        for found in curves_from(object_named(object, "object"), data_path)
        for point in found.curve.keyframe_points
    ]
    keys.sort(key=lambda key: (key[0], key[1], key[2].co.x))
    shown, following = page(keys, limit, offset)
    return {"keyframes": [_key(*key) for key in shown], "total": len(keys), "next_offset": following}


@command("animation.delete_keyframes", destructive=True, idempotent=True)
def delete_keyframes(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    data_path: Annotated[Optional[Path], "only this property's; default: of all"] = None,
    index: Annotated[Optional[int], "only of this component of a vector", Range(0, 63)] = None,
    start: Annotated[Optional[KeyFrame], "from this frame on"] = None,
    end: Annotated[Optional[KeyFrame], "up to this frame, itself included"] = None,
) -> DeletedKeys:
    """Delete keyframes of an object, its data and its materials. A property without any stays at the value it has."""
    item = object_named(object, "object")
    first = float("-inf") if start is None else start
    last = float("inf") if end is None else end
    deleted = left = 0
    for _path, curves, curve in curves_from(item, data_path):
        if index not in (None, curve.array_index):
            continue
        points = curve.keyframe_points
        going = [number for number, point in enumerate(points) if first <= point.co.x <= last]
        deleted, left = deleted + len(going), left + len(points) - len(going)
        if len(going) == len(points):
            curves.remove(curve)
            continue
        for number in reversed(going):
            points.remove(points[number], fast=True)
        curve.update()
    return {"deleted": deleted, "left": left}


def _timeline() -> Timeline:
    scene = current_scene()
    fps = scene.render.fps / scene.render.fps_base
    return {
        "frame": scene.frame_current,
        "start": scene.frame_start,
        "end": scene.frame_end,
        "step": scene.frame_step,
        "fps": rounded([fps])[0],
        "seconds": rounded([(scene.frame_end - scene.frame_start + 1) / fps])[0],
    }


def _key(path: str, index: int, point: Any) -> KeyState:
    return {
        "data_path": path,
        "index": index,
        "frame": rounded([point.co.x])[0],
        "value": rounded([point.co.y])[0],
        "interpolation": point.interpolation,
    }
