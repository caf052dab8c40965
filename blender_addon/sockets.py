"""Opening the socket that a server listens on, and who may come in by the operating system's word."""

from __future__ import annotations

import contextlib
import os
import socket
import stat
import struct
from typing import Optional, Tuple

from .wire.address import Address

_BACKLOG = 128


class AddressRefused(Exception):
    """The address must not or cannot be listened on; the message says why and what to do."""


def check_address(address: Address, token: Optional[str]) -> None:
    """Raises AddressRefused where the address needs more protection than it has."""
    if address.kind == "unix":
        return
    if token is None:
        raise AddressRefused(f"{address} needs a token: every user of this machine can reach it")
    if not address.is_loopback:
        message = "can be reached from other machines, and there is no TLS here: use 127.0.0.1 and a tunnel"
        raise AddressRefused(f"{address} {message}")


class ServerSocket:
    """A listening socket; `address` has the port that was chosen."""

    def __init__(self, address: Address) -> None:
        """Raises AddressRefused where the address cannot be had."""
        try:
            self.address, self.socket = _listen(address)
        except OSError as error:
            raise AddressRefused(f"{address}: {error}") from error
        # Outside a directory of the user's own, the peer's user is all that stands in for a token.
        self._checks_user = address.kind == "unix" and not _is_private(os.path.dirname(address.path) or ".")
        self._inode = _inode(address)

    def admits(self, peer: socket.socket) -> bool:
        """The operating system says that the peer may come in."""
        return not self._checks_user or _is_same_user(peer)

    def unlink(self) -> None:
        """Remove the Unix socket's file, if it still is this one's."""
        if self.address.kind == "unix" and _inode(self.address) == self._inode:
            with contextlib.suppress(OSError):
                os.unlink(self.address.path)

    def close(self) -> None:
        """Stop listening."""
        self.unlink()
        self.socket.close()


def _listen(address: Address) -> Tuple[Address, socket.socket]:
    if address.kind == "unix":
        return address, _listen_unix(address.path)
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    listener = socket.create_server((address.host, address.port), family=family, backlog=_BACKLOG)
    return address._replace(port=listener.getsockname()[1]), listener


def _listen_unix(path: str) -> socket.socket:
    listener = socket.socket(socket.AF_UNIX)
    try:
        _remove_stale(path)
        # From its first moment nobody else can connect.
        before = os.umask(0o177)
        try:
            listener.bind(path)
        finally:
            os.umask(before)
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def _remove_stale(path: str) -> None:
    """Make room where a server died; one that lives keeps its address, and no other kind of file is touched."""
    try:
        if not stat.S_ISSOCK(os.lstat(path).st_mode):
            raise FileExistsError(f"{path} exists and is no socket")
    except FileNotFoundError:
        return
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise FileExistsError("another server listens there")


def _inode(address: Address) -> Optional[Tuple[int, int]]:
    if address.kind == "unix":
        with contextlib.suppress(OSError):
            found = os.lstat(address.path)
            return found.st_dev, found.st_ino
    return None


def _is_private(directory: str) -> bool:
    found = os.stat(directory)
    return found.st_uid == os.getuid() and stat.S_IMODE(found.st_mode) & 0o077 == 0


def _is_same_user(peer: socket.socket) -> bool:
    if not hasattr(socket, "SO_PEERCRED"):
        return True  # the socket's mode 0600 decides alone
    credentials = struct.Struct("3i")
    _pid, user, _group = credentials.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, credentials.size))
    return bool(user == os.getuid())
