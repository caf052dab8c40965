"""A job's files: under a temporary name while they are made, with their own name only once they are whole.

jobs/<id>/
    outputs/        what is finished
    .3/             what the attempt of fence 3 is making
    output.log      what its Blenders printed
    scene.blend     the scene that was open at its submit, until the job has completed
    manifest.json   what there is, and the job's result; written last: where it is, the work is done
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import trio

SCENE = "scene.blend"
"""The name of the scene's copy in the job's directory."""

_CHUNK = 1 << 20
_MOST_FILES = 100


class Outputs:
    """The files of one attempt at one job, whose own is `directory`; `kept` is where people look for outputs.

    Every method that is awaited works in a thread, and raises OSError.
    """

    def __init__(self, directory: Path, fence: int) -> None:
        self.directory = directory
        self.kept = directory / "outputs"
        self.unfinished = directory / f".{fence}"
        self.log = directory / "output.log"
        self.scene = directory / SCENE
        self._manifest = directory / "manifest.json"

    async def begin(self, *, anew: bool) -> None:
        """Make the directories, and remove what earlier attempts left unfinished; `anew`: what they finished, too."""
        await trio.to_thread.run_sync(self._begin, anew)

    def _begin(self, anew: bool) -> None:
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        for entry in self.directory.iterdir():
            of_an_attempt = entry.name[:1] == "." and entry.name[1:].isdigit() and entry != self.unfinished
            if of_an_attempt or (anew and entry == self.kept):
                shutil.rmtree(entry, ignore_errors=True)
        self.unfinished.mkdir(exist_ok=True)
        self.kept.mkdir(exist_ok=True)
        self.log.touch(mode=0o600)

    async def finished(self) -> set[str]:
        """The names of the files that are finished, relative to `kept`."""
        return await trio.to_thread.run_sync(lambda: set(_names(self.kept)))

    async def whole(self) -> list[Path]:
        """The files in `unfinished` that have their names: whoever makes them renames them once they are whole."""
        return await trio.to_thread.run_sync(
            lambda: sorted(self.unfinished / name for name in _names(self.unfinished) if not name.startswith("."))
        )

    async def keep(self, made: Path) -> Path:
        """Move a whole file from `unfinished` to `kept`; it is on disk before this returns."""
        return await trio.to_thread.run_sync(self._keep, made)

    def _keep(self, made: Path) -> Path:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        kept = self.kept / made.relative_to(self.unfinished)
        kept.parent.mkdir(parents=True, exist_ok=True)
        made.replace(kept)
        _sync(kept.parent)
        return kept

    async def close(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        """Keep what is left, write the manifest, and return the job's result: `facts` and where the files are."""
        return await trio.to_thread.run_sync(self._close, facts)

    def _close(self, facts: Mapping[str, Any]) -> dict[str, Any]:
        for name in list(_names(self.unfinished)):
            self._keep(self.unfinished / name)
        files = [_described(self.kept, name) for name in sorted(_names(self.kept))]
        result = {
            **facts,
            "directory": str(self.kept),
            "manifest": str(self._manifest),
            "files": files[:_MOST_FILES],
            "file_count": len(files),
            "bytes": sum(file["bytes"] for file in files),
        }
        self._write(json.dumps({"files": files, "result": result}, indent=1))
        self.scene.unlink(missing_ok=True)
        return result

    def _write(self, text: str) -> None:
        # Its temporary name is among what is unfinished, which the attempt after this one removes: one that was taken
        # for dead and is not cannot give it its own name any more.
        new = self.unfinished / ".manifest.json"
        with new.open("w", encoding="utf-8") as file:
            file.write(text + "\n")
            file.flush()
            os.fsync(file.fileno())
        new.replace(self._manifest)
        _sync(self.directory)

    async def discard(self) -> None:
        """The attempt is over: remove what it has not finished."""
        await trio.to_thread.run_sync(remove, self.unfinished)

    async def result(self) -> dict[str, Any] | None:
        """The result, where an attempt has got to the end of the work and its bridge ended before it could say so."""
        return await trio.to_thread.run_sync(self._result)

    def _result(self) -> dict[str, Any] | None:
        try:
            result: dict[str, Any] = json.loads(self._manifest.read_text(encoding="utf-8"))["result"]
        except FileNotFoundError:
            return None
        except (ValueError, KeyError, TypeError):
            return None  # nothing of ours: the work is done again, and it is replaced
        return result


def remove(directory: Path) -> None:
    """Remove a directory with everything in it; none is fine."""
    shutil.rmtree(directory, ignore_errors=True)


def _names(directory: Path) -> Iterator[str]:
    """The regular files in and below it, relative to it, with `/`; links lead elsewhere, and are left out."""
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            if path.is_file() and not path.is_symlink():
                yield path.relative_to(directory).as_posix()


def _described(directory: Path, name: str) -> dict[str, Any]:
    path = directory / name
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return {"name": name, "bytes": path.stat().st_size, "sha256": digest.hexdigest()}


def _sync(directory: Path) -> None:
    """Have the names in it on disk, where the operating system lets one ask for that."""
    if os.name == "posix":
        with suppress(OSError):
            descriptor = os.open(directory, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
