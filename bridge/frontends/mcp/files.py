"""Files on the bridge's machine that tools read and write: regular ones, of bounded size, where the settings allow."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from functools import partial
from io import BufferedWriter
from pathlib import Path

import trio

from blender_addon.wire import Part

from .npy import npy

LARGEST = 256 << 20
_MOST_OF_A_NAME = 10_000


async def read(path: str) -> bytes:
    """The file's bytes. Raises OSError, and ValueError for what is no absolute path or no file of at most 256 MiB."""
    return await trio.to_thread.run_sync(partial(_read, path), abandon_on_cancel=True)


def _read(path: str) -> bytes:
    if not os.path.isabs(path):
        raise ValueError("give an absolute path")
    # Without O_NONBLOCK a pipe that nobody writes to would be waited for.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ValueError("it is no regular file")
        if status.st_size > LARGEST:
            raise ValueError(f"it has {status.st_size} bytes, and {LARGEST} are the most")
        return file.read(LARGEST)


class Folder:
    """An existing directory for results."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    async def open(cls, path: str, allowed: Sequence[Path] | None) -> Folder:
        """Raises ValueError for what is no absolute directory, or not below one of those that are allowed."""
        place = trio.Path(path)
        if not os.path.isabs(path) or "\0" in path or not await place.is_dir():
            raise ValueError(f"{path!r:.200} is no existing absolute directory")
        real = Path(await place.resolve())
        roots = None if allowed is None else [Path(await trio.Path(root).resolve()) for root in allowed]
        if roots is not None and not any(real.is_relative_to(root) for root in roots):
            where = ", ".join(map(str, roots)) or "no folder at all"
            raise ValueError(f"{path!r:.200} is outside of where files may be written (safety.write_folders): {where}")
        return cls(real)

    async def save(self, parts: Mapping[str, Part]) -> dict[str, str]:
        """Write each, arrays as .npy, under a name that nothing has yet; where each one is. Raises OSError."""
        return await trio.to_thread.run_sync(self._save, parts)

    def _save(self, parts: Mapping[str, Part]) -> dict[str, str]:
        saved = {}
        for name, part in parts.items():
            array = part.dtype is not None
            plain = Path(name).name or "part"
            with _new(self.path / (f"{plain}.npy" if array else plain)) as file:
                file.write(npy(part) if array else part.data)
                saved[name] = file.name
        return saved


def _new(wanted: Path) -> BufferedWriter:
    for number in range(1, _MOST_OF_A_NAME):
        place = wanted if number == 1 else wanted.with_name(f"{wanted.stem}-{number}{wanted.suffix}")
        try:
            return place.open("xb")
        except FileExistsError:
            continue
    raise FileExistsError(f"{wanted} and its numbered neighbours are there already")
