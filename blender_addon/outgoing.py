"""Whole frames on their way into a non-blocking socket."""

from __future__ import annotations

import socket
import time
from collections import deque
from itertools import islice
from typing import Deque, List, Sequence

from .wire import Buffer

# Below this one copy costs less than a second buffer in the system call.
JOIN_BELOW = 16_384
_MOST_BUFFERS = 64


class Outgoing:
    """What a socket has not taken yet, in order. Not thread-safe: the owner's lock is held around every call."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._pending: Deque[memoryview] = deque()
        self._vectored = hasattr(sock, "sendmsg")
        self.moved = 0.0

    def __len__(self) -> int:
        return len(self._pending)

    def put(self, head: bytes, buffers: Sequence[Buffer] = ()) -> None:
        """Add one whole frame; nothing is copied but small payloads."""
        if not self._pending:
            self.moved = time.monotonic()
        if len(buffers) == 1 and len(buffers[0]) <= JOIN_BELOW:
            self._pending.append(memoryview(head + bytes(buffers[0])))
            return
        self._pending.append(memoryview(head))
        self._pending.extend(view for view in map(_as_bytes, buffers) if len(view))

    def flush(self) -> None:
        """Send what the socket takes now, without waiting. Raises OSError where the connection is gone."""
        while self._pending:
            try:
                sent = self._send()
            except BlockingIOError:
                return
            self.moved = time.monotonic()
            self._take(sent)

    def clear(self) -> None:
        """Let go of everything."""
        self._pending.clear()

    def _send(self) -> int:
        if len(self._pending) == 1 or not self._vectored:
            return self._sock.send(self._pending[0])
        chunk: List[memoryview] = list(islice(self._pending, _MOST_BUFFERS))
        return self._sock.sendmsg(chunk)

    def _take(self, sent: int) -> None:
        while sent:
            first = self._pending[0]
            if sent < len(first):
                self._pending[0] = first[sent:]
                return
            sent -= len(first)
            self._pending.popleft()


def _as_bytes(buffer: Buffer) -> memoryview:
    view = memoryview(buffer)
    return view if view.format == "B" and view.ndim == 1 else view.cast("B")
