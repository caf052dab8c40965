"""A connection to Blender under faults: whatever the other side does, the outcome is known and the socket is judged."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from blender_addon.wire import Cancel, FrameDecoder, Limits, Peer, Request, ServerSession, head
from bridge import protocol
from bridge.connection import Connection, Exchange
from bridge.errors import BlenderLost
from bridge.memory import MemoryBudget
from bridge.stream import WrappedStream

BOOT = "00112233445566aa"
GRACE = 1.0


class FakeBlender:
    """The far end of a memory stream, driven frame by frame."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self.stream = stream
        self.session = ServerSession(Peer("blender", "5.0.1"), Limits(1 << 20, 1), token=None, boot=BOOT)
        self._decoder = FrameDecoder()

    async def next(self) -> object:
        while True:
            frame = self._decoder.next_frame()
            if frame is not None:
                event = self.session.receive(frame)
                for data in self.session.outbox:
                    await self.stream.send_all(data)
                self.session.outbox.clear()
                return event
            data = await self.stream.receive_some()
            if not data:
                return None
            self._decoder.feed(data)

    def response(self, request_id: str, payload: bytes = b"{}") -> bytes:
        return head(self.session.respond(request_id, ok=True), len(payload)) + payload


@asynccontextmanager
async def connected() -> AsyncIterator[tuple[Connection, FakeBlender]]:
    ours, theirs = memory_stream_pair()
    blender = FakeBlender(theirs)
    memory = MemoryBudget(1 << 30).share(1 << 30)
    session = protocol.client_session(None)
    connection = Connection(WrappedStream(ours), session, memory, max_payload=1 << 20, cancel_grace=GRACE)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(blender.next)
        await connection.handshake()
    yield connection, blender
    connection.abort()
    assert memory.used == 0


def exchange(request_id: str = "b1", payload: bytes = b"{}") -> Exchange:
    return Exchange(Request(request_id, "scene.summary", 10.0), payload)


async def answer(blender: FakeBlender, make: Callable[[str], bytes]) -> None:
    request = await blender.next()
    assert isinstance(request, Request)
    await blender.stream.send_all(make(request.id))


async def test_a_response_clears_the_poison_bit() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:
        nursery.start_soon(answer, blender, blender.response)
        asked = exchange()
        await connection.call(asked)
        assert asked.reply is not None
        assert bytes(asked.reply.payload) == b"{}"
        assert asked.reply.boot == BOOT
        assert not connection.poisoned
        asked.reply.drop()


async def test_the_poison_bit_is_set_before_the_first_byte() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:
        nursery.start_soon(connection.call, exchange())
        await blender.next()
        assert connection.poisoned
        nursery.cancel_scope.cancel()


RESPONSE_LENGTH = 8 + len(b'{"kind":"response","id":"b1","ok":true,"boot":"00112233445566aa"}') + 2


@pytest.mark.parametrize("offset", range(RESPONSE_LENGTH))
async def test_the_end_of_the_stream_within_a_response_is_blender_lost(offset: int) -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        async def break_off() -> None:
            request = await blender.next()
            assert isinstance(request, Request)
            whole = blender.response(request.id)
            assert len(whole) == RESPONSE_LENGTH
            await blender.stream.send_all(whole[:offset])
            await blender.stream.aclose()

        nursery.start_soon(break_off)
        with pytest.raises(BlenderLost) as caught:
            await connection.call(exchange())
        assert caught.value.outcome == "unknown"
        assert connection.poisoned


@pytest.mark.parametrize("offset", range(RESPONSE_LENGTH - 2))
async def test_garbage_within_a_response_is_never_taken_for_another_answer(offset: int) -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        def garbled(request_id: str) -> bytes:
            whole = bytearray(blender.response(request_id))
            whole[offset] ^= 0xFF
            return bytes(whole)

        async def answer_and_leave() -> None:
            await answer(blender, garbled)
            await blender.stream.aclose()

        nursery.start_soon(answer_and_leave)
        asked = exchange()
        with pytest.raises(BlenderLost):
            await connection.call(asked)
        assert asked.reply is None
        assert connection.poisoned


@pytest.mark.parametrize("offset", range(RESPONSE_LENGTH))
async def test_a_response_that_stops_half_way_is_given_up_when_the_request_is_cancelled(
    offset: int, autojump_clock: MockClock
) -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:
        nursery.start_soon(answer, blender, lambda request_id: blender.response(request_id)[:offset])
        with trio.move_on_after(5) as scope:
            await connection.call(exchange())
        assert scope.cancelled_caught
        assert connection.poisoned


async def test_a_response_to_another_request_is_blender_lost() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        def to_another(request_id: str) -> bytes:
            return blender.response(request_id).replace(request_id.encode(), b"b9")

        nursery.start_soon(answer, blender, to_another)
        with pytest.raises(BlenderLost):
            await connection.call(exchange())
        assert connection.poisoned


