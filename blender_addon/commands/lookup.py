"""Names → Blender's data, resolved anew in each command.

References do not outlive a command: after an undo or a load they point at garbage. A name that is not there is the
caller's mistake, and comes back with the nearest ones that are.
"""

from __future__ import annotations

from typing import Any, Iterable, List, Sequence, Tuple

from ..schema import did_you_mean, nearest
from ..wire import Fault


def refuse(param: str, problem: str, close: Iterable[str] = ()) -> Fault:
    """An `invalid_params` fault about one parameter, found against what the scene holds."""
    data = {"problems": [{"param": param, "problem": problem}], "nearest": list(close)}
    return Fault("invalid_params", f"{param}: {problem}", data=data)


def refuse_all(problems: Sequence[Tuple[str, str]], close: Iterable[str] = ()) -> Fault:
    """An `invalid_params` fault about several parameters: (parameter, what is wrong with it)."""
    said = "; ".join(f"{param}: {problem}" for param, problem in problems[:3])
    more = f"; and {len(problems) - 3} more" if len(problems) > 3 else ""
    listed = [{"param": param, "problem": problem} for param, problem in problems[:50]]
    return Fault("invalid_params", said + more, data={"problems": listed, "nearest": list(dict.fromkeys(close))})


def current_scene() -> Any:
    """The scene that the user sees; in a timer there may be none in the context."""
    import bpy

    return bpy.context.scene or bpy.data.scenes[0]


def object_named(name: str, param: str = "name") -> Any:
    """The object of that name. Raises Fault `invalid_params`."""
    import bpy

    return data_named(bpy.data.objects, "object", name, param)


def data_named(blocks: Any, kind: str, name: str, param: str) -> Any:
    """What has that name in a part of bpy.data; `kind` is the word for such a thing. Raises Fault `invalid_params`."""
    found = blocks.get(name)
    if found is None:
        known = blocks.keys()
        raise refuse(param, f"there is no {kind} named {name!r}{did_you_mean(name, known)}", nearest(name, known))
    return found


def part_named(item: Any, parts: Any, kind: str, name: str, param: str) -> Any:
    """What has that name among an object's own modifiers, constraints, … Raises Fault `invalid_params`."""
    found = parts.get(name)
    if found is None:
        known = parts.keys()
        has = did_you_mean(name, known) or f"; it has {', '.join(known) or 'none'}"
        raise refuse(param, f"{item.name!r} has no {kind} named {name!r}{has}", nearest(name, known))
    return found


def objects_named(names: Sequence[str], param: str = "names") -> List[Any]:
    """The objects of those names, each once. Raises Fault `invalid_params` with every name that is missing."""
    import bpy

    known = bpy.data.objects
    missing = [name for name in names if name not in known]
    if missing:
        close = [other for name in missing[:10] for other in nearest(name, known.keys())]
        raise refuse_all([(param, f"there is no object named {name!r}") for name in missing], close)
    return [known[name] for name in dict.fromkeys(names)]


def in_view_layer(items: Sequence[Any], param: str = "names") -> None:
    """Only what is in the view layer has an up-to-date place and can be worked on. Raises Fault `invalid_params`."""
    import bpy

    layer = bpy.context.view_layer
    # In a window a new object is in the layer only once that was updated.
    layer.update()
    away = [item.name for item in items if layer.objects.get(item.name) != item]
    if away:
        problem = f"not in the view layer {layer.name!r} (in another scene, in none, or in an excluded collection)"
        raise refuse_all([(param, f"{name!r} is {problem}") for name in away])


def in_object_mode(items: Sequence[Any], param: str = "names") -> None:
    """Data that is being edited does not change from outside. Raises Fault `invalid_params`."""
    busy = [item for item in items if item.mode not in ("OBJECT", "POSE")]
    if busy:
        raise refuse_all([(param, f"{item.name!r} is in {item.mode} mode: leave it first") for item in busy])


def collection_named(name: str, param: str = "collection") -> Any:
    """The collection of that name; "" or the scene's own name is the scene's root. Raises Fault `invalid_params`."""
    import bpy

    scene = current_scene()
    found = bpy.data.collections.get(name)
    if found is None and name in ("", scene.collection.name):
        found = scene.collection
    if found is None:
        known = [*bpy.data.collections.keys(), scene.collection.name]
        raise refuse(param, f"there is no collection named {name!r}{did_you_mean(name, known)}", nearest(name, known))
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
