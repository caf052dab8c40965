"""The lock of a bridge's name: held by one process at a time, and gone with it, however it ends.

It is a POSIX record lock: it can be looked at without being taken, so that a look never makes a start fail; the
operating system itself names the process that holds it, so that no pid need be believed; and forked processes don't
inherit it. Its one trap is that closing the file anywhere in the process drops it: only this module opens the file.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Self

from bridge.errors import ConfigurationError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

UNSEEN = 0
"""Held, by a process that cannot be seen from here: one in another container, or any on Windows."""

# The C library's struct flock.
_FIELDS, _LAYOUT = (
    (("start", "length", "pid", "type", "whence"), "qqihh")
    if sys.platform == "darwin"
    else (("type", "whence", "start", "length", "pid"), "hhqqi4x")
)
_held: set[Path] = set()


class Lock:
    """A lock that this process holds until `release`, or until it ends."""

    def __init__(self, path: Path, file: int) -> None:
        self._path = path
        self._file = file
        _held.add(path)

    @classmethod
    def take(cls, path: Path) -> Self | None:
        """The lock, None where it is held already. Raises ConfigurationError where the file cannot be had."""
        while path not in _held:
            try:
                file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
                with ExitStack() as stack:
                    stack.callback(os.close, file)
                    if not _take(file):
                        return None
                    # Its holder may have removed it while it ended: whoever comes next locks a new one.
                    if _is_at(file, path):
                        stack.pop_all()
                        return cls(path, file)
            except OSError as error:
                raise ConfigurationError(
                    f"the lock file {path} cannot be used: {error.strerror}; mend that, or set BPY_BRIDGE_HOME to "
                    "another directory"
                ) from error
        return None

    def release(self) -> None:
        """Let the next one have it, and leave no file behind. The second time nothing."""
        if self._path not in _held:
            return
        # Removed while it is held: nobody can have locked it in between and lose it.
        with suppress(OSError):
            self._path.unlink()
        _held.discard(self._path)
        os.close(self._file)


def holder(path: Path) -> int | None:
    """The pid of the process that holds the lock, UNSEEN where it has none here; None where nobody holds it."""
    while path not in _held:
        try:
            file = os.open(path, os.O_RDONLY)
        except OSError:
            return None
        try:
            pid = _holder(file)
            if pid is not None or _is_at(file, path):
                return pid
        finally:
            os.close(file)
    return os.getpid()


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


if sys.platform == "win32":

    def _take(file: int) -> bool:
        try:
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

    def _holder(file: int) -> int | None:
        if not _take(file):
            return UNSEEN
        msvcrt.locking(file, msvcrt.LK_UNLCK, 1)
        return None

else:

    def _take(file: int) -> bool:
        try:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EACCES):
                return False
            raise
        return True

    def _holder(file: int) -> int | None:
        asked = struct.pack(_LAYOUT, *(fcntl.F_WRLCK if field == "type" else 0 for field in _FIELDS))
        answer = struct.unpack(_LAYOUT, fcntl.fcntl(file, fcntl.F_GETLK, asked))
        found = dict(zip(_FIELDS, answer, strict=True))
        return None if found["type"] == fcntl.F_UNLCK else max(UNSEEN, found["pid"])
