"""Whole frames over a byte stream: one reader, many writers, memory within a budget."""

from __future__ import annotations

from collections.abc import Sequence

import trio

from blender_addon.wire import Buffer, Fault, Frame, FrameDecoder

from .memory import MemoryShare
from .stream import ByteStream
from .trace import Tap

FRAME_TIMEOUT = 30.0


class FrameReader:
    """Reads frames for one task at a time; their payloads are charged to `memory`, and `tap` is shown each."""

    def __init__(
        self,
        stream: ByteStream,
        max_payload: int,
        memory: MemoryShare,
        *,
        frame_timeout: float = FRAME_TIMEOUT,
        tap: Tap | None = None,
    ) -> None:
        self._stream = stream
        self._decoder = FrameDecoder(max_payload)
        self._memory = memory
        self._frame_timeout = frame_timeout
        self._tap = tap
        self._watchers: Sequence[object] = () if tap is None else tap.watchers
        self._charged = 0
        self._uncharged: Frame | None = None
        self._waiting: trio.CancelScope | None = None
        self._closed = False

    def take_payloads(self, max_payload: int) -> None:
        """Take payloads of that many bytes from the next frame on."""
        self._decoder.max_payload = max_payload

    @property
    def has_more(self) -> bool:
        """Bytes of the next frame are here already."""
        return self._decoder.mid_frame

    async def read(self) -> Frame | None:
        """The next frame, or None at the end of the stream between two frames.

        The payload's length is charged to the memory share; whoever drops the payload gives it back. Raises
        trio.BrokenResourceError for an end within a frame or no progress for frame_timeout seconds, Fault for what is
        no frame, trio.ClosedResourceError after `close`. Cancelled, what was read of a frame is kept for the next call.
        """
        decoder = self._decoder
        try:
            frame = self._uncharged or decoder.next_frame()
            while frame is None:
                if decoder.mid_frame:
                    count = await self._receive_in_frame()
                else:
                    count = await self._stream.receive_into(decoder.buffer())
                    if count == 0:
                        return None
                decoder.received(count)
                frame = decoder.next_frame()
        except Fault as fault:
            if self._watchers and self._tap is not None:
                self._tap.refused(fault)
            raise
        if self._charged:
            self._charged = 0
        elif frame.payload and not self._memory.reserve_now(len(frame.payload)):
            self._uncharged = frame
            await self._reserve(len(frame.payload))
            self._uncharged, self._charged = None, 0
        if self._watchers and self._tap is not None:
            self._tap.came(frame)
        return frame

    async def _reserve(self, count: int) -> None:
        with trio.CancelScope() as self._waiting:
            await self._memory.reserve(count)
            self._charged = count
        if self._closed:
            self.close()
            raise trio.ClosedResourceError("the reader was closed here")

    def close(self) -> None:
        """Give back what a payload that never became whole was charged, and end a wait for memory."""
        self._closed = True
        self._memory.release(self._charged)
        self._charged = 0
        if self._waiting is not None:
            self._waiting.cancel()

    async def _receive_in_frame(self) -> int:
        decoder = self._decoder
        if decoder.unadmitted:
            await self._reserve(decoder.unadmitted)
            decoder.admit(self._memory.allocate(decoder.unadmitted))
        with trio.CancelScope(deadline=trio.current_time() + self._frame_timeout):
            count = await self._stream.receive_into(decoder.buffer())
            if count == 0:
                raise trio.BrokenResourceError("the connection ended within a frame")
            return count
        raise trio.BrokenResourceError(f"a frame made no progress for {self._frame_timeout:g} s")


class FrameWriter:
    """Writes whole frames, each without a switch where the kernel takes it at once.

    A frame that was begun is finished or the stream is closed: nobody can write into another's frame. `tap` is shown
    each frame that begins.
    """

    def __init__(self, stream: ByteStream, *, frame_timeout: float = FRAME_TIMEOUT, tap: Tap | None = None) -> None:
        self._stream = stream
        self._lock = trio.Lock()
        self._rest: list[memoryview] = []
        self._frame_timeout = frame_timeout
        self._tap = tap
        self._watchers: Sequence[object] = () if tap is None else tap.watchers

    def write_now(self, buffers: Sequence[Buffer]) -> bool:
        """Write if nobody else is writing, without waiting. False: nothing of it was or will be written.

        Where the kernel took a part of it, `unfinished` is true: somebody has to `finish` it.
        """
        if self._rest or self._lock.locked():
            return False
        sent = self._stream.send_now(buffers)
        if sent:
            self._rest = _after(buffers, sent)
            if self._watchers and self._tap is not None:
                self._tap.goes(buffers)
        return sent > 0

    @property
    def unfinished(self) -> bool:
        """A frame was begun, and nobody is writing its rest."""
        return bool(self._rest) and not self._lock.locked()

    async def finish(self) -> None:
        """Write the rest of what `write_now` began, as `write` does."""
        if self._rest:
            await self.write(())

    async def write(self, buffers: Sequence[Buffer]) -> None:
        """Write the whole frame. Raises trio.BrokenResourceError, also where it made no progress for frame_timeout.

        Cancelled within the frame, or broken, the stream is closed.
        """
        if self._watchers and self._tap is not None and buffers:
            self._tap.goes(buffers)
        if not self._rest and not self._lock.locked():
            sent = self._stream.send_now(buffers)
            if sent == sum(map(len, buffers)):
                return
            if sent:
                self._rest = _after(buffers, sent)
                buffers = ()
        try:
            await self._write_rest(buffers)
        except BaseException:
            self._stream.close()
            raise

    async def _write_rest(self, buffers: Sequence[Buffer]) -> None:
        async with self._lock:
            rest, self._rest = [*self._rest, *(memoryview(buffer) for buffer in buffers)], []
            for view in rest:
                sent = 0
                while sent < len(view):
                    with trio.CancelScope(deadline=trio.current_time() + self._frame_timeout) as scope:
                        sent += await self._stream.send_some(view[sent:])
                    if scope.cancelled_caught:
                        raise trio.BrokenResourceError(f"the other side took nothing for {self._frame_timeout:g} s")


def _after(buffers: Sequence[Buffer], sent: int) -> list[memoryview]:
    rest = []
    for buffer in buffers:
        length = len(buffer)
        if sent < length:
            rest.append(memoryview(buffer)[sent:])
        sent = max(0, sent - length)
    return rest
