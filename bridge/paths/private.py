"""Directories and files that are their owner's alone: on a Unix socket, the file system is the authentication."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

from bridge.errors import ConfigurationError

from . import places

_OWN_NAMES = frozenset(
    {
        "config.toml", "token", "mcp.token", "bridge.sock", "mcp.sock", "bridge.json", "bridge.lock",
        "logs", "blenders", "jobs", "jobs.sqlite",
    }
)  # fmt: skip


def ensure_private(directory: Path) -> Path:
    """The directory, made if missing, closed to everybody but its owner.

    One that stands open and holds nothing, or files of ours, is closed; one that others may only read and that may
    serve them is left as it is, since each socket and file of ours is closed by itself. Raises ConfigurationError
    where it cannot be made, belongs to somebody else, or can be written by others.
    """
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_owner(directory)
        if not _is_closed(directory):
            _close(directory)
    except OSError as error:
        raise ConfigurationError(_unusable(directory, error.strerror or str(error))) from error
    return directory


def check_owner(directory: Path) -> None:
    """Raises ConfigurationError for a directory that somebody else could have put there, OSError if there is none."""
    if sys.platform == "win32":
        return
    owner = directory.stat().st_uid
    if owner != os.getuid():
        raise ConfigurationError(_unusable(directory, f"it belongs to another user (uid {owner})"))
    # The fallback for a missing runtime directory lies in /tmp, where anybody could have made its parent first.
    if places.home() is None and directory.parent.lstat().st_uid not in (os.getuid(), 0):
        raise ConfigurationError(_unusable(directory, f"{directory.parent} belongs to another user"))


def write_new(target: Path, text: str) -> Path:
    """A new file beside the target with the text in it, 0600 from its first byte; to be renamed or linked there."""
    path = target.with_name(f".{target.name}-{os.getpid()}-{os.urandom(4).hex()}")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError:
        path.unlink()
        raise
    return path


def _is_closed(directory: Path) -> bool:
    return sys.platform == "win32" or not stat.S_IMODE(directory.stat().st_mode) & 0o077


def _close(directory: Path) -> None:
    names = {entry.name for entry in directory.iterdir()}
    if not names or names & _OWN_NAMES:
        directory.chmod(0o700)
    elif stat.S_IMODE(directory.stat().st_mode) & 0o022:
        raise ConfigurationError(
            _unusable(directory, f"others may write to it: `chmod 700 {directory}` if nobody else needs it")
        )


def _unusable(directory: Path, reason: str) -> str:
    return f"the directory {directory} cannot be used: {reason}; or set BPY_BRIDGE_HOME to a directory of your own"
