"""One picture, as it is asked for: what is seen, how large, in which format; rendered whole or not there at all."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Annotated, Any, Iterator, Literal, Mapping, NamedTuple, Optional, Tuple

from ..call import Call
from ..constraints import Range
from .file_outputs import permit_outputs
from .lookup import camera_named, current_scene, refuse
from .parameters import Fraction, Name
from .render_settings import kept_settings, picture_size, set_engine, set_samples
from .unfinished import written_whole

Pixels = Annotated[int, Range(4, 16_384)]
Width = Annotated[Optional[Pixels], "in pixels; default: the scene's, or what keeps its proportions"]
Height = Annotated[Optional[Pixels], "in pixels; default: the scene's, or what keeps its proportions"]
Engine = Annotated[
    Optional[Literal["cycles", "eevee", "workbench"]],
    "cycles: true light, slow; eevee: near it, fast on a GPU; workbench: plain shading, fast. Default: the scene's",
]
Samples = Annotated[Optional[int], "more are slower and less noisy; default: the scene's", Range(1, 65_536)]
CameraName = Annotated[Optional[Name], "a camera object's name; default: the scene's camera"]
Transparent = Annotated[Optional[bool], "no background but transparency; default: as the scene has it"]
Region = Annotated[
    Optional[Tuple[Fraction, Fraction, Fraction, Fraction]],
    "render this part of the picture alone: left, bottom, right, top, each 0 to 1; [0, 0.5, 0.5, 1] is the upper left "
    "quarter. The answer has only these pixels",
]

# Suffix → Blender's format, its colour depth and whether it can be transparent.
_FORMATS: Mapping[str, Tuple[str, str, bool]] = {
    ".png": ("PNG", "8", True),
    ".jpg": ("JPEG", "8", False),
    ".jpeg": ("JPEG", "8", False),
    ".exr": ("OPEN_EXR", "16", True),
    ".tif": ("TIFF", "8", True),
    ".tiff": ("TIFF", "8", True),
    ".webp": ("WEBP", "8", True),
}
SUFFIXES = tuple(_FORMATS)


class Shot(NamedTuple):
    """What to render. `region` is left, bottom, right, top in fractions."""

    camera: Any
    size: Tuple[int, int]
    engine: Optional[str]
    samples: Optional[int]
    transparent: Optional[bool]
    region: Optional[Tuple[float, float, float, float]]

    @property
    def pixels(self) -> Tuple[int, int]:
        """The size of the picture, or of its region as Blender cuts it."""
        width, height = self.size
        if self.region is None:
            return self.size
        left, bottom, right, top = self.region
        return int(right * width) - int(left * width), int(top * height) - int(bottom * height)


def planned(
    *,
    width: Optional[int],
    height: Optional[int],
    engine: Optional[str],
    samples: Optional[int],
    camera: Optional[str],
    transparent: Optional[bool],
    region: Optional[Tuple[float, float, float, float]],
) -> Shot:
    """Check what is asked for, before Blender is touched.

    Raises Fault `invalid_params`; `forbidden` where the scene's compositor writes where the policy says no.
    """
    import bpy

    scene = current_scene()
    permit_outputs(scene)
    view = camera_named(camera, "camera") if camera is not None else scene.camera
    if view is None:
        problem = "the scene has none: add one with camera.create, or name one here"
        raise refuse("camera", problem, [item.name for item in bpy.data.objects if item.type == "CAMERA"][:5])
    shot = Shot(view, picture_size(scene, width, height), engine, samples, transparent, region)
    if min(shot.pixels) < 1:
        raise refuse("region", f"{list(region or ())} has no pixels: left must be less than right, bottom than top")
    return shot


class Prepared(NamedTuple):
    """A scene that is set up for a shot: which engine renders, with how many samples."""

    scene: Any
    engine: str
    samples: Optional[int]


@contextlib.contextmanager
def prepared(shot: Shot, suffix: str) -> Iterator[Prepared]:
    """Set the scene up for the shot and a format, and put everything back afterwards."""
    scene = current_scene()
    with kept_settings(scene):
        scene.camera = shot.camera
        set_engine(scene, shot.engine)
        taken = set_samples(scene, shot.samples)
        render = scene.render
        if shot.transparent is not None:
            render.film_transparent = shot.transparent
        _set_size(render, shot)
        use_format(render, suffix, transparent=render.film_transparent)
        yield Prepared(scene, render.engine, taken)


def _set_size(render: Any, shot: Shot) -> None:
    render.resolution_x, render.resolution_y = shot.size
    render.resolution_percentage = 100
    render.use_border = render.use_crop_to_border = shot.region is not None
    if shot.region is not None:
        # Each bound pushes the other: widen first.
        render.border_min_x = render.border_min_y = 0.0
        render.border_max_x = render.border_max_y = 1.0
        render.border_min_x, render.border_min_y, render.border_max_x, render.border_max_y = shot.region


def use_format(render: Any, suffix: str, *, transparent: bool) -> None:
    """Write one whole picture in the format of that suffix, under the very name that is given."""
    name, depth, may_be_transparent = _FORMATS[suffix]
    image = render.image_settings
    render.use_multiview = render.use_placeholder = render.use_file_extension = False
    render.use_overwrite = True
    if hasattr(image, "media_type"):
        image.media_type = "IMAGE"
    image.file_format = name
    image.color_mode = "RGBA" if may_be_transparent and (transparent or suffix == ".png") else "RGB"
    image.color_depth = depth
    image.compression = 15
    image.quality = 90


def format_of(place: Path, param: str = "path") -> str:
    """The suffix that decides the format. Raises Fault `invalid_params` for one that is none."""
    suffix = place.suffix.lower()
    if suffix not in _FORMATS:
        raise refuse(param, f"{place.name!r} must end in {', '.join(SUFFIXES)}: that is the format")
    return suffix


def write_picture(scene: Any, place: Path, call: Call) -> None:
    """Render the scene's current frame to that path: under another name first, so that half of it is never there.

    Raises RuntimeError where Blender cannot render or write it; Interrupted, and there is no picture.
    """
    with written_whole(place) as unfinished:
        _render(scene, unfinished, call)


def picture_bytes(scene: Any, call: Call) -> bytes:
    """Render the scene's current frame, in the format that it is set to. Raises as write_picture does."""
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        place = Path(directory) / "picture"
        _render(scene, place, call)
        return place.read_bytes()


def _render(scene: Any, place: Path, call: Call) -> None:
    import bpy

    scene.render.filepath = str(place)
    bpy.ops.render.render(write_still=True, scene=scene.name)
    # Blender swallows an interrupt while it renders, and the picture may be half of one.
    call.check()
    if not place.is_file():
        raise RuntimeError(f"Blender rendered, and wrote no picture to {place}")
