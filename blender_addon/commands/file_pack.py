"""file.pack, file.unpack: images, sounds and fonts inside the .blend file, or beside it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Dict, List, NamedTuple, Optional, Sequence, TypedDict

from ..constraints import Size
from ..policy import permit_write
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import MOST_NAMES
from .external import ExternalFile
from .lookup import refuse
from .parameters import Name
from .places import AbsolutePath, to_write_into

_PACKABLE = {"images": "image", "sounds": "sound", "fonts": "font"}
Some = Annotated[Optional[List[Name]], "only these images, sounds and fonts, by name; default: all", Size(1, 1000)]


class NotPacked(TypedDict):
    kind: str
    name: str
    problem: str


class Packed(TypedDict):
    """The first 100 names of each list."""

    packed: List[str]
    packed_count: int
    failed: List[NotPacked]
    failed_count: int


class Unpacked(TypedDict):
    """The first 100 files that were written, or found there with the same content."""

    folder: str
    files: List[ExternalFile]
    file_count: int


@command("file.pack", idempotent=True)
def pack(*, names: Some = None) -> Packed:
    """Take images, sounds and fonts into the .blend file, so that it needs no others. Save it afterwards."""
    packed: List[str] = []
    failed: List[NotPacked] = []
    for kind, block in _chosen(names, packed=False):
        problem = _pack(block)
        if problem is None:
            packed.append(block.name)
        else:
            failed.append({"kind": kind, "name": block.name, "problem": problem})
    return {
        "packed": packed[:MOST_NAMES],
        "packed_count": len(packed),
        "failed": failed[:MOST_NAMES],
        "failed_count": len(failed),
    }


@command("file.unpack")
def unpack(
    *,
    folder: Annotated[Optional[AbsolutePath], "where to; default: `textures` beside the .blend file"] = None,
    names: Some = None,
) -> Unpacked:
    """Write packed images, sounds and fonts as files, and use them from there. No existing file is replaced."""
    place = _folder(folder)
    plan = _plan(place, _chosen(names, packed=True))
    place.mkdir(exist_ok=True)
    for file in plan:
        for target, data in file.contents.items():
            if not os.path.exists(target):
                Path(target).write_bytes(data)
        file.block.filepath = file.path
        file.block.unpack(method="REMOVE")
    written: List[ExternalFile] = [
        {"kind": file.kind, "name": file.block.name, "file": file.path} for file in plan[:MOST_NAMES]
    ]
    return {"folder": str(place), "files": written, "file_count": len(plan)}


def _pack(block: Any) -> Optional[str]:
    """Why it cannot be packed, None where it was."""
    try:
        block.pack()
    except RuntimeError as error:
        return str(error).removeprefix("Error: ").strip()[:300]
    return None if block.packed_file else "its file cannot be read"


class _Unpacking(NamedTuple):
    """`contents` by their paths: a tiled image has several, and a `path` that stands for all of them."""

    kind: str
    block: Any
    path: str
    contents: Dict[str, bytes]


def _folder(folder: Optional[str]) -> Path:
    import bpy

    if folder is None and not bpy.data.filepath:
        raise refuse("folder", "is required: the open file has never been saved")
    return to_write_into(folder if folder is not None else bpy.path.abspath("//textures"))


def _chosen(names: Optional[Sequence[str]], *, packed: bool) -> List[Any]:
    import bpy

    known = [
        (kind, block)
        for place, kind in _PACKABLE.items()
        for block in getattr(bpy.data, place)
        if block.library is None and _has_content(block, kind) and bool(block.packed_file) == packed
    ]
    if names is None:
        return known
    have = [block.name for _kind, block in known]
    for index, name in enumerate(names):
        if name not in have:
            state = "packed" if packed else "still outside"
            problem = f"no image, sound or font named {name!r} is {state}{did_you_mean(name, have)}"
            raise refuse(f"names[{index}]", problem, nearest(name, have))
    return [(kind, block) for kind, block in known if block.name in names]


def _has_content(block: Any, kind: str) -> bool:
    if block.packed_file:
        return True
    if kind == "image":
        return block.source in ("FILE", "TILED") or (block.source == "GENERATED" and block.is_dirty)
    return bool(block.filepath) and block.filepath != "<builtin>"


def _plan(place: Path, chosen: Sequence[Any]) -> List[_Unpacking]:
    taken: Dict[str, bytes] = {}
    plan = []
    for kind, block in chosen:
        contents = {_base_name(block.filepath, block): bytes(block.packed_file.data)}
        if kind == "image" and block.source == "TILED":
            contents = {_base_name(one.filepath, block): bytes(one.packed_file.data) for one in block.packed_files}
        number = _free_number(place, contents, taken)
        named = {str(place / _numbered(name, number)): data for name, data in contents.items()}
        taken.update(named)
        plan.append(_Unpacking(kind, block, str(place / _numbered(_base_name(block.filepath, block), number)), named))
    for target in taken:
        permit_write(target)
    return plan


def _base_name(path: str, block: Any) -> str:
    return path.replace("\\", "/").rpartition("/")[2] or block.name


def _numbered(name: str, number: int) -> str:
    stem, suffix = os.path.splitext(name)
    return f"{stem}_{number}{suffix}" if number else name


def _free_number(place: Path, contents: Dict[str, bytes], taken: Dict[str, bytes]) -> int:
    """The first with which no file is in the way, other than one that holds the same."""
    number = 0
    while any(_in_the_way(place / _numbered(name, number), data, taken) for name, data in contents.items()):
        number += 1
    return number


def _in_the_way(target: Path, data: bytes, taken: Dict[str, bytes]) -> bool:
    if str(target) in taken:
        return taken[str(target)] != data
    if not target.exists():
        return False
    return not target.is_file() or target.read_bytes() != data
