"""file.missing, file.relocate: files that the open file refers to and that are not where they were."""

from __future__ import annotations

import os
import re
from typing import Annotated, Any, Dict, List, Optional, Sequence, TypedDict

from ..call import Call
from ..constraints import Size
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import MOST_NAMES
from .external import External, ExternalFile, external_files, is_there, tile_pattern
from .lookup import refuse
from .paging import Limit, Offset, page
from .parameters import Name
from .places import AbsolutePath, to_search

# A home directory is looked through in seconds, a whole disk never.
_MOST_SEARCHED = 500_000


class Missing(TypedDict):
    """`files`: how many it refers to in all."""

    missing: List[ExternalFile]
    missing_count: int
    files: int
    next_offset: Optional[int]


class Relocated(TypedDict):
    """The first 100 that were `found`, with their new paths, and of those still `missing`. `complete`: the whole
    folder was searched."""

    found: List[ExternalFile]
    found_count: int
    missing: List[ExternalFile]
    missing_count: int
    complete: bool


@command("file.missing", read_only=True)
def missing(*, limit: Limit = 100, offset: Offset = 0) -> Missing:
    """List the images, sounds, fonts, libraries and caches that the open file refers to and cannot find."""
    known = external_files()
    lost = [one for one in known if not is_there(one.file)]
    some, more = page(lost, limit, offset)
    return {
        "missing": [one.described() for one in some],
        "missing_count": len(lost),
        "files": len(known),
        "next_offset": more,
    }


@command("file.relocate", idempotent=True)
def relocate(
    call: Call,
    *,
    folder: Annotated[AbsolutePath, "where they may be now; it is searched with all that is below it"],
    names: Annotated[Optional[List[Name]], "only these of file.missing, by name", Size(1, 1000)] = None,
) -> Relocated:
    """Find missing files by their names in a folder, and use them from there.

    Of several with one name the one whose folders are named like before is taken.
    """
    place = to_search(folder)
    lost = [one for one in external_files() if not is_there(one.file)]
    if names is not None:
        lost = _named(lost, names)
    searched = _Search(lost)
    searched.walk(str(place), call)
    found = [one for one in lost if searched.best(one) is not None]
    # Libraries last: their data is read anew, and what else was found may be theirs.
    for one in sorted(found, key=lambda one: one.kind == "library"):
        file = searched.best(one)
        assert file is not None
        _use(one, file)
    still = [one for one in lost if one not in found]
    return {
        "found": [_now(one) for one in found[:MOST_NAMES]],
        "found_count": len(found),
        "missing": [one.described() for one in still[:MOST_NAMES]],
        "missing_count": len(still),
        "complete": searched.complete,
    }


def _named(lost: Sequence[External], names: Sequence[str]) -> List[External]:
    known = [one.block.name for one in lost]
    for index, name in enumerate(names):
        if name not in known:
            problem = f"nothing of that name is missing: {name!r}{did_you_mean(name, known)}"
            raise refuse(f"names[{index}]", problem, nearest(name, known))
    return [one for one in lost if one.block.name in names]


class _Search:
    """One walk for all of them. Raises Interrupted where the request is cancelled."""

    def __init__(self, lost: Sequence[External]) -> None:
        self.complete = True
        self._wanted = {os.path.basename(one.file).casefold() for one in lost}
        self._patterns = [re.compile(tile_pattern(name), re.IGNORECASE) for name in self._wanted if "<" in name]
        self._places: Dict[str, List[str]] = {}

    def walk(self, folder: str, call: Call) -> None:
        seen = 0
        for inside, folders, files in os.walk(folder):
            call.check()
            folders.sort()
            for name in files:
                if name.casefold() in self._wanted or any(pattern.fullmatch(name) for pattern in self._patterns):
                    self._places.setdefault(name.casefold(), []).append(os.path.join(inside, name))
            seen += len(files) + len(folders)
            if seen > _MOST_SEARCHED:
                self.complete = False
                return

    def best(self, one: External) -> Optional[str]:
        name = os.path.basename(one.file)
        pattern = re.compile(tile_pattern(name), re.IGNORECASE)
        places = [place for known, found in self._places.items() if pattern.fullmatch(known) for place in found]
        if not places:
            return None
        best = max(places, key=lambda place: _alike(place, one.file))
        return os.path.join(os.path.dirname(best), name) if "<" in name else best


def _alike(one: str, other: str) -> int:
    """How many folders from the file upwards have the same names."""
    pairs = zip(one.split(os.sep)[-2::-1], other.split(os.sep)[-2::-1])  # noqa: B905  # the shorter one ends it
    count = 0
    for here, there in pairs:
        if here != there:
            break
        count += 1
    return count


def _use(one: External, file: str) -> None:
    import bpy

    relative = one.block.filepath.startswith("//") and bpy.data.filepath
    one.block.filepath = bpy.path.relpath(file) if relative else file
    if hasattr(one.block, "reload"):
        one.block.reload()


def _now(one: External) -> Any:
    import bpy

    return {**one.described(), "file": os.path.normpath(bpy.path.abspath(one.block.filepath))}