async def test_cancelled_it_cancels_in_blender_and_the_socket_lives_if_the_answer_comes(
    autojump_clock: MockClock,
) -> None:
    async with connected() as (connection, blender):
        asked = exchange()
        async with trio.open_nursery() as nursery:

            async def answer_the_cancel() -> None:
                request = await blender.next()
                assert isinstance(request, Request)
                cancel = await blender.next()
                assert cancel == Cancel(request.id)
                await blender.stream.send_all(blender.response(request.id, b'{"late":1}'))

            nursery.start_soon(answer_the_cancel)
            with trio.move_on_after(3) as scope:
                await connection.call(asked)
        assert scope.cancelled_caught
        assert asked.sent
        assert asked.reply is not None
        assert not connection.poisoned
        asked.reply.drop()


async def test_cancelled_without_an_answer_it_ends_within_the_grace(autojump_clock: MockClock) -> None:
    async with connected() as (connection, _):
        asked = exchange()
        began = trio.current_time()
        with trio.move_on_after(3):
            await connection.call(asked)
        assert trio.current_time() - began == pytest.approx(3 + GRACE)
        assert asked.sent
        assert asked.reply is None
        assert connection.poisoned


async def test_cancelled_within_the_request_blender_never_had_it_all(autojump_clock: MockClock) -> None:
    ours, theirs = memory_stream_pair()
    blender = FakeBlender(theirs)
    memory = MemoryBudget(1 << 30).share(1 << 30)
    stuck = Stuck(ours)
    connection = Connection(
        WrappedStream(stuck), protocol.client_session(None), memory, max_payload=1 << 20, cancel_grace=GRACE
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(blender.next)
        await connection.handshake()
    stuck.after = 1
    asked = exchange(payload=bytes(200_000))
    with trio.move_on_after(3) as scope:
        await connection.call(asked)
    assert scope.cancelled_caught
    assert not asked.sent
    assert connection.poisoned
    assert await blender.next() is None


class Stuck(trio.abc.Stream):
    """Takes `after` writes, then none."""

    def __init__(self, stream: trio.abc.Stream) -> None:
        self._stream = stream
        self.after = -1

    async def send_all(self, data: bytes | bytearray | memoryview) -> None:
        if self.after == 0:
            await trio.sleep_forever()
        self.after -= 1
        await self._stream.send_all(data)

    async def wait_send_all_might_not_block(self) -> None:
        await self._stream.wait_send_all_might_not_block()

    async def receive_some(self, max_bytes: int | None = None) -> bytes | bytearray:
        return await self._stream.receive_some(max_bytes)

    async def aclose(self) -> None:
        await self._stream.aclose()


async def test_progress_reaches_the_caller_before_the_response() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:
        seen: list[tuple[str, bytes]] = []

        async def report_and_answer() -> None:
            request = await blender.next()
            assert isinstance(request, Request)
            envelope = blender.session.event(request.id, "progress")
            assert envelope is not None
            await blender.stream.send_all(head(envelope, 14) + b'{"progress":1}')
            await blender.stream.send_all(blender.response(request.id))

        nursery.start_soon(report_and_answer)
        asked = Exchange(Request("b1", "render.still"), b"", lambda name, data: seen.append((name, bytes(data))))
        await connection.call(asked)
        assert seen == [("progress", b'{"progress":1}')]
        assert asked.reply is not None
        asked.reply.drop()


async def test_a_ping_answers_with_the_status_object() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        async def pong() -> None:
            ping = await blender.next()
            envelope = blender.session.pong(ping)
            await blender.stream.send_all(head(envelope, 14) + b'{"busy": true}')

        nursery.start_soon(pong)
        assert await connection.ping() == {"busy": True}
        assert not connection.poisoned


@pytest.mark.parametrize("payload", [b"[1]", b"not json"])
async def test_a_ping_with_a_wrong_answer_fails_the_check(payload: bytes) -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        async def pong() -> None:
            ping = await blender.next()
            await blender.stream.send_all(head(blender.session.pong(ping), len(payload)) + payload)

        nursery.start_soon(pong)
        with pytest.raises(BlenderLost):
            await connection.check()
        assert connection.poisoned


async def test_after_a_goodbye_the_connection_is_not_lent_again() -> None:
    async with connected() as (connection, blender), trio.open_nursery() as nursery:

        async def leave() -> None:
            request = await blender.next()
            assert isinstance(request, Request)
            blender.session.goodbye("closing")
            await blender.stream.send_all(blender.session.outbox.pop() + blender.response(request.id))

        nursery.start_soon(leave)
        asked = exchange()
        await connection.call(asked)
        assert not connection.usable()
        assert asked.reply is not None
        asked.reply.drop()
