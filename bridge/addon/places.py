"""Where each Blender keeps what its user installed and chose, as Blender itself finds it."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

from .programs import FIRST_WITH_EXTENSIONS, Program


def user_directories() -> list[Path]:
    """One directory a version that was ever used, or the one that Blender's variable names."""
    if value := os.environ.get("BLENDER_USER_RESOURCES"):
        return [Path(value)]
    return sorted(path for path in _base().glob("*") if path.is_dir())


def user_directory(program: Program) -> Path | None:
    """The one of that Blender, which need not exist; None where its version is not known."""
    if value := os.environ.get("BLENDER_USER_RESOURCES"):
        return Path(value)
    if program.version is None:
        return None
    version = f"{program.version[0]}.{program.version[1]}"
    beside = Path(os.path.realpath(program.path)).parent
    if sys.platform == "darwin":
        beside = beside.parent / "Resources"
    if program.version >= FIRST_WITH_EXTENSIONS and (beside / "portable").is_dir():
        return beside / "portable"
    if (beside / version / "config").is_dir():
        return beside / version
    return _base() / version


def addon_directories(resources: Path) -> Iterator[Path]:
    """Where add-ons of the old kind are, and each repository of extensions."""
    scripts = os.environ.get("BLENDER_USER_SCRIPTS") or resources / "scripts"
    extensions = os.environ.get("BLENDER_USER_EXTENSIONS") or resources / "extensions"
    yield Path(scripts) / "addons"
    yield from sorted(path for path in Path(extensions).glob("*") if path.is_dir() and not path.name.startswith("."))


def preferences(resources: Path) -> Path:
    """The file of the user's preferences, which need not exist."""
    return Path(os.environ.get("BLENDER_USER_CONFIG") or resources / "config") / "userpref.blend"


def _base() -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/Blender"
    if sys.platform == "win32":
        return Path(os.environ.get("APPDATA", "")) / "Blender Foundation/Blender"
    return Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "blender"
