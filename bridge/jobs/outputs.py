"""A job's files: under a temporary name while they are made, with their own name only once they are whole.

jobs/<id>/            what is finished, and manifest.json
jobs/<id>/.<fence>/   what the attempt of that fence is making
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import Any

import trio

_CHUNK = 1 << 20


class Outputs:
    """The outputs of one attempt at one job; `directory` is where people look for them."""

    def __init__(self, directory: Path, fence: int) -> None:
        self.directory = directory
        self.unfinished = directory / f".{fence}"

    async def begin(self) -> None:
        """Make the directories, and remove what earlier attempts left unfinished."""
        await trio.to_thread.run_sync(self._begin)

    def _begin(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True)
        for entry in self.directory.iterdir():
            if entry.is_dir() and entry.name[:1] == "." and entry.name[1:].isdigit() and entry != self.unfinished:
                shutil.rmtree(entry, ignore_errors=True)
        self.unfinished.mkdir(exist_ok=True)

    def finished(self) -> list[Path]:
        """The files that have their own names, sorted."""
        if not self.directory.is_dir():
            return []
        return sorted(path for path in self.directory.iterdir() if path.is_file() and path.name != "manifest.json")

    async def keep(self, made: Path) -> Path:
        """Give a whole file in `unfinished` its own name, on disk before it returns."""
        return await trio.to_thread.run_sync(self._keep, made)

    def _keep(self, made: Path) -> Path:
        with made.open("rb") as file:
            os.fsync(file.fileno())
        kept = self.directory / made.name
        made.replace(kept)
        return kept

    async def close(self) -> dict[str, Any]:
        """Write the manifest, remove what is unfinished, and return the manifest."""
        return await trio.to_thread.run_sync(self._close)

    def _close(self) -> dict[str, Any]:
        files = [{"name": path.name, "bytes": path.stat().st_size, "sha256": _digest(path)} for path in self.finished()]
        manifest = {"directory": str(self.directory), "files": files}
        new = self.unfinished / "manifest.json"
        new.write_text(json.dumps(manifest, indent=2) + "\n", encoding="utf-8")
        new.replace(self.directory / "manifest.json")
        shutil.rmtree(self.unfinished, ignore_errors=True)
        return manifest


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
