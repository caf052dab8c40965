"""Leader and followers: one scope and one task serve many requests, and no request feels another's end."""

from __future__ import annotations

import pytest
import trio

from bridge.pool import PoolSettings
from tests.bridge.line import bridge, until

ONE = PoolSettings(max_connections=1)


@pytest.mark.parametrize("deadline", [0.005, 0.2], ids=["armed at once", "armed when it takes long"])
async def test_the_deadline_of_a_request_that_has_ended_does_not_end_the_next(deadline, blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        ended_by = trio.current_time() + deadline
        await tool.send("first", "test.echo", {"value": 1}, deadline=deadline)
        await tool.answer("first")
        await tool.send("second", "test.wait", {"name": "second"})
        await until(lambda: "second" in blender.ran and trio.current_time() > ended_by + 0.1)
        blender.gates["second"].set()
        assert (await tool.answer("second")).ok


@pytest.mark.parametrize("deadline", [0.005, 0.2], ids=["armed at once", "armed when it takes long"])
async def test_the_deadline_of_a_request_that_has_ended_does_not_end_the_reading(deadline, blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        ended_by = trio.current_time() + deadline
        await tool.send("first", "test.wait", {"name": "first"}, deadline=deadline)
        blender.gates["first"].set()
        await tool.answer("first")
        await until(lambda: trio.current_time() > ended_by + 0.05)
        assert await tool.call("second", "test.echo", {"value": 2}) == {"value": 2}


@pytest.mark.parametrize("count", [1, 2, 5])
async def test_after_a_cancelled_request_the_connection_serves_on(count, blender, wires, listen):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        for number in range(count):
            await tool.send(f"r{number}", "test.wait", {"name": f"r{number}"})
            await until(lambda number=number: f"r{number}" in blender.ran)
            await tool.cancel(f"r{number}")
            assert (await tool.error(f"r{number}")).code == "cancelled"
        answer = await tool.call("last", "test.echo", {"value": "last"})
        assert answer == {"value": "last"}


async def test_a_request_that_takes_long_does_not_keep_the_next_from_being_read(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("long", "test.wait", {"name": "long"})
        await until(lambda: "long" in blender.ran)
        assert (await tool.ping())["ready"] == 1
        assert (await tool.call("status", "bridge.status"))["instances"][0]["pool"]["leased"] == 1
        blender.gates["long"].set()
        assert (await tool.answer("long")).ok


async def test_a_cancel_that_crosses_the_answer_is_not_felt_by_the_next_request(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        for number in range(50):
            await tool.send(f"r{number}", "test.echo", {"value": number})
            await tool.cancel(f"r{number}")
            await tool.answer(f"r{number}")
            assert await tool.call(f"next{number}", "test.echo", {"value": number}) == {"value": number}
