"""The Blender that is started: the bpy wheel of this Python, or an executable."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path

from bridge.errors import NoBlender


def find_blender(blender: str) -> list[str]:
    """The command that starts a headless Blender: the bpy wheel, or an executable. Raises NoBlender.

    `bpy` falls back to the `blender` on PATH where there is no wheel for this Python.
    """
    if blender == "bpy":
        if importlib.util.find_spec("bpy") is not None:
            return [sys.executable, "-m", "blender_addon.headless"]
        blender = "blender"
    executable = shutil.which(blender)
    if executable is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise NoBlender(
            f"there is no Blender to start: no bpy wheel in this Python {version} and no {blender!r} on PATH. "
            "Install one (`pip install 'bpy-bridge[embedded]'` on Python 3.11 or 3.13, or your system's blender), "
            "or name one that runs: `bpy-bridge serve --instance default=tcp:127.0.0.1:9876`"
        )
    script = Path(__file__).parents[2] / "blender_addon" / "headless.py"
    return [executable, "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(script), "--"]
