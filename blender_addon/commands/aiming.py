"""Where a camera or a light has to be, and how it has to be turned, to see something: plain geometry, no operators.

A direction is where one looks *from*: "front" sees an object's front, as Blender's own views do.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal, Mapping, NamedTuple, Optional, Sequence, Tuple, Union

from ..constraints import Range
from .parameters import Rotation, Vector
from .transform import place

Side = Literal["front", "back", "left", "right", "top", "bottom", "iso"]
Turn = Annotated[float, Range(-1000, 1000)]
Direction = Annotated[
    Union[Side, Tuple[Turn, Turn]],
    "from where to look: a side (iso: from above, front and right), or [around, up] in radians: [0, 0] is the front, "
    "[1.5708, 0] the right, [0, 1.5708] the top",
]
Target = Annotated[Vector, "a place in the world to point at"]

_QUARTER = math.pi / 2
_SIDES: Mapping[str, Tuple[float, float]] = {
    "front": (0.0, 0.0),
    "back": (math.pi, 0.0),
    "left": (-_QUARTER, 0.0),
    "right": (_QUARTER, 0.0),
    "top": (0.0, _QUARTER),
    "bottom": (0.0, -_QUARTER),
    "iso": (math.pi / 4, math.atan(1 / math.sqrt(2))),
}


def turned_to(direction: Union[str, Tuple[float, float]]) -> Any:
    """The rotation, a quaternion, of a camera that looks from that direction, upright."""
    from mathutils import Euler

    around, up = _SIDES[direction] if isinstance(direction, str) else direction
    return Euler((_QUARTER - up, 0.0, around), "XYZ").to_quaternion()


def looking(at: Any, *, from_: Any, roll: float = 0.0) -> Optional[Any]:
    """The rotation of a camera or a light at `from_` that points to `at`, upright; None where they are one place."""
    from mathutils import Quaternion
    from mathutils import Vector as Place

    along = Place(at) - Place(from_)
    if along.length < 1e-9:
        return None
    return along.to_track_quat("-Z", "Y") @ Quaternion((0.0, 0.0, 1.0), roll)


def put(item: Any, location: Any, rotation: Any) -> None:
    """Give the object this place and rotation in the world, whatever its parent is; its scale stays."""
    import bpy
    from mathutils import Matrix

    bpy.context.view_layer.update()
    item.matrix_world = Matrix.LocRotScale(location, rotation, item.matrix_world.to_scale())
    bpy.context.view_layer.update()


class Frame(NamedTuple):
    """What a camera sees at a distance of 1, or anywhere where it is orthographic: left, right, bottom, top."""

    left: float
    right: float
    bottom: float
    top: float

    def narrowed(self, margin: float) -> Frame:
        """The same without a margin, a fraction of the whole, on each side."""
        x, y = (self.right - self.left) * margin, (self.top - self.bottom) * margin
        return Frame(self.left + x, self.right - x, self.bottom + y, self.top - y)


def frame_of(camera: Any, scene: Any) -> Frame:
    """The frame of camera data, by its lens, sensor and shift and the render's proportions."""
    seen = camera.view_frame(scene=scene)
    # A perspective frame is told at a distance of its own.
    distance = 1.0 if camera.type == "ORTHO" else -seen[0].z
    across, along = [point.x / distance for point in seen], [point.y / distance for point in seen]
    return Frame(min(across), max(across), min(along), max(along))


class Fit(NamedTuple):
    """Where a camera sees everything, how far the farthest thing is, and an orthographic camera's new scale."""

    location: Any
    farthest: float
    ortho_factor: float = 1.0


def fit_perspective(points: Sequence[Any], rotation: Any, frame: Frame, nearest: float) -> Fit:
    """The place nearest to the points from which all lie in the frame, none closer than `nearest`."""
    from mathutils import Vector as Place

    inverse = rotation.inverted()
    seen = [inverse @ point for point in points]
    x = _Span(seen, 0, frame.left, frame.right)
    y = _Span(seen, 1, frame.bottom, frame.top)
    depth = max(x.depth(), y.depth(), max(point.z for point in seen) + nearest)
    there = Place((x.middle(depth), y.middle(depth), depth))
    return Fit(rotation @ there, depth - min(point.z for point in seen))


class _Span:
    """Along one axis: a camera at depth z has its place from high - right·z to low - left·z."""

    def __init__(self, points: Sequence[Any], axis: int, left: float, right: float) -> None:
        self._left, self._right = left, right
        self._low = min(float(point[axis] + left * point.z) for point in points)
        self._high = max(float(point[axis] + right * point.z) for point in points)

    def depth(self) -> float:
        return (self._high - self._low) / (self._right - self._left)

    def middle(self, depth: float) -> float:
        return (self._low - self._left * depth + self._high - self._right * depth) / 2


def fit_orthographic(points: Sequence[Any], rotation: Any, frame: Frame, nearest: float) -> Fit:
    """The place and the scale from which the points fill the frame."""
    from mathutils import Vector as Place

    inverse = rotation.inverted()
    seen = [inverse @ point for point in points]
    low = [min(point[axis] for point in seen) for axis in range(3)]
    high = [max(point[axis] for point in seen) for axis in range(3)]
    width, height = frame.right - frame.left, frame.top - frame.bottom
    factor = max((high[0] - low[0]) / width, (high[1] - low[1]) / height)
    # One point, or a line along the view, has no size to fill the frame with.
    factor = factor or 1.0
    across = (low[0] + high[0] - (frame.left + frame.right) * factor) / 2
    along = (low[1] + high[1] - (frame.bottom + frame.top) * factor) / 2
    # The distance shows nothing; Blender's own views stand well back, and shadows need room.
    depth = high[2] + max(nearest, high[2] - low[2], width * factor)
    return Fit(rotation @ Place((across, along, depth)), depth - low[2], factor)


def aim(item: Any, location: Optional[Vector], rotation: Optional[Rotation], target: Optional[Any]) -> None:
    """Place an object, and point it at a place in the world where there is one."""
    import bpy

    place(item, location, rotation, None)
    if target is not None:
        bpy.context.view_layer.update()
        here = item.matrix_world.translation
        put(item, here.copy(), looking(target, from_=here) or item.matrix_world.to_quaternion())
