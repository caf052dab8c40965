"""Health of a Blender at the other end of real sockets, beside the requests that it serves."""

from __future__ import annotations

import trio
from trio.testing import memory_stream_pair, wait_all_tasks_blocked

from blender_addon.wire import FrameDecoder
from bridge import protocol
from bridge.connection import Connection
from bridge.health import HealthLimits
from bridge.memory import MemoryBudget
from bridge.pool import PoolSettings
from bridge.stream import WrappedStream
from tests.bridge.blender import running_blender
from tests.bridge.line import bridge, until

OFTEN = HealthLimits(interval=0.01)
SELDOM = HealthLimits()
ONE = PoolSettings(max_connections=1)


async def test_a_running_request_is_busy_and_not_dead(blender, wires, listen):
    async with bridge(wires, listen, pool=ONE, health=OFTEN) as line:
        tool = await line.tool()
        await tool.send("r", "test.wait", {"name": "gate"})
        await until(lambda: line.health().state == "busy")
        assert line.health().reason.startswith("runs test.wait for ")
        assert line.health().latency < 1
        assert (line.pool().live, line.health().blender["pid"] > 0) == (1, True)
        blender.gates["gate"].set()
        await tool.answer("r")
        await until(lambda: line.health().state == "healthy")


async def test_the_probes_connection_is_not_the_pool_s(wires, listen):
    async with bridge(wires, listen, pool=ONE, health=SELDOM) as line:
        await until(lambda: line.health().checked_at and line.pool().live)
        assert len(wires["default"].opened) == 2
        assert line.pool().idle == 1


async def test_a_full_memory_does_not_keep_a_probe_waiting(wires, listen):
    async with bridge(wires, listen, health=OFTEN) as line:
        await until(lambda: line.health().checked_at)
        memory = line.fleet.instances["default"].memory
        assert memory.reserve_now(line.memory.limit)
        checked = line.health().checked_at
        await until(lambda: line.health().checked_at > checked)
        assert line.health().state == "healthy"
        memory.release(line.memory.limit)


async def test_blender_s_death_is_noticed_at_once_and_its_sockets_are_evicted(wires, listen, tmp_path):
    with running_blender(tmp_path / "mortal.sock") as mortal:
        wires["default"].path = mortal.path
        async with bridge(wires, listen, health=SELDOM) as line:
            await until(lambda: line.health().state == "healthy" and line.pool().live)
            wires["default"].path = None
            wires["default"].cut()
            await until(lambda: line.health().state == "unreachable")
            assert line.health().reason == "test:default: nobody listens there"
            assert line.pool().live == 0
            assert line.fleet.instances["default"].obstacle() == "test:default: nobody listens there"
            wires["default"].path = mortal.path
            # The pool connects, and has the health checked again.
            await until(lambda: line.health().state == "healthy")


async def test_blender_says_goodbye_and_another_one_comes(blender, wires, listen, tmp_path):
    with running_blender(tmp_path / "mortal.sock") as mortal:
        wires["default"].path = mortal.path
        async with bridge(wires, listen, health=SELDOM) as line:
            instance = line.fleet.instances["default"]
            await until(lambda: line.health().state == "healthy" and line.pool().live)
            mortal.listener.leave("it is told to")
            await until(lambda: line.health().state == "unreachable")
            wires["default"].path = blender.path
            await until(lambda: line.health().state == "healthy")
            await until(lambda: line.pool().live)
            assert (instance.boot, line.health().failures, instance.obstacle()) == (blender.boot, 0, None)


async def test_another_blender_at_the_same_address_is_checked_at_once(blender, wires, listen, tmp_path):
    with running_blender(tmp_path / "first.sock") as first:
        wires["default"].path = first.path
        async with bridge(wires, listen, health=SELDOM) as line:
            instance = line.fleet.instances["default"]
            await until(lambda: line.health().state == "healthy" and line.pool().live)
            checked = line.health().checked_at
            wires["default"].path = blender.path
            # The old one lives on and its connections are good: only the pool's next connection finds the new one.
            instance.pool.reconnect()
            await until(lambda: line.health().checked_at > checked)
            assert instance.boot == blender.boot


async def test_garbage_is_a_failure_and_then_it_recovers(wires, listen):
    async with bridge(wires, listen, health=OFTEN) as line:
        await until(lambda: line.health().state == "healthy")
        wires["default"].garbling = True
        await until(lambda: line.health().unhealthy)
        assert line.health().state == "unreachable"
        wires["default"].garbling = False
        await until(lambda: line.health().state == "healthy")
        assert line.health().failures == 0


async def test_a_pong_that_never_ends_is_refused_unread(blender, wires, listen):
    blender.listener._describe = lambda: {"file": "x" * (1 << 21)}
    async with bridge(wires, listen, health=SELDOM) as line:
        await until(lambda: line.health().checked_at)
        assert line.health().state == "unreachable"
        assert "payload" in line.health().reason


async def test_an_unresponsive_blender_cannot_serve(blender, wires, listen):
    status = blender.pump.status
    async with bridge(wires, listen, health=OFTEN) as line:
        instance = line.fleet.instances["default"]
        await until(lambda: line.pool().live)
        blender.pump.status = lambda: {**status(), "running": None, "last_tick_age": 75.2}
        await until(lambda: line.health().state == "unresponsive")
        assert instance.obstacle() == "its main thread is silent for 75 s, with nothing of ours running"
        blender.pump.status = status
        await until(lambda: instance.obstacle() is None)


async def test_a_pool_that_keeps_nothing_warm_can_serve_while_blender_answers(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(warm=0), health=SELDOM) as line:
        instance = line.fleet.instances["default"]
        assert instance.obstacle() == "no connection to it is open yet"
        await until(lambda: line.health().checked_at)
        assert (instance.obstacle(), line.pool().live) == (None, 0)
        wires["default"].cut()
        assert instance.obstacle() is not None


async def test_the_checks_end_with_the_pool(wires, listen):
    async with bridge(wires, listen, health=OFTEN) as line:
        await until(lambda: line.health().checked_at)
        await line.fleet.drain()
        await until(lambda: not line.fleet.instances["default"].health.connected)
        assert all(wire.closed for wire in wires["default"].opened)


async def test_where_an_end_cannot_be_seen_it_is_waited_for_in_vain(autojump_clock):
    ours, theirs = memory_stream_pair()
    stream = WrappedStream(ours)
    await theirs.aclose()
    with trio.move_on_after(1000) as waiting:
        await stream.stirred()
    assert waiting.cancelled_caught
    stream.close()
    await wait_all_tasks_blocked()


async def test_what_was_read_already_stirs_a_connection(autojump_clock):
    ours, _theirs = memory_stream_pair()
    memory = MemoryBudget(1 << 20).share(1 << 20)
    connection = Connection(
        WrappedStream(ours), protocol.client_session(None), memory, max_payload=1 << 20, cancel_grace=1.0
    )
    connection._reader._decoder.feed(b"\x00")
    await connection.stirred()
    connection._reader._decoder = FrameDecoder()
    connection._leaving = True
    await connection.stirred()
    connection.abort()
    await wait_all_tasks_blocked()
