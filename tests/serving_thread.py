"""A socket that a thread serves, one connection after another."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable


class ServingThread:
    """`converse` has each connection until it returns; a peer that leaves without a word is no failure."""

    def __init__(self, listening: socket.socket, converse: Callable[[socket.socket], None]) -> None:
        self._listening = listening
        self._converse = converse
        self._client: socket.socket | None = None
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Gone, as a process that has ended: its client's connection too. Twice is as once."""
        if self._listening.fileno() < 0:
            return
        self._listening.shutdown(socket.SHUT_RDWR)
        if self._client is not None:
            with contextlib.suppress(OSError):  # it may have left already
                self._client.shutdown(socket.SHUT_RDWR)
        self._thread.join(10)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                self._client, _ = self._listening.accept()
            except OSError:
                return
            with self._client, contextlib.suppress(ConnectionError):
                self._converse(self._client)
