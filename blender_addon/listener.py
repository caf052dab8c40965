"""Accepts sockets and gives each a connection with a thread of its own.

Two bounds: connections that have shown who they are, and those that have not yet. The second kind never crowds out
the first, nor a newcomer: the oldest of them is closed where a new one needs its place.
"""

from __future__ import annotations

import logging
import os
import secrets
import socket
import threading
import time
from collections import OrderedDict
from typing import Any, Callable, Dict, List, Mapping, Optional, Set

from .connection import ConnectedClient, Connection
from .intake import Intake
from .readiness import Readiness
from .sockets import ServerSocket, check_address
from .wire import Limits, Peer, ServerSession
from .wire.address import Address

MOST_OPEN = 64
MOST_GREETING = 16
_ACCEPT_PAUSE = 0.1

_log = logging.getLogger(__name__)


def new_boot() -> str:
    """An id for this process: 16 hexadecimal digits."""
    return secrets.token_hex(8)


class Listener:
    """Serves one address.

    `describe` says what the application is at the moment: {"blender": its version, "file": the open file's path}. It
    is called on I/O threads at every ping and must not touch Blender.
    """

    def __init__(
        self,
        address: Address,
        intake: Intake,
        *,
        token: Optional[str],
        peer: Peer,
        describe: Callable[[], Mapping[str, Any]],
        most_open: int = MOST_OPEN,
        most_greeting: int = MOST_GREETING,
    ) -> None:
        """Open the address. Raises AddressRefused where that is not safe or not possible."""
        check_address(address, token)
        self._server = ServerSocket(address)
        self._server.socket.setblocking(False)
        self._intake = intake
        self._token = token
        self._peer = peer
        self._describe = describe
        self._most_open = most_open
        self._most_greeting = most_greeting
        self._readiness = Readiness(self._server.socket)
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._greeting: OrderedDict[Connection, None] = OrderedDict()
        self._open: Set[Connection] = set()
        self._threads: List[threading.Thread] = []
        self._leaving: Optional[str] = None
        self._pause = threading.Event()
        self._started = time.monotonic()
        self._thread = threading.Thread(target=self._accept, name="bpy-bridge accept", daemon=True)

    @property
    def address(self) -> Address:
        """Where it listens, with the port that was chosen."""
        return self._server.address

    def start(self) -> None:
        """Take connections from now on."""
        self._thread.start()

    def leave(self, reason: str) -> None:
        """Take no more connections, and say goodbye to those there are: each closes once it has its answer."""
        with self._lock:
            self._leaving = reason
            connections = [*self._greeting, *self._open]
        self._readiness.wake()
        for connection in connections:
            connection.leave(reason)

    def close(self, grace: float) -> None:
        """After `leave`: wait for the connections to close, at most `grace` seconds, then hang up on the rest."""
        if self._thread.ident is None:
            self._end()
            return
        self._thread.join()
        with self._lock:
            self._changed.wait_for(lambda: not self._greeting and not self._open, grace)
            connections = [*self._greeting, *self._open]
        for connection in connections:
            connection.hang_up()

    def join(self, timeout: float) -> bool:
        """After `close`: wait at most that many seconds until no thread is left; False where one is."""
        until = time.monotonic() + timeout
        with self._lock:
            threads = [*self._threads]
        for thread in threads:
            thread.join(max(0.0, until - time.monotonic()))
        return not any(thread.is_alive() for thread in threads)

    def clients(self) -> List[ConnectedClient]:
        """Those who are connected, longest first."""
        with self._lock:
            connections = [*self._open]
        clients = [connection.client for connection in connections]
        return sorted((client for client in clients if client is not None), key=lambda client: client.since)

    def unlink(self) -> None:
        """Remove the Unix socket's file: the last act of a process that ends without `close`."""
        self._server.unlink()

    def status(self) -> Dict[str, Any]:
        """What a pong carries."""
        age = {"pid": os.getpid(), "uptime": time.monotonic() - self._started}
        return {**self._describe(), **age, **self._intake.pump.status()}

    def opened(self, connection: Connection) -> bool:
        with self._lock:
            self._greeting.pop(connection, None)
            if len(self._open) >= self._most_open:
                return False
            self._open.add(connection)
            return True

    def gone(self, connection: Connection) -> None:
        with self._changed:
            self._greeting.pop(connection, None)
            self._open.discard(connection)
            self._changed.notify_all()

    def _accept(self) -> None:
        while self._leaving is None:
            try:
                if self._readiness.wait(None):
                    peer, _ = self._server.socket.accept()
                    self._welcome(peer)
            except (BlockingIOError, ConnectionAbortedError):  # noqa: PERF203  the loop goes on
                continue
            except (OSError, RuntimeError):
                # The boundary: out of files or threads for now. Those who are in go on.
                _log.exception("a connection could not be taken")
                self._pause.wait(_ACCEPT_PAUSE)
        self._end()

    def _end(self) -> None:
        self._server.close()
        self._readiness.close()

    def _welcome(self, peer: socket.socket) -> None:
        if not self._server.admits(peer):
            _log.warning("refused a connection from another user")
            peer.close()
            return
        with self._lock:
            if self._leaving is not None:
                peer.close()
                return
            connection = self._connection(peer)
            self._greeting[connection] = None
            oldest = next(iter(self._greeting)) if len(self._greeting) > self._most_greeting else None
            if oldest is not None:
                del self._greeting[oldest]
        if oldest is not None:
            oldest.hang_up()
        thread = threading.Thread(target=connection.serve, name="bpy-bridge connection", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self.gone(connection)
            peer.close()
            raise
        with self._lock:
            # None lets itself go: between that and its end `join` would miss it.
            self._threads = [*(known for known in self._threads if known.is_alive()), thread]

    def _connection(self, peer: socket.socket) -> Connection:
        if peer.family != getattr(socket, "AF_UNIX", None):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        limits = Limits(self._intake.max_payload, 1)
        session = ServerSession(self._peer, limits, token=self._token, boot=self._intake.boot)
        return Connection(peer, session, self._intake, self, self.status)
