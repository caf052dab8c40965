"""Waiting for one socket, with a way for other threads to end the wait."""

from __future__ import annotations

import contextlib
import math
import select
import socket
import sys
from typing import List, Optional

if sys.platform != "win32":
    _READABLE = select.POLLIN | select.POLLHUP | select.POLLERR | select.POLLNVAL

# poll() counts milliseconds in 32 bits. The caller looks at the clock and waits again.
_LONGEST = 3600.0


class Readiness:
    """One thread waits; any thread may `wake` it."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._waker, self._wakened = socket.socketpair()
        self._waker.setblocking(False)
        self._wakened.setblocking(False)
        self._wakened_fd = self._wakened.fileno()
        self._interest = (True, False)
        if sys.platform != "win32":
            self._poll = select.poll()
            self._poll.register(sock, select.POLLIN)
            self._poll.register(self._wakened, select.POLLIN)

    def wait(self, timeout: Optional[float], *, read: bool = True, write: bool = False) -> bool:
        """Wait until the socket is readable or writable as asked, or `wake`, or `timeout` seconds.

        Returns whether it is readable; a connection that is gone counts as that, for reading tells why.
        """
        timeout = None if timeout is None else min(timeout, _LONGEST)
        if sys.platform == "win32":
            return self._select(timeout, read=read, write=write)
        if self._interest != (read, write):
            self._interest = (read, write)
            self._poll.modify(self._sock, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        readable = False
        # Rounded up, so that the alarm has passed when the wait ends.
        for fd, events in self._poll.poll(None if timeout is None else math.ceil(timeout * 1000)):
            if fd == self._wakened_fd:
                self._quieten()
            elif events & _READABLE:
                readable = True
        return readable

    def _select(self, timeout: Optional[float], *, read: bool, write: bool) -> bool:
        sources: List[socket.socket] = [self._wakened, self._sock] if read else [self._wakened]
        sinks = [self._sock] if write else []
        readable, _, _ = select.select(sources, sinks, [], timeout)
        if self._wakened in readable:
            self._quieten()
        return self._sock in readable

    def _quieten(self) -> None:
        with contextlib.suppress(BlockingIOError):
            self._wakened.recv(64)

    def wake(self) -> None:
        """End the present wait, or the next one."""
        # A full pipe wakes as well as one byte more; a closed one has nobody to wake.
        with contextlib.suppress(OSError):
            self._waker.send(b"\0")

    def close(self) -> None:
        """Close the pipe, not the socket."""
        self._waker.close()
        self._wakened.close()
