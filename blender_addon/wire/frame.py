"""Bytes ↔ frames.

A frame is two unsigned big-endian lengths (envelope E, payload P), E bytes of envelope and P bytes of payload.
Both lengths are checked before a byte is allocated for them. Payloads up to 64 KiB are read through a small inbox;
a larger one is received in place, into the one buffer that is then handed on (`recv_into`), and never copied again.
"""

from __future__ import annotations

import struct
from typing import NamedTuple, Union

from .fault import Fault

Buffer = Union[bytes, bytearray, memoryview]

MAX_ENVELOPE = 65_536
DEFAULT_MAX_PAYLOAD = 268_435_456
IN_PLACE_ABOVE = 65_536

_HEAD = struct.Struct(">II")
_FIRST_INBOX = 8_192


class Frame(NamedTuple):
    """One whole frame; `payload` is owned by the receiver."""

    envelope: bytes
    payload: Buffer


def head(envelope: bytes, payload_length: int) -> bytes:
    """The bytes of a frame up to its payload, which the caller sends right behind."""
    return _HEAD.pack(len(envelope), payload_length) + envelope


class FrameDecoder:
    """An incremental decoder: fill `buffer()`, say how much with `received(count)`, take frames until None.

    Faults (`bad_frame`, `payload_too_large`) are raised by `next_frame()` and are final: the stream has lost its
    meaning, and every later call raises again. `max_payload` may be changed between two frames.
    """

    def __init__(self, max_payload: int = DEFAULT_MAX_PAYLOAD) -> None:
        self.max_payload = max_payload
        self._inbox = bytearray(_FIRST_INBOX)
        self._room = memoryview(self._inbox)
        self._start = 0
        self._end = 0
        self._envelope_length = 0
        self._payload_length = -1
        self._envelope = b""
        self._payload: bytearray | memoryview | None = None
        self._filled = 0
        self._fault: Fault | None = None

    @property
    def mid_frame(self) -> bool:
        """Some bytes of a frame have come and its end has not."""
        return self._start != self._end or self._payload_length >= 0

    @property
    def unadmitted(self) -> int:
        """Bytes that the next payload will allocate, once its envelope is here; 0 where nothing waits for memory."""
        if self._payload_length > IN_PLACE_ABOVE and self._envelope and self._payload is None:
            return self._payload_length
        return 0

    @property
    def envelope(self) -> bytes:
        """The envelope whose payload is still on its way; empty where none is."""
        return self._envelope

    def admit(self, memory: bytearray | memoryview | None = None) -> None:
        """Receive the payload that `unadmitted` announced into `memory`, which is writable and of just that length.

        Without it, or where `buffer()` is called first, new memory is allocated.
        """
        payload = bytearray(self._payload_length) if memory is None else memory
        taken = min(self._end - self._start, self._payload_length)
        payload[:taken] = self._room[self._start : self._start + taken]
        self._start += taken
        self._filled = taken
        self._payload = payload

    def buffer(self) -> memoryview:
        """Where the next bytes go; never empty. Valid until the next call of any method."""
        if self._start == self._end and self._payload_length < 0:
            # Between two frames the whole inbox is free.
            self._start = self._end = 0
            return self._room
        if self.unadmitted:
            self.admit()
        if self._payload is not None and self._filled < self._payload_length:
            return memoryview(self._payload)[self._filled :]
        if self._start == self._end:
            self._start = self._end = 0
        wanted = 8 + self._envelope_length + max(0, min(self._payload_length, IN_PLACE_ABOVE))
        if len(self._inbox) - self._start < wanted or self._end == len(self._inbox):
            unread = self._inbox[self._start : self._end]
            if len(self._inbox) < max(wanted, len(unread) + 1):
                self._inbox = bytearray(max(wanted, 2 * len(self._inbox)))
                self._room = memoryview(self._inbox)
            self._inbox[: len(unread)] = unread
            self._start, self._end = 0, len(unread)
        return self._room[self._end :]

    def received(self, count: int) -> None:
        """`count` bytes were written to the start of the last `buffer()`."""
        if self._payload is not None and self._filled < self._payload_length:
            self._filled += count
        else:
            self._end += count

    def feed(self, data: Buffer) -> None:
        """Copy `data` in, for callers that hold bytes already. Take the frames after each call."""
        view = memoryview(data)
        while view:
            room = self.buffer()
            count = min(len(room), len(view))
            room[:count] = view[:count]
            self.received(count)
            view = view[count:]

    def next_frame(self) -> Frame | None:
        """The next whole frame, or None until more bytes have come."""
        if self._start == self._end and self._payload_length < 0 and self._fault is None:
            return None
        if self._fault is not None:
            raise self._fault
        start, available = self._start, self._end - self._start
        if self._payload_length < 0 and available >= 8:
            # Nearly every frame is small and has come whole: take it in one step.
            envelope_length, payload_length = _HEAD.unpack_from(self._inbox, start)
            if 0 < envelope_length <= MAX_ENVELOPE and payload_length <= min(available, self.max_payload):
                middle = start + 8 + envelope_length
                end = middle + payload_length
                if end <= self._end:
                    self._start = end
                    room = self._room
                    return Frame(bytes(room[start + 8 : middle]), bytes(room[middle:end]))
        if self._payload_length < 0 and not self._read_lengths():
            return None
        if not self._envelope and not self._read_envelope():
            return None
        payload = self._read_payload()
        if payload is None:
            return None
        frame = Frame(self._envelope, payload)
        self._envelope_length, self._payload_length, self._envelope = 0, -1, b""
        self._payload, self._filled = None, 0
        return frame

    def _read_lengths(self) -> bool:
        if self._end - self._start < 8:
            # One wrong first byte is enough to know: every length that is allowed begins with a zero.
            if self._end > self._start and self._inbox[self._start] != 0:
                self._refuse_lengths()
            return False
        envelope_length, payload_length = _HEAD.unpack_from(self._inbox, self._start)
        if not 1 <= envelope_length <= MAX_ENVELOPE:
            self._refuse_lengths()
        if payload_length > self.max_payload:
            self._fault = Fault(
                "payload_too_large",
                f"the payload has {payload_length} bytes and at most {self.max_payload} are taken: send less at once",
                data={"length": payload_length, "limit": self.max_payload},
                fatal=True,
            )
            raise self._fault
        self._start += 8
        self._envelope_length, self._payload_length = envelope_length, payload_length
        return True

    def _refuse_lengths(self) -> None:
        if self._inbox[self._start] == ord("{"):
            reason = (
                "this is bare JSON, and a frame starts with two 4-byte lengths: is the client made for another add-on?"
            )
        else:
            reason = f"a frame starts with an envelope length from 1 to {MAX_ENVELOPE}"
        self._fault = Fault("bad_frame", reason, fatal=True)
        raise self._fault

    def _read_envelope(self) -> bool:
        if self._end - self._start < self._envelope_length:
            return False
        end = self._start + self._envelope_length
        self._envelope = bytes(self._room[self._start : end])
        self._start = end
        return True

    def _read_payload(self) -> Buffer | None:
        length = self._payload_length
        if self._payload is not None:
            return self._payload if self._filled == length else None
        if self._end - self._start < length:
            return None
        end = self._start + length
        payload = bytes(self._room[self._start : end])
        self._start = end
        return payload
