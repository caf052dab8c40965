"""viewport.preview: a quick look without a window."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Annotated, List, Literal, Tuple, TypedDict, Union

from ..call import Call
from ..constraints import Media, Range, Size
from ..wire import Part
from .aiming import Turn
from .catalogue import command
from .lookup import current_scene, refuse
from .pictures import png_size, sheet
from .preview_scene import Stage, staged
from .subjects import Subjects, corners, subjects_named

_Angles = Tuple[Turn, Turn]
View = Annotated[
    Union[Literal["front", "back", "left", "right", "top", "bottom", "iso", "camera"], _Angles],
    "a side; iso: from above, front and right; camera: through the scene's camera, cut square; or [around, up] in "
    "radians: [0, 0] is the front, [1.5708, 0] the right, [0, 1.5708] the top",
]
_COLORS = {"material": "MATERIAL", "texture": "TEXTURE", "random": "RANDOM", "object": "OBJECT", "vertex": "VERTEX"}


class Picture(TypedDict):
    """`views` are what it shows: one, or those of a sheet row by row."""

    views: List[str]
    image: Annotated[Part, Media("image/png")]
    width: int
    height: int


class Preview(TypedDict):
    pictures: List[Picture]
    objects: int
    seconds: float


@command("viewport.preview", read_only=True)
def preview(
    call: Call,
    *,
    views: Annotated[List[View], "what to show", Size(1, 16)] = ["iso"],  # noqa: B006  # nobody changes it
    objects: Subjects = None,
    size: Annotated[int, "the width and height of each view in pixels", Range(32, 2048)] = 512,
    colors: Annotated[
        Literal["material", "texture", "random", "object", "vertex"],
        "material: the materials' viewport colours; texture: their active textures; random: one colour an object",
    ] = "material",
    apart: Annotated[bool, "one picture a view, instead of all on one sheet"] = False,
) -> Preview:
    """Look at the scene, or at some objects alone, from several sides at once: quick, plainly shaded, without lights.

    Good for checking shapes and places after each step: it needs no window, no camera and no light, takes tenths of a
    second and leaves the scene as it is. Objects fill each view. render.still shows light and materials.
    """
    began = time.monotonic()
    if "camera" in views and current_scene().camera is None:
        raise refuse("views", "the scene has no camera: add one with camera.create, or look from a side")
    subjects = subjects_named(objects)
    points = corners(subjects)
    labels = [view if isinstance(view, str) else f"{view[0]:.2f}, {view[1]:.2f}" for view in views]
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        places = [Path(directory) / f"{number}.png" for number in range(len(views))]
        with staged(None if objects is None else subjects, points, (size, size), _COLORS[colors]) as stage:
            _shoot(call, stage, views, places, labels)
        if apart or len(places) == 1:
            pictures = [_picture([label], place) for label, place in zip(labels, places)]  # noqa: B905  # as many
        else:
            whole = Path(directory) / "sheet.png"
            sheet(places, (size, size), whole)
            pictures = [_picture(labels, whole)]
    return {"pictures": pictures, "objects": len(subjects), "seconds": round(time.monotonic() - began, 3)}


def _shoot(call: Call, stage: Stage, views: List[View], places: List[Path], labels: List[str]) -> None:
    for number, view in enumerate(views):
        call.check()
        call.progress(number, len(views), labels[number])
        stage.shoot(view, places[number], labels[number])
    call.check()


def _picture(views: List[str], place: Path) -> Picture:
    data = place.read_bytes()
    width, height = png_size(data)
    return {"views": views, "image": Part(data, media_type="image/png"), "width": width, "height": height}
