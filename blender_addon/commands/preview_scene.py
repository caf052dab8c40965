"""A scene of its own for a quick look: the user's objects in it, none of the user's settings touched."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any, Iterator, List, Optional, Tuple, Union

from .aiming import fit_orthographic, fit_perspective, frame_of, turned_to
from .lookup import current_scene
from .render_output import use_format
from .render_settings import choices

_NAME = "bpy-bridge preview"
# Wide enough to give depth, long enough not to distort.
_LENS = 50.0
_MARGIN = 0.06
_BACKGROUND = (0.22, 0.24, 0.28)
_SQUARE_ON = ("front", "back", "left", "right", "top", "bottom")


class Stage:
    """The scene and its camera; a picture at a time."""

    def __init__(self, scene: Any, camera: Any, points: List[Any]) -> None:
        self._scene = scene
        self._camera = camera
        self._points = points

    def shoot(self, view: Union[str, Tuple[float, float]], place: Path, label: str) -> None:
        """Write a PNG of what is seen from there."""
        import bpy

        self._scene.camera = self._camera
        if view == "camera":
            self._scene.camera = current_scene().camera
        else:
            self._aim(view)
        self._scene.render.stamp_note_text = label
        self._scene.render.filepath = str(place)
        bpy.ops.render.render(write_still=True, scene=self._scene.name)

    def _aim(self, view: Union[str, Tuple[float, float]]) -> None:
        from mathutils import Matrix

        data, rotation = self._camera.data, turned_to(view)
        data.type, data.lens, data.ortho_scale = "ORTHO" if view in _SQUARE_ON else "PERSP", _LENS, 1.0
        frame = frame_of(data, self._scene).narrowed(_MARGIN)
        fit = (fit_orthographic if data.type == "ORTHO" else fit_perspective)(self._points, rotation, frame, 1e-3)
        data.ortho_scale *= fit.ortho_factor
        # Close to what is there, so that depth keeps its precision.
        data.clip_start, data.clip_end = fit.farthest * 1e-4, fit.farthest * 1.01 + 1e-3
        self._camera.matrix_world = Matrix.LocRotScale(fit.location, rotation, None)


@contextlib.contextmanager
def staged(objects: Optional[List[Any]], points: List[Any], size: Tuple[int, int], colors: str) -> Iterator[Stage]:
    """A stage with these objects, None for all that the scene shows; it is gone afterwards."""
    import bpy

    scene, world = _scene_with(objects), bpy.data.worlds.new(_NAME)
    camera = bpy.data.objects.new(_NAME, bpy.data.cameras.new(_NAME))
    try:
        # Workbench's background is the world's colour.
        scene.world, world.color = world, _BACKGROUND
        _set_up(scene, size, colors)
        yield Stage(scene, camera, points)
    finally:
        bpy.data.scenes.remove(scene)
        bpy.data.worlds.remove(world)
        bpy.data.cameras.remove(camera.data)


def _scene_with(objects: Optional[List[Any]]) -> Any:
    import bpy

    own = current_scene()
    if objects is None:
        # Shares the user's collections, with what is excluded or hidden there.
        return own.copy()
    scene = bpy.data.scenes.new(_NAME)
    for item in objects:
        scene.collection.objects.link(item)
    scene.frame_set(own.frame_current, subframe=own.frame_subframe)
    return scene


def _set_up(scene: Any, size: Tuple[int, int], colors: str) -> None:
    render, shading = scene.render, scene.display.shading
    render.engine = "BLENDER_WORKBENCH"
    render.resolution_x, render.resolution_y, render.resolution_percentage = *size, 100
    render.pixel_aspect_x = render.pixel_aspect_y = 1.0
    render.use_border = render.use_sequencer = render.use_compositing = render.use_freestyle = False
    render.film_transparent = False
    use_format(render, ".png", transparent=False)
    render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = _plain(choices(scene.view_settings, "view_transform"))
    scene.view_settings.exposure, scene.view_settings.gamma = 0.0, 1.0
    scene.display.render_aa = "8"
    shading.light, shading.color_type = "STUDIO", colors
    with contextlib.suppress(TypeError):  # a light that shows shapes well; not every build has it
        shading.studio_light = "outdoor.sl"
    shading.show_cavity, shading.cavity_type = True, "WORLD"
    shading.show_object_outline, shading.show_xray = True, False
    _set_label(render, size)


def _plain(known: List[str]) -> str:
    return "Standard" if "Standard" in known else known[0]


def _set_label(render: Any, size: Tuple[int, int]) -> None:
    for name in dir(render):
        if name.startswith("use_stamp_"):
            setattr(render, name, False)
    render.use_stamp = render.use_stamp_note = True
    render.stamp_font_size = max(8, min(size) // 28)
    render.stamp_background = (0.0, 0.0, 0.0, 0.4)
