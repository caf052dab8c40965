"""The copies of our add-on that are installed, read from the user's files: no Blender is started for it."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from .places import addon_directories, preferences

ID = "bpy_bridge"
# Whoever copied the folder by hand may have kept its name.
_NAMES = (ID, "blender_addon")


class Copy(NamedTuple):
    """One of them; `version` is None where it does not say one. `module` is the name that Blender imports it by."""

    path: Path
    module: str
    version: str | None
    enabled: bool


def copies_in(resources: Path) -> Iterator[Copy]:
    """All that are in a user's directory."""
    try:
        chosen = preferences(resources).read_bytes()
    except OSError:
        chosen = b""  # nothing was ever chosen
    for place in addon_directories(resources):
        for name in _NAMES:
            path = place / name
            if path.is_dir():
                module = name if place.name == "addons" else f"bl_ext.{place.name}.{name}"
                yield Copy(path, module, version_in(path), _names(chosen, module))


def _names(chosen: bytes, module: str) -> bool:
    """The preferences name the module, which they do while it is enabled: they are records with names in plain text."""
    before = b"" if module.startswith("bl_ext.") else rb"(?<![./\\])"
    return re.search(before + re.escape(module.encode()) + rb"\0", chosen) is not None


def version_in(path: Path) -> str | None:
    """The version in the manifest, else in bl_info; None where neither says one."""
    try:
        version = tomllib.loads((path / "blender_manifest.toml").read_text(encoding="utf-8")).get("version")
        if isinstance(version, str):
            return version
    except (OSError, ValueError):
        pass  # it is an add-on of the old kind
    try:
        module = ast.parse((path / "__init__.py").read_text(encoding="utf-8"))
        for node in module.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "bl_info":
                return ".".join(map(str, ast.literal_eval(node.value)["version"]))
    except (OSError, ValueError, SyntaxError, KeyError, TypeError):
        return None
    return None
