"""An object's own transform, whatever its rotation mode is."""

from __future__ import annotations

from typing import Any, Optional, Tuple

Three = Tuple[float, float, float]


def place(item: Any, location: Optional[Three], rotation: Optional[Three], scale: Optional[Three]) -> None:
    """Set what is given; `rotation` is Euler XYZ in radians, and the object keeps the rotation mode that it has."""
    if location is not None:
        item.location = location
    if rotation is not None:
        _rotate(item, rotation)
    if scale is not None:
        item.scale = scale


def _rotate(item: Any, rotation: Three) -> None:
    from mathutils import Euler

    euler = Euler(rotation, "XYZ")
    if item.rotation_mode == "XYZ":
        item.rotation_euler = euler
    elif item.rotation_mode == "QUATERNION":
        item.rotation_quaternion = euler.to_quaternion()
    elif item.rotation_mode == "AXIS_ANGLE":
        axis, angle = euler.to_quaternion().to_axis_angle()
        item.rotation_axis_angle = (angle, *axis)
    else:
        item.rotation_euler = euler.to_matrix().to_euler(item.rotation_mode)
