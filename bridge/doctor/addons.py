"""Which Blenders there are on this machine, and in which of them our add-on is installed."""

from __future__ import annotations

import ast
import os
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from bridge import __version__

from .blender import version_of
from .finding import Finding, ok, warning
from .place import Place

_NAMES = ("bpy_bridge", "blender_addon")
_SECONDS = 10.0
_EXECUTABLES = {
    "darwin": ("/Applications", "Blender*.app/Contents/MacOS/Blender"),
    "win32": (r"C:\Program Files\Blender Foundation", r"*\blender.exe"),
}


def addons(_place: Place) -> Iterator[Finding]:
    """Each Blender that is found, and each add-on of ours."""
    programs = sorted({os.path.realpath(path) for path in executables()})
    for program in programs:
        _, version = version_of(program, seconds=_SECONDS)
        if version is None:
            yield warning(f"{program} does not say its version", f"run `{program} --version` to see why")
        else:
            yield ok(f"Blender {version[0]}.{version[1]} is at {program}")
    installed = list(_installed())
    for path in installed:
        yield _addon(path)
    if not installed:
        yield ok("the add-on is installed in no Blender, and no worker needs it")


def executables() -> Iterator[str]:
    """Blender on PATH and where it is usually put."""
    if found := shutil.which("blender"):
        yield found
    if sys.platform in _EXECUTABLES:
        root, pattern = _EXECUTABLES[sys.platform]
        yield from map(str, Path(root).glob(pattern))
        return
    for place in (Path("/opt"), Path.home()):
        yield from (str(path) for path in place.glob("blender*/blender") if os.access(path, os.X_OK) and path.is_file())
    yield from filter(os.path.exists, ("/usr/bin/blender", "/usr/local/bin/blender", "/snap/bin/blender"))


def _installed() -> Iterator[Path]:
    """The directories of our add-on, as an add-on of the old kind and as an extension."""
    scripts, extensions = os.environ.get("BLENDER_USER_SCRIPTS"), os.environ.get("BLENDER_USER_EXTENSIONS")
    found = [
        *((root / "scripts", "addons") for root in user_directories()),
        *((root / "extensions", "*") for root in user_directories()),
        *([(Path(scripts), "addons")] if scripts else []),
        *([(Path(extensions), "*")] if extensions else []),
    ]
    for root, inside in found:
        for name in _NAMES:
            yield from sorted(path for path in root.glob(f"{inside}/{name}") if path.is_dir())


def user_directories() -> list[Path]:
    """Where Blender keeps what its user installed: one directory a version, or the one that its variable names."""
    if value := os.environ.get("BLENDER_USER_RESOURCES"):
        return [Path(value)]
    if sys.platform == "darwin":
        base = Path.home() / "Library/Application Support/Blender"
    elif sys.platform == "win32":
        base = Path(os.environ.get("APPDATA", "")) / "Blender Foundation/Blender"
    else:
        base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "blender"
    return sorted(path for path in base.glob("*") if path.is_dir())


def _addon(path: Path) -> Finding:
    version = addon_version(path)
    if version is None:
        return warning(f"the add-on in {path} does not say its version", f"remove {path}, and install the add-on again")
    if version != __version__:
        return warning(
            f"the add-on in {path} is version {version}, and this is {__version__}", "install the same version of both"
        )
    return ok(f"the add-on in {path} is version {version}")


def addon_version(path: Path) -> str | None:
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
