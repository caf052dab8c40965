"""The add-on as the zips that Blender installs, made from the folder that the bridge itself imports.

An extension's zip has its files at the root, and the zip of an add-on of the old kind has the folder in it: one file
cannot be both. The same files make the same bytes, on every machine: names are sorted, times are fixed, and nothing is
compressed, for the result of that depends on the library.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import blender_addon
from bridge.errors import BridgeError

from .copies import ID, version_in

_SOURCE = Path(blender_addon.__file__).parent
_LEFT_OUT = {"__pycache__"}
_EARLIEST = (1980, 1, 1, 0, 0, 0)
_PLAIN_FILE = 0o100644 << 16


class Archive(NamedTuple):
    """One zip, and for whom it is."""

    path: Path
    blenders: str


def build(out: Path, source: Path = _SOURCE) -> list[Archive]:
    """Write both into the directory `out`, which is made if it is missing. Raises BridgeError where it cannot be."""
    name = f"bpy_bridge-{version_in(source)}"
    archives = [
        Archive(out / f"{name}.zip", "Blender 4.2 and later"),
        Archive(out / f"{name}-legacy.zip", "Blender 3.4 to 4.1"),
    ]
    try:
        out.mkdir(parents=True, exist_ok=True)
        for archive, content in zip(archives, (extension(source), legacy(source)), strict=True):
            archive.path.write_bytes(content)
    except OSError as error:
        raise BridgeError(f"the add-on cannot be written to {out}: {error.strerror or error}") from error
    return archives


def extension(source: Path = _SOURCE) -> bytes:
    """The zip for Blender 4.2 and later."""
    return _archive(source, "")


def legacy(source: Path = _SOURCE) -> bytes:
    """The zip for Blender before 4.2."""
    return _archive(source, f"{ID}/")


def _archive(source: Path, folder: str) -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w", zipfile.ZIP_STORED) as archive:
        for path in _files(source):
            entry = zipfile.ZipInfo(folder + path.relative_to(source).as_posix(), _EARLIEST)
            entry.create_system = 3  # Unix, wherever it is made
            entry.external_attr = _PLAIN_FILE
            archive.writestr(entry, path.read_bytes())
    return written.getvalue()


def _files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*"), key=lambda path: path.relative_to(directory).as_posix()):
        parts = path.relative_to(directory).parts
        hidden = any(part in _LEFT_OUT or part.startswith(".") for part in parts)
        if path.is_file() and not hidden and path.suffix != ".pyc":
            yield path
