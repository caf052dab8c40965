"""What a job can be: one file a kind.

catalogue   how a kind is registered, found, checked and described
parameters  what several kinds take
stages      what they all go through: the scene, the wait for a Blender
render      render.still, render.animation
frames      … frame by frame in a Blender of the job's own
cluster     … on many machines at once
video       … into one file, by ffmpeg
export      a scene in another program's format
code        a Python file
"""

from __future__ import annotations

from . import code, export, render  # noqa: F401  # they register their kinds
from .catalogue import check, describe, examine, find, takes_scene

__all__ = ["check", "describe", "examine", "find", "takes_scene"]
