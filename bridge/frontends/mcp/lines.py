"""Lines on a socket, bounded."""

from __future__ import annotations

import trio

_CHUNK = 65_536
LONGEST_LINE = 16 << 20


class LineTooLong(ValueError):
    """A line has too many bytes; it was passed over, and the next one can be read."""


class Lines:
    """Reads lines of at most `longest` bytes. One task reads."""

    def __init__(self, stream: trio.abc.ReceiveStream, longest: int = LONGEST_LINE) -> None:
        self.longest = longest
        self._stream = stream
        self._buffer = bytearray()
        self._searched = 0
        self._skipped = 0

    async def next_line(self) -> bytes | None:
        """The next line without its end; None where the stream has ended. Raises LineTooLong."""
        while (end := self._buffer.find(b"\n", self._searched)) < 0:
            self._searched = len(self._buffer)
            if self._searched + self._skipped > self.longest:
                self._skipped += self._searched
                self._buffer.clear()
                self._searched = 0
            try:
                chunk = await self._stream.receive_some(_CHUNK)
            except (trio.BrokenResourceError, trio.ClosedResourceError):
                return None
            if not chunk:
                return None
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        self._searched = 0
        length, self._skipped = end + self._skipped, 0
        if length > self.longest:
            raise LineTooLong(f"a line has {length} bytes, and {self.longest} are the most")
        return line
