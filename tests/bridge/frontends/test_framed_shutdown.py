"""The door closes: new clients are refused, waiting requests too, and those in flight finish."""

from __future__ import annotations

import pytest
import trio

from blender_addon.wire import Frame
from bridge.pool import PoolSettings
from bridge.stream import SocketStream
from tests.bridge.line import bridge, until


async def test_while_draining_what_waits_is_refused_and_what_runs_finishes(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool, idle = await line.tool(), await line.tool()
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        await tool.send("waiting", "test.echo")
        await tool.ping()

        line.door.stop_accepting("going away")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(line.fleet.drain)
            fault = await tool.error("waiting")
            assert (fault.code, fault.outcome, fault.retryable) == ("shutting_down", "not_executed", True)
            assert tool.goodbye == "going away"
            fault = await tool.refused("test.echo")
            assert fault.code == "shutting_down"
            assert await tool.ping()
            await idle.ping()
            assert idle.goodbye == "going away"
            blender.gates["running"].set()
            assert (await tool.answer("running")).body == {"waited": "running"}
        await line.door.settled()
        assert line.door.in_flight == 0
        line.door.close()
        assert await idle.at_end()
        assert blender.ran == ["running"]


async def test_while_draining_nobody_new_comes_in(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        line.door.stop_accepting("going away")
        await until(lambda: line.listener.socket.fileno() < 0)
        with pytest.raises(OSError, match=r"ConnectionRefused|No such file|refused"):
            await line.stranger()
        assert await tool.ping()


async def test_settled_waits_for_every_answer(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool = await line.tool()
        for name in ("a", "b"):
            await tool.send(name, "test.wait", {"name": name})
        await until(lambda: "a" in blender.ran and line.door.in_flight == 2)
        settled = trio.Event()

        async def wait() -> None:
            await line.door.settled()
            settled.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait)
            blender.gates["a"].set()
            await tool.answer("a")
            await tool.ping()
            assert not settled.is_set()
            blender.gates["b"].set()
            await settled.wait()
        assert (await tool.answer("b")).ok


async def test_a_goodbye_to_a_client_that_is_gone_is_no_trouble(wires, listen, monkeypatch):
    async with bridge(wires, listen) as line:
        tool = await line.tool()

        def broken(_stream, _buffers):
            raise trio.BrokenResourceError

        monkeypatch.setattr("bridge.stream.SocketStream.send_now", broken)
        line.door.stop_accepting("going away")
        assert await tool.at_end()


async def test_what_the_socket_took_half_of_is_finished(wires, listen, monkeypatch):
    """A goodbye, or progress, is offered to the socket once; what it did not take must not wait for the next frame."""
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        send = SocketStream.send_now
        monkeypatch.setattr(SocketStream, "send_now", lambda stream, buffers: send(stream, [buffers[0][:10]]))
        line.door.stop_accepting("going away")
        event, _ = await tool.receive()
        assert event.reason == "going away"


async def test_what_cannot_be_finished_ends_the_connection(wires, listen, monkeypatch):
    async with bridge(wires, listen, frame_timeout=0.1) as line:
        tool = await line.tool()
        send = SocketStream.send_now
        left = [10]

        def stingy(stream, buffers):
            return send(stream, [buffers[0][: left.pop()]]) if left else 0

        monkeypatch.setattr(SocketStream, "send_now", stingy)
        line.door.stop_accepting("going away")
        with pytest.raises(EOFError):
            await tool.receive()


async def test_progress_for_a_client_that_is_gone_is_dropped(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "r"}, key="kept")
        await until(lambda: blender.ran)
        call = next(iter(line.service._running))
        await tool.leave()
        await until(lambda: next(iter(line.door._clients))._ended)
        call.on_event("progress", b"{}")
        blender.gates["r"].set()
        await until(lambda: line.door.in_flight == 0)


async def test_a_reply_to_an_id_that_was_taken_again_leaves_the_new_request_alone(wires, listen):
    """The id is free from the moment that its response is begun."""
    async with bridge(wires, listen) as line:
        await line.tool()
        client = next(iter(line.door._clients))
        frame = Frame(b'{"kind":"request","id":"r","method":"bridge.status"}', b"")
        first = client._take(client._session.receive(frame), b"")
        client._session.respond("r", ok=True)
        second = client._take(client._session.receive(frame), b"")
        client._forget(first)
        assert client._calls == {"r": second}
        client._forget(second)
        assert client.in_flight == 0
