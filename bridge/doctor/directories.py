"""The bridge's directories and what guards them: owners, modes, lengths."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

from bridge import paths
from bridge.errors import ConfigurationError

from .finding import Finding, broken, ok, warning
from .place import Place

_ELSEWHERE = "or set BPY_BRIDGE_HOME to a directory of your own"


def nearest(path: Path) -> Path:
    """The path, or the nearest directory above it that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def directories(_place: Place) -> Iterator[Finding]:
    """Configuration, runtime and logs: closed to others, this user's own, and writable."""
    found = {
        paths.config_file().parent: "configuration",
        paths.log_directory(): "logs",
        paths.runtime_directory(): "runtime",
    }
    for directory, use in found.items():
        yield _directory(directory, use)


def _directory(directory: Path, use: str) -> Finding:
    said = f"the {use} directory {directory}"
    if not directory.exists():
        above = nearest(directory)
        if above.is_dir() and os.access(above, os.W_OK | os.X_OK):
            return ok(f"{said} is made when it is needed")
        return broken(f"{said} cannot be made in {above}", f"make {above} writable, {_ELSEWHERE}")
    if not directory.is_dir():
        return broken(f"{said} is no directory", f"move {directory} away, {_ELSEWHERE}")
    if not os.access(directory, os.W_OK | os.X_OK):
        return broken(f"{said} cannot be written to", f"chmod 700 {directory}, {_ELSEWHERE}")
    return _guarded(directory, said)


def _guarded(directory: Path, said: str) -> Finding:
    if sys.platform == "win32":
        return ok(f"{said} can be written to")
    status = directory.stat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != os.getuid():
        return broken(f"{said} belongs to another user (uid {status.st_uid})", f"chown it to yours, {_ELSEWHERE}")
    if mode & 0o022:
        return broken(f"others may write to {said} (mode {mode:o})", f"chmod 700 {directory}")
    if mode & 0o055:
        return warning(f"others may read {said} (mode {mode:o})", f"chmod 700 {directory}")
    return ok(f"{said} is yours alone")


def socket_paths(place: Place) -> Iterator[Finding]:
    """Whether the operating system can bind the sockets' paths, which it limits to some 100 bytes."""
    shorten = "set BPY_BRIDGE_HOME to a shorter directory, for example /tmp/bpy"
    settings = place.settings
    names = [name for table, worker in settings.workers.items() for name in worker.names(table)]
    if not names and not settings.instances:
        names = ["default"]
    fine = True
    try:
        paths.default_address()
        for name in names:
            paths.check_socket_path(str(paths.worker_socket(name)), shorten=shorten)
    except ConfigurationError as error:
        fine = False
        what, _, fix = str(error).rpartition(": ")
        yield broken(what, fix)
    if fine:
        yield ok("every socket's path is short enough")


def token(_place: Place) -> Iterator[Finding]:
    """Who may read the token of the TCP doors."""
    path = paths.token_file()
    try:
        status = path.stat()
    except FileNotFoundError:
        yield ok("there is no token file; it is made when a door on TCP needs it")
        return
    anew = f"rm {path}: the next start makes a new one"
    mode = stat.S_IMODE(status.st_mode)
    if sys.platform != "win32" and status.st_uid != os.getuid():
        yield broken(f"the token file {path} belongs to another user (uid {status.st_uid})", anew)
    elif sys.platform != "win32" and mode & 0o077:
        yield broken(f"others may have read the token in {path} (mode {mode:o})", anew)
    elif not path.read_text(encoding="utf-8", errors="replace").strip():
        yield broken(f"the token file {path} is empty", anew)
    else:
        yield ok(f"the token file {path} is yours alone")
