"""A connection to PostgreSQL that nothing waits for longer than `PATIENCE`: a server may be frozen, or a network gone.

The server's own statement_timeout ends what it works on; this ends what it no longer answers.
"""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg.rows import DictRow

PATIENCE = 15.0
_LOOK = 1.0

Connection = psycopg.Connection[DictRow]


class Link:
    """An open connection, and a hold on its socket, by which any thread may cut it."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        # A duplicate: its number is not another file's once the connection is closed.
        self._socket = socket.fromfd(connection.fileno(), socket.AF_INET, socket.SOCK_STREAM)

    def cut(self) -> None:
        """Whoever waits for the server learns at once that it is gone. From any thread."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """Close it. Never raises."""
        with suppress(psycopg.Error):
            self.connection.close()
        self._socket.close()


class Watch:
    """Cuts links that are waited for too long, on a thread of its own until `close`."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._since: dict[Link, float] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        threading.Thread(target=self._look, name="bpy-bridge jobs store", daemon=True).start()

    @contextmanager
    def over(self, link: Link) -> Iterator[Connection]:
        """Something is asked of the server, with the connection. Once it is closed, it is cut at once."""
        with self._lock:
            self._since[link] = time.monotonic()
            if self._closed.is_set():
                link.cut()
        try:
            yield link.connection
        finally:
            with self._lock:
                del self._since[link]

    def close(self) -> None:
        """Cut everything that is being waited for."""
        with self._lock:
            self._closed.set()
            for link in self._since:
                link.cut()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK):
            now = time.monotonic()
            with self._lock:
                for link in [link for link, since in self._since.items() if now - since > self._patience]:
                    link.cut()
