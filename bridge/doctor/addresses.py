"""The doors of the settings: free, our own bridge's, or somebody else's."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from pathlib import Path

from blender_addon.wire import Address, parse_address
from bridge import paths

from .finding import Finding, broken, ok
from .place import Place
from .processes import listener_of, named

_PATIENCE = 1.0


def doors(place: Place) -> Iterator[Finding]:
    """Each door, the one for HTTP too."""
    settings = place.settings
    for text in settings.listen:
        yield _door(parse_address(text), "--listen unix:/path or tcp:127.0.0.1:PORT")
    if settings.http != "off":
        yield _door(parse_address(settings.http), "--http tcp:127.0.0.1:PORT, or none with --http off")


def _door(address: Address, other: str) -> Finding:
    taken = _taken(address)
    if isinstance(taken, str):
        return broken(f"{address} cannot be listened at: {taken}", f"choose another with {other}")
    if not taken:
        return ok(f"{address} is free")
    process = listener_of(address)
    bridge = paths.running()
    if bridge is not None and process is not None and process.pid == bridge.pid:
        return ok(f"{address} is open: the bridge {paths.bridge_name()!r}, {named(process)}")
    end = "end it" if process is None else f"end process {process.pid}"
    return broken(f"{address} is taken by {named(process)}", f"{end}, or choose another with {other}")


def is_listened_at(address: Address) -> bool:
    """Whether a process listens there."""
    return _taken(address) is True


def _taken(address: Address) -> bool | str:
    """Whether somebody listens there; a text where nobody could."""
    return _unix_taken(address) if address.kind == "unix" else _tcp_taken(address)


def _tcp_taken(address: Address) -> bool | str:
    family, kind, number, _, found = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
    with socket.socket(family, kind, number) as trying:
        try:
            if os.name == "posix":
                trying.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            trying.bind(found)
        except OSError as error:
            return error.errno == errno.EADDRINUSE or (error.strerror or str(error))
    return False


def _unix_taken(address: Address) -> bool | str:
    path = Path(address.path)
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            return f"{path} is there and is no socket"
    except FileNotFoundError:
        return _no_directory(path.parent)
    return answers(path)


def _no_directory(directory: Path) -> bool | str:
    if directory == paths.runtime_directory() or os.access(directory, os.W_OK | os.X_OK):
        return False
    return f"the directory {directory} {'cannot be written to' if directory.is_dir() else 'does not exist'}"


def answers(path: Path) -> bool:
    """Whether a process listens at the socket file."""
    with socket.socket(socket.AF_UNIX) as trying:
        trying.settimeout(_PATIENCE)
        try:
            trying.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # it listens, and is busy or not for us
    return True
