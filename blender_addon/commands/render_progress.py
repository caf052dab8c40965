"""Blender's render statistics → progress events that only go up."""

from __future__ import annotations

import contextlib
import re
from typing import Iterator, Optional

from ..call import Call

# 3.4 passes no text; later: "… | Sample 3/16", "Rendered 3/4 Tiles, Sample 0/16", "Rendering 1 / 4 samples".
_COUNTS = re.compile(r"(?:Rendered (\d+)/(\d+) Tiles.*?)?(?:Sample|Rendering) +(\d+) ?/ ?(\d+)")


def fraction_done(text: str) -> Optional[float]:
    """How far a render is by its statistics text, 0 to 1; None where the text does not tell."""
    found = _COUNTS.search(text)
    if found is None:
        return None
    tile, tiles, sample, samples = (int(group) if group else 0 for group in found.groups())
    if not samples:
        return None
    done = sample / samples
    if tiles:
        done = (tile + done) / tiles
    return min(done, 1.0)


class RisingProgress:
    """Tells a call how far it is, and never that it went back: tiles and denoising count anew.

    Each of `frames` pictures is a step of the whole, and its samples are parts of the step.
    """

    def __init__(self, call: Call, frames: int = 1) -> None:
        self._call = call
        self._frames = frames
        self._finished = 0
        self._furthest = 0.0
        self._label = ""

    def begin(self, label: str = "") -> None:
        """A picture begins; `label` comes before what is told of it."""
        self._furthest, self._label = 0.0, label
        self._call.progress(self._finished, self._frames, label + "rendering")

    def hear(self, text: object) -> None:
        """Take one statistics text."""
        done = fraction_done(text) if isinstance(text, str) else None
        # The end is told when the picture is written.
        if isinstance(text, str) and done is not None and self._furthest < done < 1:
            self._furthest = done
            message = self._label + text.rpartition("|")[2].strip()
            self._call.progress(self._finished + done, self._frames, message)

    def end(self) -> None:
        """The picture is written."""
        self._finished += 1
        self._call.progress(self._finished, self._frames, self._label + "rendered")


@contextlib.contextmanager
def progress_of_renders(call: Call, frames: int = 1) -> Iterator[RisingProgress]:
    """Listen to what Blender tells while it renders: begin and end each picture yourself."""
    import bpy

    rising = RisingProgress(call, frames)

    # It is called off the main thread.
    def hear(text: object = None, *_more: object) -> None:
        rising.hear(text)

    bpy.app.handlers.render_stats.append(hear)
    try:
        yield rising
    finally:
        bpy.app.handlers.render_stats.remove(hear)
