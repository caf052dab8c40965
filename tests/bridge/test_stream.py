"""Bytes on real sockets, with few task switches but never without any."""

from __future__ import annotations

import contextlib
import socket

import pytest
import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from bridge.stream import SocketStream, WrappedStream, connect_tcp, connect_unix


@pytest.fixture
def pair():
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours)
    yield stream, theirs
    ours.close()
    theirs.close()


async def receive(stream, size: int = 1000) -> bytes:
    buffer = memoryview(bytearray(size))
    return bytes(buffer[: await stream.receive_into(buffer)])


def drain(sock: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while sock.recv(1 << 20):
            pass


async def test_bytes_arrive_and_the_end_is_zero(pair):
    stream, theirs = pair
    theirs.sendall(b"hello")
    assert await receive(stream) == b"hello"
    theirs.close()
    assert await receive(stream) == b""


@pytest.mark.parametrize("vectored", [True, False])
async def test_several_buffers_go_out_in_order(pair, vectored, monkeypatch):
    monkeypatch.setattr("bridge.stream._VECTORED", vectored)
    stream, theirs = pair
    sent = stream.send_now([b"one", b"two"])
    assert theirs.recv(100) == b"onetwo"[:sent]
    assert sent == (6 if vectored else 3)


async def test_a_full_socket_takes_nothing_now_and_more_once_it_is_read(pair):
    stream, theirs = pair
    while stream.send_now([bytes(65_536)]):
        pass
    theirs.setblocking(False)
    async with trio.open_nursery() as nursery:
        sent = []

        async def send() -> None:
            sent.append(await stream.send_some(memoryview(b"more")))

        nursery.start_soon(send)
        await wait_all_tasks_blocked()
        assert sent == []
        drain(theirs)
    assert sent == [4]


async def test_reading_much_lets_other_tasks_run(pair):
    stream, theirs = pair
    rounds = 0

    async def other() -> None:
        nonlocal rounds
        while True:
            rounds += 1
            await trio.lowlevel.checkpoint()

    buffer = memoryview(bytearray(1 << 20))
    async with trio.open_nursery() as nursery:
        nursery.start_soon(other)
        for _ in range(200):
            theirs.sendall(bytes(1000))
            assert await stream.receive_into(buffer) == 1000
        nursery.cancel_scope.cancel()
    assert rounds >= 200 / 20


async def test_a_read_can_be_cancelled_also_where_much_is_there(pair):
    stream, theirs = pair
    buffer = memoryview(bytearray(1 << 20))
    theirs.sendall(bytes(1000))
    await stream.receive_into(buffer)
    theirs.sendall(bytes(1000))
    with trio.CancelScope() as scope:
        scope.cancel()
        await stream.receive_into(buffer)
    assert scope.cancelled_caught
    assert await stream.receive_into(buffer) == 1000


async def test_after_much_it_waits_for_more(pair):
    stream, theirs = pair
    buffer = memoryview(bytearray(1 << 20))
    theirs.sendall(bytes(1000))
    await stream.receive_into(buffer)
    async with trio.open_nursery() as nursery:
        got = []

        async def read() -> None:
            got.append(await stream.receive_into(buffer))

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        theirs.sendall(b"later")
    assert got == [5]


@pytest.mark.parametrize("polls", [True, False])
async def test_quiet_until_something_comes_or_the_other_side_has_gone(polls, monkeypatch):
    if not polls:
        monkeypatch.delattr("select.poll")
    ours, theirs = socket.socketpair()
    stream = SocketStream(ours)
    assert stream.quiet()
    theirs.sendall(b"x")
    assert not stream.quiet()
    await receive(stream)
    assert stream.quiet()
    theirs.close()
    assert not stream.quiet()
    stream.close()
    assert not stream.quiet()


async def test_send_end_closes_one_direction(pair):
    stream, theirs = pair
    stream.send_end()
    assert theirs.recv(10) == b""
    theirs.sendall(b"still here")
    assert await receive(stream) == b"still here"
    stream.close()
    stream.send_end()


async def test_the_other_side_s_end_is_broken_and_ours_is_closed(pair):
    stream, theirs = pair
    theirs.close()
    with pytest.raises(trio.BrokenResourceError):
        stream.send_now([b"x"])
    stream.close()
    stream.close()
    with pytest.raises(trio.ClosedResourceError):
        stream.send_now([b"x"])


async def test_a_reset_is_broken():
    with socket.create_server(("127.0.0.1", 0)) as listening:
        stream = await connect_tcp("127.0.0.1", listening.getsockname()[1])
        accepted, _ = listening.accept()
        stream.send_now([b"unread"])
        accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        accepted.close()
        with pytest.raises(trio.BrokenResourceError):
            await receive(stream)
        stream.close()


async def test_closing_wakes_who_waits(pair):
    stream, _ = pair
    async with trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await receive(stream)

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        stream.close()


async def test_connect_unix_says_that_nobody_listens(tmp_path):
    with pytest.raises(FileNotFoundError):
        await connect_unix(str(tmp_path / "nobody.sock"))


async def test_connect_tcp_says_that_nobody_listens():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        await connect_tcp("127.0.0.1", port)


async def test_connect_tcp_tries_every_address_of_a_host(monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        with socket.create_server(("127.0.0.1", 0)) as taken:
            closed = taken.getsockname()[1]

        async def two(*_args, **_options):
            return [(socket.AF_INET, 1, 6, "", ("127.0.0.1", closed)), (socket.AF_INET, 1, 6, "", ("127.0.0.1", port))]

        monkeypatch.setattr("trio.socket.getaddrinfo", two)
        (await connect_tcp("two.example", port)).close()

        async def none(*_args, **_options):
            return []

        monkeypatch.setattr("trio.socket.getaddrinfo", none)
        with pytest.raises(OSError, match="has no address"):
            await connect_tcp("none.example", port)


async def test_any_trio_stream_can_be_wrapped():
    ours, theirs = memory_stream_pair()
    stream = WrappedStream(ours)
    assert stream.send_now([b"x"]) == 0
    large = memoryview(bytes(100_000))
    sent = await stream.send_some(large)
    assert 0 < sent < 100_000
    assert len(await theirs.receive_some()) == sent
    await theirs.send_all(b"back")
    assert await receive(stream) == b"back"
    assert stream.quiet()
    stream.send_end()
    stream.close()
    await wait_all_tasks_blocked()
    assert not stream.quiet()
    assert await theirs.receive_some() == b""
