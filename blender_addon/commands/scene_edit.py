"""scene.create, activate, delete, update: several scenes in one file, and a scene's own properties."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict

from .catalogue import command
from .described import MOST_NAMES, rounded
from .lookup import current_scene, data_named, refuse
from .parameters import Name
from .rna import set_properties

SceneName = Annotated[Name, "the scene's name"]


class Units(TypedDict):
    """Metres a unit of length: `scale`. Commands here always speak of Blender's own units."""

    system: str
    length: str
    rotation: str
    scale: float


class SceneState(TypedDict):
    """`scenes` ends after 100 names; `active` is the one that commands work on."""

    name: str
    active: str
    scenes: List[str]
    objects: int
    camera: Optional[str]
    world: Optional[str]
    view_layers: List[str]
    frame_start: int
    frame_end: int
    fps: float
    units: Units
    gravity: Optional[List[float]]


@command("scene.get", read_only=True)
def get(*, name: Annotated[Optional[Name], "the scene's name; default: the active one"] = None) -> SceneState:
    """Tell a scene's settings: camera, world, frames, units, gravity. scene.summary tells what is in it."""
    return _state(_scene_named(name) if name is not None else current_scene())


@command("scene.create")
def create(
    *,
    name: Annotated[Name, "its name; Blender adds .001 and so on where it is taken"],
    copy: Annotated[
        Literal["empty", "settings", "linked", "full"],
        "empty: nothing; settings: those of the active scene; linked: its objects too, shared; full: copies of them",
    ] = "settings",
    activate: Annotated[bool, "make it the scene that commands work on"] = True,
) -> SceneState:
    """Add a scene to the file, new or after the active one."""
    import bpy

    before = current_scene()
    scene = bpy.data.scenes.new(name) if copy == "empty" else _copied(before, copy, name)
    _activate(scene if activate else before)
    return _state(scene)


@command("scene.activate", idempotent=True)
def activate(*, name: SceneName) -> SceneState:
    """Make another scene the one that the user sees and that commands work on."""
    scene = _scene_named(name)
    _activate(scene)
    return _state(scene)


@command("scene.update", idempotent=True)
def update(
    *,
    name: Annotated[Optional[Name], "the scene's name; default: the active one"] = None,
    new_name: Annotated[Optional[Name], "rename it"] = None,
    camera: Annotated[Optional[Name], "the camera that renders look through"] = None,
    world: Annotated[Optional[Name], "the world around it"] = None,
    properties: Annotated[
        Optional[Dict[str, Any]],
        "more of Blender's own properties of a scene: "
        '{"gravity": [0, 0, -1.6], "unit_settings": {"system": "IMPERIAL"}}',
    ] = None,
) -> SceneState:
    """Change a scene's settings; what is not given stays as it is. All are set or, where one is refused, none."""
    scene = _scene_named(name) if name is not None else current_scene()
    named = {key: value for key, value in (("camera", camera), ("world", world)) if value is not None}
    set_properties(scene, {**named, **(properties or {})}, "properties")
    if new_name is not None:
        scene.name = new_name
    return _state(scene)


@command("scene.delete", destructive=True)
def delete(
    *,
    name: SceneName,
    objects: Annotated[
        bool, "delete the objects that are in no other scene too; else they stay in the file, unused"
    ] = True,
) -> SceneState:
    """Delete a scene. The last one cannot be. Answers the scene that is active now."""
    import bpy

    scene = _scene_named(name)
    others = [other for other in bpy.data.scenes if other != scene]
    if not others:
        raise refuse("name", f"{name!r} is the only scene, and a file has one at least")
    doomed = [item for item in scene.objects if list(item.users_scene) == [scene]] if objects else []
    if current_scene() == scene:
        _activate(others[0])
    bpy.data.batch_remove(doomed)
    bpy.data.scenes.remove(scene)
    return _state(current_scene())


def _copied(scene: Any, how: str, name: str) -> Any:
    import bpy

    if how == "full":
        made = _full_copy(scene)
    else:
        made = scene.copy()
        if how == "settings":
            for kept in (made.collection.objects, made.collection.children):
                for item in list(kept):
                    kept.unlink(item)
            made.camera = None
    made.name = name
    bpy.context.view_layer.update()
    return made


def _full_copy(scene: Any) -> Any:
    import bpy

    before = set(bpy.data.scenes)
    # The operator shows the new scene in the window that it runs in; in a timer it would crash without one.
    window = bpy.context.window or bpy.context.window_manager.windows[0]
    with bpy.context.temp_override(window=window, scene=scene):
        bpy.ops.scene.new(type="FULL_COPY")
    return next(other for other in bpy.data.scenes if other not in before)


def _activate(scene: Any) -> None:
    import bpy

    # In a timer the context has no window; every main window shows its own scene.
    windows = [bpy.context.window] if bpy.context.window else list(bpy.context.window_manager.windows)
    for window in windows:
        window.scene = scene


def _scene_named(name: str) -> Any:
    import bpy

    return data_named(bpy.data.scenes, "scene", name, "name")


def _state(scene: Any) -> SceneState:
    import bpy

    units = scene.unit_settings
    return {
        "name": scene.name,
        "active": current_scene().name,
        "scenes": bpy.data.scenes.keys()[:MOST_NAMES],
        "objects": len(scene.objects),
        "camera": scene.camera.name if scene.camera else None,
        "world": scene.world.name if scene.world else None,
        "view_layers": scene.view_layers.keys()[:MOST_NAMES],
        "frame_start": scene.frame_start,
        "frame_end": scene.frame_end,
        "fps": rounded([scene.render.fps / scene.render.fps_base])[0],
        "units": {
            "system": units.system,
            "length": units.length_unit,
            "rotation": units.system_rotation,
            "scale": rounded([units.scale_length])[0],
        },
        "gravity": rounded(scene.gravity) if scene.use_gravity else None,
    }
