"""The Blenders that the bridge would start: there, whole, and of a version that it knows."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge.addon import version_in, version_of
from bridge.programs import Outcome, run

from .finding import Finding, broken, ok, warning
from .libraries import how_to_install, missing_libraries
from .place import Place

OLDEST, NEWEST = (3, 4), (5, 2)
_IMPORT_SECONDS = 60.0
_IMPORT = "import bpy; print('Blender', bpy.app.version_string)"
_INSTALL = (
    "`pip install 'bpy-bridge[embedded]'` on Python 3.11 or 3.13, or install your system's blender, or name one that "
    "runs with --instance"
)


def blenders(place: Place, *, seconds: float = _IMPORT_SECONDS) -> Iterator[Finding]:
    """Each Blender that a worker names, or the one that is started where nothing is named."""
    settings = place.settings
    if settings.instances and not settings.workers:
        yield ok("none is started: the settings name Blenders that run")
        return
    for blender in dict.fromkeys(worker.blender for worker in settings.workers.values()) or ["bpy"]:
        yield _embedded(seconds) if blender == "bpy" else _executable(blender)


def _embedded(seconds: float) -> Finding:
    spec = importlib.util.find_spec("bpy")
    if spec is None:
        found = shutil.which("blender")
        python = f"{sys.version_info.major}.{sys.version_info.minor}"
        missing = f"there is no bpy wheel in this Python {python}, and no `blender` on PATH"
        return broken(missing, _INSTALL) if found is None else _executable(found)
    outcome = run([sys.executable, "-c", _IMPORT], seconds)
    wheel = f"the bpy wheel in {Path(spec.origin or '').parent}"
    if outcome.code == 0:
        return _judge(wheel, version_in(outcome))
    again = f"{sys.executable} -m pip install --force-reinstall bpy"
    return _failed(wheel, "cannot be imported", outcome, Path(spec.origin) if spec.origin else None, again)


def _executable(blender: str) -> Finding:
    path = shutil.which(blender)
    if path is None:
        return broken(f"there is no executable {blender!r}", _INSTALL)
    outcome, version = version_of(path)
    if outcome.code == 0:
        return _judge(path, version)
    again = f"run `{path} --version` yourself, and install Blender again"
    return _failed(path, "does not start", outcome, Path(path), again)


def _failed(what: str, how: str, outcome: Outcome, binary: Path | None, again: str) -> Finding:
    if outcome.code is None:
        return broken(f"{what} {how} in time", "look whether the machine is overloaded, and try again")
    if missing := missing_libraries(binary, outcome.output):
        return broken(f"{what} {how}: the system has no {', '.join(missing)}", how_to_install(missing))
    return broken(f"{what} {how}: {outcome.last_line}", again)


def _judge(what: str, version: tuple[int, int] | None) -> Finding:
    if version is None:
        return warning(
            f"{what} does not say which version of Blender it is", "name another with `blender` in [workers]"
        )
    said = f"{what} is Blender {version[0]}.{version[1]}, and works"
    if version < OLDEST:
        return broken(f"{what} is Blender {version[0]}.{version[1]}, which is too old", "install Blender 3.4 or later")
    if version > NEWEST:
        return warning(f"{said}; it is newer than any that bpy-bridge was tried with", "use Blender 5.2 if in doubt")
    return ok(said)
