"""What this Blender is, and what it therefore lacks."""

from __future__ import annotations

from typing import Iterable, Tuple

from ..wire import Fault
from .lookup import refuse


def blender_version() -> Tuple[int, int]:
    """Major and minor: (3, 4), (5, 0)."""
    import bpy

    major, minor = bpy.app.version[:2]
    return major, minor


def lacking(what: str, since: Tuple[int, int]) -> Fault:
    """The fault of a command that this Blender cannot do: `what` it lacks, and the version that has it."""
    import bpy

    message = f"{what} came with Blender {since[0]}.{since[1]}, and this is {bpy.app.version_string}"
    return Fault("unknown_method", message, data={"nearest": [], "blender": bpy.app.version_string})


def without(param: str, what: str, why: str, close: Iterable[str] = ()) -> Fault:
    """The fault of a parameter that asks for what this Blender was built or installed without, and `why` it was."""
    import bpy

    return refuse(param, f"{what} is not to be had in this Blender ({bpy.app.version_string}): {why}", close)


def need_blender(what: str, since: Tuple[int, int]) -> None:
    """Raises Fault where this Blender is older than `since`."""
    if blender_version() < since:
        raise lacking(what, since)
