"""Bytes on trio with as few task switches as can be: a switch is the unit of cost on the request path.

trio's own sockets yield to the scheduler at every send and receive. Here a send that the kernel takes at once does
not, and a receive only waits. What moves much data still yields regularly, so that nobody starves.
"""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

import trio

from blender_addon.wire import Buffer

_SWITCH_AFTER = 16
_LARGEST_GATHER = 64
_CHUNK = 65_536
_VECTORED = hasattr(socket.socket, "sendmsg")


class ByteStream(Protocol):
    """Both directions of one connection."""

    def send_now(self, buffers: Sequence[Buffer]) -> int:
        """Bytes that the other side's queue took without waiting. Raises trio.BrokenResourceError."""
        ...

    async def send_some(self, data: memoryview) -> int:
        """Wait until at least one byte was taken, and say how many. Cancelled, nothing was sent by a SocketStream."""
        ...

    async def receive_into(self, buffer: memoryview) -> int:
        """Wait for at least one byte; 0 at the end of the stream. Cancelled, nothing was read."""
        ...

    def quiet(self) -> bool:
        """True while nothing has come: no data, no end. Never waits."""
        ...

    async def stirred(self) -> None:
        """Wait until something has come, data or the end, without reading it; for ever where that cannot be seen."""
        ...

    def send_end(self) -> None:
        """Say that nothing more comes from here; the other direction stays open. Best effort."""
        ...

    def close(self) -> None:
        """Close now. Tasks that wait on the stream get trio.ClosedResourceError."""
        ...


class SocketStream:
    """A connected stream socket of the standard library; it becomes non-blocking and belongs to the stream."""

    def __init__(self, connected: socket.socket) -> None:
        connected.setblocking(False)
        if connected.family != getattr(socket, "AF_UNIX", None):
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket = connected
        self._eager = 0
        self._poll = _poll_of(connected)

    def send_now(self, buffers: Sequence[Buffer]) -> int:
        try:
            if len(buffers) == 1 or not _VECTORED:
                return self._socket.send(buffers[0])
            return self._socket.sendmsg(buffers[:_LARGEST_GATHER])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise self._broken(error) from error

    async def send_some(self, data: memoryview) -> int:
        while True:
            await trio.lowlevel.wait_writable(self._socket)
            count = self.send_now([data])
            if count:
                return count

    async def receive_into(self, buffer: memoryview) -> int:
        # Within a large payload more is likely to be here already; elsewhere the first try would be in vain.
        if self._eager and self._eager < _SWITCH_AFTER:
            await trio.lowlevel.checkpoint_if_cancelled()
            count = self._receive_now(buffer)
            if count is not None:
                self._eager += 1
                return count
        while True:
            await trio.lowlevel.wait_readable(self._socket)
            count = self._receive_now(buffer)
            if count is not None:
                self._eager = int(len(buffer) > 65_536)
                return count

    def _receive_now(self, buffer: memoryview) -> int | None:
        try:
            return self._socket.recv_into(buffer)
        except BlockingIOError:
            return None
        except OSError as error:
            raise self._broken(error) from error

    def quiet(self) -> bool:
        if self._socket.fileno() < 0:
            return False
        if self._poll is not None:
            return not self._poll(0)
        try:
            self._socket.recv(1, socket.MSG_PEEK)
        except BlockingIOError:
            return True
        except OSError:
            return False
        return False

    async def stirred(self) -> None:
        await trio.lowlevel.wait_readable(self._socket)

    def send_end(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        if self._socket.fileno() >= 0:
            trio.lowlevel.notify_closing(self._socket)
            self._socket.close()

    def _broken(self, error: OSError) -> Exception:
        if self._socket.fileno() < 0:
            return trio.ClosedResourceError("the stream was closed here")
        return trio.BrokenResourceError(error.strerror or type(error).__name__)


def _poll_of(connected: socket.socket) -> Callable[[float], list[tuple[int, int]]] | None:
    """A look at the socket for a third of what a peek costs, where the platform has poll."""
    if not hasattr(select, "poll"):
        return None
    poll = select.poll()
    poll.register(connected, select.POLLIN)
    return poll.poll


class WrappedStream:
    """Any trio.abc.Stream (TLS, memory) as a ByteStream; each operation yields as the wrapped stream does."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self._closed = False

    def send_now(self, buffers: Sequence[Buffer]) -> int:  # noqa: ARG002  # such a stream takes nothing without an await
        return 0

    async def send_some(self, data: memoryview) -> int:
        chunk = data[:_CHUNK]
        await self._stream.send_all(chunk)
        return len(chunk)

    async def receive_into(self, buffer: memoryview) -> int:
        data = await self._stream.receive_some(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def quiet(self) -> bool:
        return not self._closed

    async def stirred(self) -> None:
        await trio.sleep_forever()

    def send_end(self) -> None:
        return

    def close(self) -> None:
        self._closed = True
        trio.lowlevel.spawn_system_task(trio.aclose_forcefully, self._stream)


async def connect_unix(path: str) -> SocketStream:
    """Connect to a Unix socket. Raises OSError."""
    return await _connect(socket.AF_UNIX, path)


async def connect_tcp(host: str, port: int) -> SocketStream:
    """Connect to the first of the host's addresses that answers. Raises OSError."""
    last: OSError | None = None
    for family, _, _, _, address in await trio.socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        try:
            return await _connect(family, address)
        except OSError as error:
            last = error
    raise last if last is not None else OSError(f"{host} has no address")


async def _connect(family: int, address: object) -> SocketStream:
    with trio.socket.socket(family, socket.SOCK_STREAM) as connecting:
        await connecting.connect(address)
        return SocketStream(socket.socket(fileno=connecting.detach()))
