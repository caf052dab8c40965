"""render.animation: frame by frame, so that it can stop between two of them and go on later.

Frames that are there are whole: each is rendered under another name and renamed. So whoever takes over after a crash
renders with `skip_existing`, and only what is missing.
"""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Annotated, Any, List, NamedTuple, Optional, Tuple, TypedDict

from ..call import Call
from ..constraints import Range
from .catalogue import command
from .lookup import current_scene, refuse
from .places import AbsolutePath, to_write
from .render_output import (
    CameraName,
    Engine,
    Height,
    Region,
    Samples,
    Transparent,
    Width,
    format_of,
    planned,
    prepared,
    write_picture,
)
from .render_progress import progress_of_renders
from .render_settings import kept_frame
from .unfinished import forget_unfinished

MOST_FRAMES = 100_000
# Of a long animation the pattern tells the names.
_MOST_FILES = 100

FrameNumber = Annotated[int, Range(-1_048_574, 1_048_574)]


class Animation(TypedDict):
    """`files` has the first 100 of all frames, the skipped ones too; `samples` is null where the engine has none."""

    rendered: int
    skipped: int
    pattern: str
    files: List[str]
    width: int
    height: int
    engine: str
    samples: Optional[int]
    camera: str
    seconds: float


class Pattern(NamedTuple):
    """A file name with a place for the frame's digits."""

    before: str
    digits: int
    after: str

    @classmethod
    def of(cls, name: str) -> Pattern:
        """The last # signs of a name are the digits; a name without any gets four before its suffix."""
        runs = list(re.finditer("#+", name))
        if runs:
            start, end = runs[-1].span()
            return cls(name[:start], end - start, name[end:])
        place = Path(name)
        return cls(f"{place.stem}_", 4, place.suffix)

    def name(self, frame: int) -> str:
        """As Blender numbers them: a minus comes before the digits."""
        number = f"{abs(frame):0{self.digits}d}"
        return f"{self.before}{'-' if frame < 0 else ''}{number}{self.after}"

    def __str__(self) -> str:
        return f"{self.before}{'#' * self.digits}{self.after}"


@command("render.animation", destructive=True, idempotent=True, undo=False)
def animation(
    call: Call,
    *,
    path: Annotated[
        AbsolutePath, "the files, with # for the frame's digits: /tmp/shot_####.png. The suffix is the format"
    ],
    start: Annotated[Optional[FrameNumber], "default: the scene's first frame"] = None,
    end: Annotated[Optional[FrameNumber], "default: the scene's last frame"] = None,
    step: Annotated[Optional[int], "every step-th frame only; default: the scene's", Range(1, 10_000)] = None,
    skip_existing: Annotated[bool, "leave frames that are there alone: goes on where another run stopped"] = False,
    width: Width = None,
    height: Height = None,
    engine: Engine = None,
    samples: Samples = None,
    camera: CameraName = None,
    transparent: Transparent = None,
    region: Region = None,
) -> Animation:
    """Render a range of frames to picture files (.png, .jpg, .exr, .tif, .webp), with progress by frame and sample.

    A file appears when its frame is whole. Cancelled, it stops before the next frame: what is there stays, and
    `skip_existing` goes on from there. The scene's settings and current frame are left as they were. A Blender with a
    window stands still until all frames are done.
    """
    began = time.monotonic()
    frames = _frames(start, end, step)
    pattern = Pattern.of(Path(path).name)
    first = to_write(str(Path(path).with_name(pattern.name(frames[0]))))
    suffix = format_of(first)
    shot = planned(
        width=width,
        height=height,
        engine=engine,
        samples=samples,
        camera=camera,
        transparent=transparent,
        region=region,
    )
    places = [first.with_name(pattern.name(frame)) for frame in frames]
    wanted = list(zip(frames, places))  # noqa: B905  # one place a frame
    todo = [(frame, place) for frame, place in wanted if not (skip_existing and place.is_file())]
    call.check()
    forget_unfinished(first.parent)
    with prepared(shot, suffix) as ready, kept_frame(ready.scene):
        _render(call, ready.scene, todo)
    return {
        "rendered": len(todo),
        "skipped": len(wanted) - len(todo),
        "pattern": str(first.with_name(str(pattern))),
        "files": [str(place) for place in places[:_MOST_FILES]],
        "width": shot.pixels[0],
        "height": shot.pixels[1],
        "engine": ready.engine,
        "samples": ready.samples,
        "camera": shot.camera.name,
        "seconds": round(time.monotonic() - began, 3),
    }


def _frames(start: Optional[int], end: Optional[int], step: Optional[int]) -> range:
    scene = current_scene()
    first = scene.frame_start if start is None else start
    last = scene.frame_end if end is None else end
    frames = range(first, last + 1, scene.frame_step if step is None else step)
    if not frames:
        raise refuse("start" if start is not None else "end", f"the range {first} to {last} has no frames")
    if len(frames) > MOST_FRAMES:
        raise refuse("end", f"{len(frames)} frames are too many for one call: at most {MOST_FRAMES}")
    return frames


def _render(call: Call, scene: Any, todo: List[Tuple[int, Path]]) -> None:
    with progress_of_renders(call, len(todo)) as progress:
        for number, (frame, place) in enumerate(todo, 1):
            call.check()
            progress.begin(f"frame {frame} ({number} of {len(todo)}): ")
            scene.frame_set(frame)
            write_picture(scene, place, call)
            progress.end()
