"""viewport.screenshot and viewport.view: what a person sees in Blender's window."""

from __future__ import annotations

import math
import tempfile
from pathlib import Path
from typing import Annotated, Any, List, Literal, Optional, Tuple, TypedDict

from ..constraints import Media, Range, Size
from ..wire import Part
from .aiming import Direction, turned_to
from .catalogue import command
from .described import rounded
from .lookup import current_scene, refuse
from .parameters import Name
from .pictures import png_size, shrink
from .subjects import corners, sphere_around, subjects_named
from .windows import Spot, area_of, redraw, window_of, windows

Shading = Literal["wireframe", "solid", "material", "rendered"]


class Screenshot(TypedDict):
    """`area` is its type, null where the whole window is shown; `areas` are the types that the window has."""

    image: Annotated[Part, Media("image/png")]
    width: int
    height: int
    area: Optional[str]
    areas: List[str]


class ViewState(TypedDict):
    """`center`: what the view turns about; `rotation`: the viewer's, Euler XYZ; `camera`: looks through the camera."""

    shading: str
    center: List[float]
    rotation: List[float]
    distance: float
    perspective: bool
    camera: bool


@command("viewport.screenshot", read_only=True)
def screenshot(
    *,
    area: Annotated[
        Optional[str],
        "only the largest area of this type: VIEW_3D, NODE_EDITOR, IMAGE_EDITOR, OUTLINER, … Default: the whole window",
        Size(1, 64),
    ] = None,
    window: Annotated[Optional[int], "which window, from 0 on; default: the first that has it", Range(0, 100)] = None,
    max_size: Annotated[int, "the picture is made at most so many pixels wide and high", Range(32, 16_384)] = 1024,
) -> Screenshot:
    """Take a picture of Blender's window as the person at it sees it, drawn anew. Without one: viewport.preview."""
    spot = area_of(area.upper(), window) if area is not None else None
    shown = spot.window if spot else window_of(window)
    redraw(shown)
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        place = Path(directory) / "screenshot.png"
        _take(shown, spot, place)
        shrink(place, max_size)
        data = place.read_bytes()
    width, height = png_size(data)
    return {
        "image": Part(data, media_type="image/png"),
        "width": width,
        "height": height,
        "area": spot.area.type if spot else None,
        "areas": sorted({one.type for one in shown.screen.areas}),
    }


@command("viewport.view", idempotent=True, undo=False)
def view(
    *,
    shading: Annotated[Optional[Shading], "how the 3D view draws"] = None,
    direction: Annotated[Optional[Direction], "from where to look"] = None,
    objects: Annotated[
        Optional[List[Name]], "zoom to these and what is parented to them; [] to all that renders", Size(0, 1000)
    ] = None,
    perspective: Annotated[Optional[bool], "perspective or orthographic"] = None,
    camera: Annotated[Optional[bool], "look through the scene's camera, or stop that"] = None,
    window: Annotated[Optional[int], "which window, from 0 on; default: the first that has it", Range(0, 100)] = None,
) -> ViewState:
    """Set how the largest 3D view of Blender's window shows the scene; what is not given stays. Needs a window.

    Without parameters it tells how the view is.
    """
    windows()
    spot = area_of("VIEW_3D", window)
    subjects = subjects_named(objects or None) if objects is not None else None
    if camera and current_scene().camera is None:
        raise refuse("camera", "the scene has none: add one with camera.create")
    space = spot.area.spaces.active
    region = space.region_3d
    if shading is not None:
        space.shading.type = shading.upper()
    if direction is not None or subjects is not None or perspective is not None or camera is not None:
        region.view_perspective = _projection(region, perspective, camera)
    if direction is not None:
        region.view_rotation = turned_to(direction)
    if subjects is not None:
        _zoom(spot, space, sphere_around(corners(subjects)))
    region.update()
    spot.area.tag_redraw()
    return _state(space)


def _take(window: Any, spot: Optional[Spot], place: Path) -> None:
    import bpy

    if spot is not None:
        with spot.override():
            bpy.ops.screen.screenshot_area(filepath=str(place), check_existing=False)
        return
    with bpy.context.temp_override(window=window, screen=window.screen):
        bpy.ops.screen.screenshot(filepath=str(place), check_existing=False)


def _projection(region: Any, perspective: Optional[bool], camera: Optional[bool]) -> str:
    if camera:
        return "CAMERA"
    if perspective is None:
        return "PERSP" if region.view_perspective == "CAMERA" else str(region.view_perspective)
    return "PERSP" if perspective else "ORTHO"


def _zoom(spot: Spot, space: Any, sphere: Tuple[Any, float]) -> None:
    center, radius = sphere
    region = space.region_3d
    region.view_location = center
    # A viewport is 72 mm of sensor on its longer side, and the shorter one must do.
    sides = sorted((spot.area.width, spot.area.height))
    half_angle = math.atan(36 / space.lens * max(1, sides[0]) / sides[1])
    region.view_distance = radius * 1.05 / math.sin(half_angle)


def _state(space: Any) -> ViewState:
    region = space.region_3d
    return {
        "shading": space.shading.type.lower(),
        "center": rounded(region.view_location),
        "rotation": rounded(region.view_rotation.to_euler("XYZ")),
        "distance": rounded([region.view_distance])[0],
        "perspective": region.view_perspective != "ORTHO",
        "camera": region.view_perspective == "CAMERA",
    }
