"""Putting our add-on into a Blender, and taking it out: Blender does it itself, started for it without a window.

Not with factory settings: what it saves then are its user's preferences.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from bridge.errors import AddonError, NoBlender
from bridge.programs import run

from . import in_blender
from .build import extension, legacy
from .programs import OLDEST, Program

_SECONDS = 120.0
_TAIL = 8


def install(program: Program, *, seconds: float = _SECONDS) -> str:
    """Install and enable this bridge's add-on, in the place of any other version; the module's name there.

    Raises NoBlender for what is none, or too old, and AddonError with the end of what Blender said.
    """
    version = _version(program)
    if version < OLDEST:
        raise NoBlender(f"{program.path} is Blender {version[0]}.{version[1]}: the add-on needs 3.4 or later")
    with tempfile.TemporaryDirectory(prefix="bpy-bridge-") as directory:
        # Blender takes an add-on's name from the file where the zip does not say it.
        archive = Path(directory) / "bpy_bridge.zip"
        archive.write_bytes(extension() if program.takes_extensions else legacy())
        said = _run(program, "install", str(archive), seconds=seconds)
    return str(said["module"])


def uninstall(program: Program, *, seconds: float = _SECONDS) -> bool:
    """Disable and remove it; False where there was none. Raises as `install`."""
    _version(program)
    return _run(program, "uninstall", seconds=seconds)["module"] is not None


def _version(program: Program) -> tuple[int, int]:
    if program.version is None:
        raise NoBlender(f"{program.path} is no Blender, or does not start: {program.said}")
    return program.version


def _run(program: Program, *arguments: str, seconds: float) -> dict[str, Any]:
    script = ["-b", "--python-exit-code", "1", "--python", str(in_blender.__file__), "--", *arguments]
    outcome = run([program.path, *script], seconds)
    before, mark, after = outcome.output.rpartition(in_blender.MARK)
    doing = f"{program.path}: {arguments[0]} failed"
    if outcome.code is None:
        raise AddonError(f"{doing}: it did not end within {seconds:g} s; it said last:\n{outcome.tail(_TAIL)}")
    if not mark:
        raise AddonError(f"{doing}: it ended with {outcome.code}; it said last:\n{outcome.tail(_TAIL)}")
    said: dict[str, Any] = json.loads(after.splitlines()[0])
    if "error" in said:
        raise AddonError(
            f"{doing}: {_gist(said['error'])}; it said last:\n{outcome._replace(output=before).tail(_TAIL)}"
        )
    return said


def _gist(error: str) -> str:
    """The line of a traceback that says what was wrong; Blender adds where its own Python raised it."""
    lines = [line.strip() for line in error.splitlines() if line.strip() and not line.startswith("Location: ")]
    return lines[-1]
