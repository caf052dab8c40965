"""The files beside the .blend file that its data is in: images, sounds, fonts, libraries and the like."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any, Iterator, List, NamedTuple, TypedDict

# What bpy.data calls it → what a result calls one.
_KINDS = {
    "images": "image",
    "sounds": "sound",
    "fonts": "font",
    "movieclips": "movieclip",
    "volumes": "volume",
    "cache_files": "cache_file",
    "libraries": "library",
}
_TILE = re.compile(r"<(UDIM|UVTILE)>")


class ExternalFile(TypedDict):
    kind: str
    name: str
    file: str


class External(NamedTuple):
    """A data block and the absolute path of its file."""

    kind: str
    block: Any
    file: str

    def described(self) -> ExternalFile:
        return {"kind": self.kind, "name": self.block.name, "file": self.file}


def external_files() -> List[External]:
    """Everything of the open file, not of its libraries, that has a file of its own and is not packed."""
    import bpy

    return [
        External(kind, block, os.path.normpath(bpy.path.abspath(block.filepath)))
        for place, kind in _KINDS.items()
        for block in getattr(bpy.data, place, ())
        if block.library is None and _has_file(block, kind) and not getattr(block, "packed_file", None)
    ]


def is_there(file: str) -> bool:
    """Whether there is such a file; of a tiled image, any of its tiles."""
    return any(True for _ in on_disk(file)) if _TILE.search(file) else os.path.isfile(file)


def on_disk(file: str) -> Iterator[Path]:
    """The tiles of a tiled image that are there."""
    place = Path(file)
    if place.parent.is_dir():
        tiles = re.compile(tile_pattern(place.name))
        yield from (entry for entry in place.parent.iterdir() if tiles.fullmatch(entry.name))


def tile_pattern(name: str) -> str:
    """A regular expression for a file's name; of a tiled image's, for those of its tiles."""
    return r"(?:\d{4}|u\d+_v\d+)".join(re.escape(part) for part in _TILE.split(name)[::2])


def _has_file(block: Any, kind: str) -> bool:
    if not block.filepath or block.filepath == "<builtin>":
        return False
    return kind != "image" or block.source in ("FILE", "SEQUENCE", "MOVIE", "TILED")
