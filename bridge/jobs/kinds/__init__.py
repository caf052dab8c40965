"""What a job can be: one file a kind.

catalogue   how a kind is registered, found, checked and described
render      render.still, render.animation
export      a scene in another program's format
code        a Python file
"""

from __future__ import annotations

from . import code, export, render  # noqa: F401  # they register their kinds
from .catalogue import check, describe, find, takes_scene
from .scene import SCENE

__all__ = ["SCENE", "check", "describe", "find", "takes_scene"]
