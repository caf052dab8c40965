"""All buffered payloads together stay under max_buffered: reading stops, resumes, and never locks up."""

from __future__ import annotations

import trio

from bridge.pool import PoolSettings
from tests.bridge.line import MEGABYTE, bridge, until

LIMITS = {"max_payload": 4 * MEGABYTE, "max_buffered": 8 * MEGABYTE}


def bulk(name: str, size: int) -> bytes:
    """A params object of that many bytes."""
    return b'{"value":"%s"}' % (name.encode() * size)[: size - 12]


async def echoed(tool, name: str) -> None:
    assert (await tool.answer("r")).body["value"] == name * (3 * MEGABYTE - 12)


async def test_beyond_max_buffered_payloads_are_not_read_until_there_is_room(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1), **LIMITS) as line:
        tools = [await line.tool() for _ in range(4)]
        await tools[0].send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        async with trio.open_nursery() as nursery:
            for i, tool in enumerate(tools):
                nursery.start_soon(tool.say, tool.frame("r", "test.echo", payload=bulk(f"{i}", 3 * MEGABYTE)))
            await until(lambda: line.pool().waiting == 1)
            assert 3 * MEGABYTE <= line.memory.used <= 4 * MEGABYTE
            small = await line.tool()
            assert await small.ping(), "frames without a payload need no room"
            blender.gates["running"].set()
            for i, tool in enumerate(tools):
                nursery.start_soon(echoed, tool, f"{i}")
        assert line.memory.used <= 8 * MEGABYTE


async def test_requests_never_hold_the_memory_that_answers_need(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=2), **LIMITS) as line:
        tools = [await line.tool() for _ in range(6)]

        async def exchange(number: int) -> None:
            tool = tools[number]
            for i in range(3):
                payload = bulk("x", 2 * MEGABYTE + number)
                await tool.send(f"r{i}", "test.echo", payload=payload)
                assert len((await tool.answer(f"r{i}")).body["value"]) == len(payload) - 12

        async with trio.open_nursery() as nursery:
            for number in range(6):
                nursery.start_soon(exchange, number)


async def test_a_client_that_leaves_while_it_waits_for_memory_leaves_nothing_behind(blender, wires, listen):
    async with bridge(wires, listen, max_clients=2, **LIMITS) as line:
        holder, waiting = await line.tool(), await line.tool()
        await holder.say(holder.frame("r", "test.echo", payload=bulk("h", 3 * MEGABYTE))[: 2 * MEGABYTE])
        await until(lambda: line.memory.used)
        await waiting.say(waiting.frame("r", "test.echo", payload=bulk("w", 3 * MEGABYTE))[:100_000])
        await line.tool()
        assert await holder.at_end(), "the longest silent one makes room, and its memory with it"
        await line.tool()
        assert await waiting.at_end()
        await until(lambda: line.memory.used == 0)


async def test_a_client_is_closed_at_once_while_it_waits_for_memory(blender, wires, listen):
    async with bridge(wires, listen, **LIMITS) as line:
        holder, waiting = await line.tool(), await line.tool()
        await holder.say(holder.frame("r", "test.echo", payload=bulk("h", 3 * MEGABYTE))[: 2 * MEGABYTE])
        await until(lambda: line.memory.used)
        await waiting.say(waiting.frame("r", "test.echo", payload=bulk("w", 3 * MEGABYTE))[:100_000])
        await waiting.say(waiting.session.ping("never read"))
        await until(lambda: line.memory.used == 3 * MEGABYTE)
        line.door.close()
        await until(lambda: line.door.clients == 0)
        assert line.memory.used == 0


async def test_who_is_slow_to_read_an_answer_does_not_hold_the_request_s_memory_too(blender, wires, listen):
    async with bridge(wires, listen, **LIMITS) as line:
        tool = await line.tool()
        await tool.say(tool.frame("r", "test.echo", payload=bulk("x", 3 * MEGABYTE)))
        await until(lambda: blender.ran and line.pool().leased == 0)
        await until(lambda: line.memory.used < 4 * MEGABYTE)
        assert line.door.in_flight == 1
        await echoed(tool, "x")
