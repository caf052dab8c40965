"""Which Blenders there are on this machine."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bridge.errors import NoBlender
from bridge.programs import Outcome, run

OLDEST = (3, 4)
FIRST_WITH_EXTENSIONS = (4, 2)
_SECONDS = 20.0
_VERSION = re.compile(r"^Blender (\d+)\.(\d+)\S*", re.MULTILINE)

# What to look for, below what: where installers put it, and where people unpack it.
_USUAL = {
    "linux": (
        ("/", ("usr/bin/blender", "usr/local/bin/blender", "snap/bin/blender", "opt/blender*/blender")),
        ("~", ("blender*/blender", "Downloads/blender*/blender", "Applications/blender*/blender", "bin/blender")),
        ("~", (".steam/steam/steamapps/common/Blender/blender", ".local/share/Steam/steamapps/common/Blender/blender")),
    ),
    "darwin": (
        ("/Applications", ("Blender*.app/Contents/MacOS/Blender",)),
        ("~/Applications", ("Blender*.app/Contents/MacOS/Blender",)),
    ),
    "win32": (
        (r"C:\Program Files\Blender Foundation", (r"*\blender.exe",)),
        (r"C:\Program Files (x86)\Steam\steamapps\common\Blender", ("blender.exe",)),
    ),
}


class Program(NamedTuple):
    """One Blender that can be started; `version` is None where it does not say one, and `said` what it says instead."""

    path: str
    version: tuple[int, int] | None
    said: str = ""

    @property
    def takes_extensions(self) -> bool:
        """It has extensions, and not only add-ons of the old kind."""
        return self.version is not None and self.version >= FIRST_WITH_EXTENSIONS


def find(chosen: str | None = None) -> list[Program]:
    """The Blender that is `chosen`, by its path or its name on PATH, or all that are found. Raises NoBlender."""
    if chosen is None:
        paths = list(executables())
        if not paths:
            raise NoBlender("there is no Blender on PATH or where it is usually put: name one with --blender PATH")
    else:
        path = shutil.which(str(Path(chosen).expanduser()))
        if path is None:
            raise NoBlender(f"there is no executable {chosen!r}: name a Blender with --blender PATH")
        paths = [os.path.abspath(path)]
    with ThreadPoolExecutor(4) as threads:
        return list(threads.map(_program, paths))


def _program(path: str) -> Program:
    outcome, version = version_of(path)
    return Program(path, version, "" if version else outcome.last_line)


def executables() -> Iterator[str]:
    """Blender on PATH and where it is usually put, each once."""
    seen: set[str] = set()
    for path in _candidates():
        # As it is called: what a link of snap's leads to is not Blender.
        same = path if "/snap/" in path else os.path.realpath(path)
        if same not in seen:
            seen.add(same)
            yield path


def _candidates() -> Iterator[str]:
    if found := shutil.which("blender"):
        yield os.path.abspath(found)
    for place, patterns in _USUAL.get(sys.platform, _USUAL["linux"]):
        root = Path(place).expanduser()
        for pattern in patterns:
            found_there = sorted(root.glob(pattern))
            yield from (str(path) for path in found_there if path.is_file() and os.access(path, os.X_OK))


def version_of(executable: str, *, seconds: float = _SECONDS) -> tuple[Outcome, tuple[int, int] | None]:
    """What it says of itself."""
    outcome = run([executable, "--version"], seconds)
    return outcome, version_in(outcome)


def version_in(outcome: Outcome) -> tuple[int, int] | None:
    """Major and minor of the Blender that said this; None where it did not."""
    found = _VERSION.search(outcome.output)
    return (int(found[1]), int(found[2])) if found else None
