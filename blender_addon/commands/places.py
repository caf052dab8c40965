"""Paths in commands: absolute, on Blender's machine, checked before Blender is touched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Sequence

from ..constraints import Size
from ..policy import permit_write
from ..schema import nearest
from .lookup import refuse

# What a .blend file begins with: plain, gzip (up to 2.93) and zstd.
_MAGIC = (b"BLENDER", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")

AbsolutePath = Annotated[str, "an absolute path on Blender's machine; ~ is the home directory", Size(1, 4096)]


def to_read(path: str, suffixes: Sequence[str] = (), *, param: str = "path") -> Path:
    """An existing file. Raises Fault `invalid_params`, with the files beside it that have names like it.

    `suffixes`, in small letters and with their dots, are those that it may have; all where there are none.
    """
    place = _absolute(path, param)
    if not place.is_file():
        raise refuse(param, f"there is no file {str(place)!r}", _neighbours(place, suffixes))
    if suffixes and place.suffix.lower() not in suffixes:
        raise refuse(param, f"{place.name!r} must end in {' or '.join(suffixes)}")
    return place


def to_read_blend(path: str, *, param: str = "path") -> Path:
    """An existing .blend file. Raises Fault `invalid_params`."""
    place = to_read(path, param=param)
    with place.open("rb") as file:
        if not file.read(8).startswith(_MAGIC):
            raise refuse(param, f"{str(place)!r} is no .blend file")
    return place


def to_search(path: str, *, param: str = "folder") -> Path:
    """An existing folder. Raises Fault `invalid_params`."""
    place = _absolute(path, param)
    if not place.is_dir():
        raise refuse(param, f"there is no folder {str(place)!r}", _neighbours(place, ()))
    return place


def to_write(path: str, suffix: str = "", *, others: Sequence[str] = (), param: str = "path") -> Path:
    """Where a file can be written, `suffix` added where it has neither this nor one of the `others`.

    Raises Fault `invalid_params` where there is no directory for it, `forbidden` where the policy says no.
    """
    place = _absolute(path, param)
    if suffix and place.suffix.lower() not in (suffix, *others):
        place = place.with_name(place.name + suffix)
    permit_write(str(place))
    if place.is_dir():
        raise refuse(param, f"{str(place)!r} is a directory: name a file in it")
    if not place.parent.is_dir():
        raise refuse(param, f"there is no directory {str(place.parent)!r}")
    if not os.access(place.parent, os.W_OK):
        raise refuse(param, f"the directory {str(place.parent)!r} may not be written to")
    return place


def to_write_into(path: str, *, param: str = "folder") -> Path:
    """A folder in which files can be written; one that is missing can be made. Raises Fault as `to_write`."""
    place = _absolute(path, param)
    if not place.is_dir():
        return to_write(path, param=param)
    permit_write(str(place))
    return place


def _absolute(path: str, param: str) -> Path:
    place = Path(path).expanduser()
    if not place.is_absolute():
        raise refuse(param, f"expected an absolute path, got {path!r}: Blender's working directory is not yours")
    if str(place).startswith("//"):
        raise refuse(param, f"{path!r} begins with //, which to Blender is the open file's folder: write all of it out")
    return place


def _neighbours(place: Path, suffixes: Sequence[str]) -> list[str]:
    try:
        entries = [entry.name for entry in place.parent.iterdir() if not suffixes or entry.suffix.lower() in suffixes]
    except OSError:
        return []
    return [str(place.parent / name) for name in nearest(place.name, entries)]
