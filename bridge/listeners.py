"""Listening sockets, opened before anything else starts, so that a taken address is a clear error."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import NamedTuple

from blender_addon.wire.address import parse_address

from .errors import ConfigurationError

_BACKLOG = 1024


class Listener(NamedTuple):
    """A bound, listening, non-blocking socket; `address` is what clients connect to, with the real port."""

    socket: socket.socket
    address: str
    path: Path | None

    def close(self) -> None:
        """Stop listening; a Unix socket's file goes too. The second time nothing: the path may be another's by now."""
        if self.socket.fileno() < 0:
            return
        self.socket.close()
        if self.path is not None:
            self.path.unlink(missing_ok=True)


def open_listener(text: str, *, flag: str = "--listen") -> Listener:
    """Listen at `unix:/path` (mode 0600) or `tcp:HOST:PORT`.

    Raises ConfigurationError that says what to do: to choose another address with `flag`.
    """
    try:
        address = parse_address(text)
        if address.kind == "unix":
            return _open_unix(Path(address.path))
        return _open_tcp(address.host, address.port)
    except ValueError as error:
        raise ConfigurationError(f"cannot listen at {text}: {error}") from error
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        hint = f"another program listens there; choose another with {flag}" if taken else ""
        raise ConfigurationError(f"cannot listen at {text}: {hint or error.strerror or error}") from error


def _open_unix(path: Path) -> Listener:
    _clear_stale(path)
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    umask = os.umask(0o177)
    try:
        listening.bind(str(path))
    except OSError:
        listening.close()
        raise
    finally:
        os.umask(umask)
    return _listen(listening, f"unix:{path}", path)


def _clear_stale(path: Path) -> None:
    """Remove a socket that nobody listens on; anything else at the path is refused."""
    try:
        if not stat.S_ISSOCK(path.lstat().st_mode):
            raise ConfigurationError(f"{path} exists and is no socket: remove it or choose another address")
    except FileNotFoundError:
        return
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except FileNotFoundError:
            return
    raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _open_tcp(host: str, port: int) -> Listener:
    family, kind, number, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind, number)
    try:
        if os.name == "posix":
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
    except OSError:
        listening.close()
        raise
    bound = listening.getsockname()[1]
    return _listen(listening, f"tcp:[{host}]:{bound}" if ":" in host else f"tcp:{host}:{bound}", None)


def _listen(listening: socket.socket, address: str, path: Path | None) -> Listener:
    listening.listen(_BACKLOG)
    listening.setblocking(False)
    return Listener(listening, address, path)


def same_user(connected: socket.socket) -> bool:
    """The peer of a Unix socket is this user or root; True where the platform cannot tell."""
    if not hasattr(socket, "SO_PEERCRED") or connected.family != socket.AF_UNIX:
        return True
    credentials = connected.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize("3i"))
    _, user, _ = struct.unpack("3i", credentials)
    return user in (os.getuid(), 0)
