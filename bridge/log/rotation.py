"""A log file of bounded size: when it is full it becomes FILE.1, what was that FILE.2, and the oldest goes."""

from __future__ import annotations

import os
from pathlib import Path

MAX_BYTES = 10 << 20
FILES = 3  # the current one included


class Rotation:
    """Looks after the file that a descriptor writes to, which stays the same number: standard error, for example.

    So whatever is written there goes where it should, whoever writes it.
    """

    def __init__(self, path: Path, file: int, *, max_bytes: int = MAX_BYTES, files: int = FILES) -> None:
        self._path = path
        self._file = file
        self._max_bytes = max_bytes
        self._files = files

    def __call__(self) -> None:
        """Begin a new file where this one is full. Where that cannot be, the log goes on as it is; never raises."""
        try:
            if os.fstat(self._file).st_size < self._max_bytes:
                return
            for number in range(self._files - 1, 0, -1):
                _move(self._name(number - 1), self._name(number))
            new = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        except OSError:
            return
        os.dup2(new, self._file)
        os.close(new)

    def _name(self, number: int) -> Path:
        return Path(f"{self._path}.{number}") if number else self._path


def _move(old: Path, new: Path) -> None:
    try:
        os.replace(old, new)
    except FileNotFoundError:
        return
