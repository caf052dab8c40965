"""Whole frames over a byte stream, under every chunking, cancel and slow peer."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from blender_addon.wire import Fault, head
from bridge.frames import FrameReader, FrameWriter
from bridge.memory import MemoryBudget
from bridge.stream import WrappedStream


def frame(size: int, fill: bytes = b"x") -> bytes:
    return head(b'{"kind":"ping","id":"1"}', size) + fill * size


def reading(limit: int = 1 << 30, *, frame_timeout: float = 30.0):
    """A reader, the stream that feeds it, and its memory."""
    ours, theirs = memory_stream_pair()
    memory = MemoryBudget(limit).share(limit)
    return FrameReader(WrappedStream(ours), 1 << 24, memory, frame_timeout=frame_timeout), theirs, memory


@pytest.mark.parametrize("size", [0, 10, 65_536, 65_537, 1_000_000])
async def test_a_payload_is_charged_and_arrives_whole(size):
    reader, stream, memory = reading()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(stream.send_all, frame(size) + frame(0))
        got = await reader.read()
        assert bytes(got.payload) == b"x" * size
        assert memory.used == size
        memory.release(size)
        assert (await reader.read()).payload == b""
    assert memory.used == 0


async def test_the_end_between_two_frames_is_none():
    reader, stream, _ = reading()
    await stream.send_all(frame(3))
    await stream.aclose()
    assert await reader.read() is not None
    assert await reader.read() is None


@pytest.mark.parametrize("size", [5, 70_000])
async def test_the_end_within_a_frame_is_broken_and_leaves_no_charge(size):
    reader, stream, memory = reading()
    await stream.send_all(frame(size)[:-1])
    await stream.aclose()
    with pytest.raises(trio.BrokenResourceError, match="within a frame"):
        await reader.read()
    reader.close()
    assert memory.used == 0


async def test_no_progress_within_a_frame_is_broken_and_between_frames_is_patience(autojump_clock: MockClock):
    reader, stream, _ = reading(frame_timeout=7)
    with trio.move_on_after(1000) as scope:
        await reader.read()
    assert scope.cancelled_caught
    await stream.send_all(frame(5)[:4])
    began = trio.current_time()
    with pytest.raises(trio.BrokenResourceError, match="no progress"):
        await reader.read()
    assert trio.current_time() - began == pytest.approx(7)


async def test_slow_progress_is_progress(autojump_clock: MockClock):
    reader, stream, _ = reading(frame_timeout=7)

    async def drip() -> None:
        for byte in frame(20):
            await trio.sleep(6)
            await stream.send_all(bytes([byte]))

    async with trio.open_nursery() as nursery:
        nursery.start_soon(drip)
        assert len((await reader.read()).payload) == 20


@pytest.mark.parametrize("size", [20, 70_000])
async def test_cancelled_at_any_byte_the_next_read_goes_on_there(size, autojump_clock: MockClock):
    reader, stream, memory = reading()
    whole = frame(size)
    for offset in {1, 7, 8, 20, len(whole) - 1}:
        await stream.send_all(whole[:offset])
        with trio.move_on_after(1) as scope:
            await reader.read()
        assert scope.cancelled_caught
        await stream.send_all(whole[offset:])
        assert len((await reader.read()).payload) == size
        memory.release(size)


@pytest.mark.parametrize("size", [2_000, 70_000])
async def test_cancelled_while_it_waits_for_memory_no_frame_is_lost(size, autojump_clock: MockClock):
    reader, stream, memory = reading(100_000)
    await memory.reserve(99_000)
    await stream.send_all(frame(size))
    with trio.move_on_after(1) as scope:
        await reader.read()
    assert scope.cancelled_caught
    memory.release(99_000)
    assert len((await reader.read()).payload) == size
    assert memory.used == size


@pytest.mark.parametrize("size", [2_000, 70_000])
@pytest.mark.parametrize("granted", [False, True])
async def test_closed_while_it_waits_for_memory_it_ends_and_nothing_stays_charged(size, granted):
    reader, stream, memory = reading(100_000)
    await memory.reserve(99_000)
    await stream.send_all(frame(size))
    ended = trio.Event()

    async def read() -> None:
        with pytest.raises(trio.ClosedResourceError):
            await reader.read()
        ended.set()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        if granted:
            memory.release(99_000)
        reader.close()
        await ended.wait()
    assert memory.used == (0 if granted else 99_000)


async def test_what_is_no_frame_is_a_fault():
    reader, stream, _ = reading()
    await stream.send_all(b"GET /")
    with pytest.raises(Fault, match="envelope length"):
        await reader.read()


class Socket(WrappedStream):
    """Takes at most so many bytes at a time: as many without waiting as `eager` lists, one number a call."""

    def __init__(self, eager: Sequence[int] = (), *, at_once: int = 1 << 20) -> None:
        self.eager = list(eager)
        self.at_once = at_once
        self.sent = bytearray()
        self.closed = False

    def send_now(self, buffers) -> int:
        whole = b"".join(bytes(buffer) for buffer in buffers)
        count = min(self.eager.pop(0) if self.eager else 0, len(whole))
        self.sent += whole[:count]
        return count

    async def send_some(self, data) -> int:
        if not self.at_once:
            await trio.sleep_forever()
        await trio.lowlevel.checkpoint()
        self.sent += data[: self.at_once]
        return min(self.at_once, len(data))

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize("eager", [*range(12), 100])
async def test_a_frame_goes_out_whole_wherever_the_kernel_stops_taking_it(eager):
    socket = Socket([eager], at_once=3)
    await FrameWriter(socket).write([b"12345", b"", b"67890"])
    assert socket.sent == b"1234567890"


async def test_two_writers_never_mix_their_frames():
    socket = Socket([3], at_once=1)
    writer = FrameWriter(socket)
    async with trio.open_nursery() as nursery:
        for letter in (b"a", b"b", b"c"):
            nursery.start_soon(writer.write, [letter * 10])
    assert sorted(socket.sent[i : i + 10] for i in (0, 10, 20)) == [b"a" * 10, b"b" * 10, b"c" * 10]


async def test_write_now_takes_all_or_promises_nothing():
    socket = Socket([0, 100])
    writer = FrameWriter(socket)
    assert not writer.write_now([b"event"])
    assert writer.write_now([b"event"])
    assert not writer.unfinished
    assert socket.sent == b"event"


async def test_write_now_stays_out_of_another_s_frame():
    socket = Socket(at_once=0)
    writer = FrameWriter(socket)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(writer.write, [b"frame"])
        await wait_all_tasks_blocked()
        assert not writer.write_now([b"event"])
        nursery.cancel_scope.cancel()


async def test_what_write_now_began_can_be_finished():
    socket = Socket([2])
    writer = FrameWriter(socket)
    assert writer.write_now([b"event"])
    assert writer.unfinished
    assert not writer.write_now([b"other"])
    await writer.finish()
    await writer.finish()
    assert socket.sent == b"event"
    assert not writer.unfinished


async def test_the_next_frame_follows_the_rest_of_what_write_now_began():
    socket = Socket([2, 100])
    writer = FrameWriter(socket)
    writer.write_now([b"event"])
    await writer.write([b"frame"])
    assert socket.sent == b"eventframe"


async def test_cancelled_within_a_frame_the_stream_is_closed(autojump_clock: MockClock):
    socket = Socket([2], at_once=0)
    with trio.move_on_after(1):
        await FrameWriter(socket).write([b"frame"])
    assert socket.closed


async def test_a_reader_that_takes_nothing_breaks_the_stream(autojump_clock: MockClock):
    socket = Socket(at_once=0)
    began = trio.current_time()
    with pytest.raises(trio.BrokenResourceError, match="took nothing"):
        await FrameWriter(socket, frame_timeout=7).write([b"frame"])
    assert trio.current_time() - began == pytest.approx(7)
    assert socket.closed
