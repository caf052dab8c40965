"""Names → Blender's data, resolved anew in each command.

References do not outlive a command: after an undo or a load they point at garbage. A name that is not there is the
caller's mistake, and comes back with the nearest ones that are.
"""

from __future__ import annotations

from typing import Any, Iterable

from ..schema import did_you_mean, nearest
from ..wire import Fault


def refuse(param: str, problem: str, close: Iterable[str] = ()) -> Fault:
    """An `invalid_params` fault about one parameter, found against what the scene holds."""
    data = {"problems": [{"param": param, "problem": problem}], "nearest": list(close)}
    return Fault("invalid_params", f"{param}: {problem}", data=data)


def current_scene() -> Any:
    """The scene that the user sees; in a timer there may be none in the context."""
    import bpy

    return bpy.context.scene or bpy.data.scenes[0]


def object_named(name: str, param: str = "name") -> Any:
    """The object of that name. Raises Fault `invalid_params`."""
    import bpy

    found = bpy.data.objects.get(name)
    if found is None:
        known = bpy.data.objects.keys()
        raise refuse(param, f"there is no object named {name!r}{did_you_mean(name, known)}", nearest(name, known))
    return found


def mesh_object_named(name: str, param: str) -> Any:
    """The mesh object of that name, its data up to date with an open edit mode. Raises Fault `invalid_params`."""
    import bpy

    found = object_named(name, param)
    if found.type != "MESH":
        meshes = [other.name for other in bpy.data.objects if other.type == "MESH"]
        raise refuse(param, f"{name!r} is no mesh but a {found.type.lower()}", nearest(name, meshes))
    if found.mode == "EDIT":
        found.update_from_editmode()
    return found


def camera_named(name: str, param: str) -> Any:
    """The camera of that name. Raises Fault `invalid_params` with the nearest cameras."""
    import bpy

    found = bpy.data.objects.get(name)
    if found is None or found.type != "CAMERA":
        cameras = [other.name for other in bpy.data.objects if other.type == "CAMERA"]
        close = nearest(name, cameras) or cameras[:5]
        raise refuse(param, f"there is no camera named {name!r}{did_you_mean(name, cameras)}", close)
    return found
