"""What is not quite the same, or may not be shared, is executed for each."""

from __future__ import annotations

import pytest

from bridge.pool import PoolSettings
from tests.bridge.line import bridge, until
from tests.bridge.sharing.queue import ONE, Queue

"""Each of these runs as often as it was asked for."""


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ({"params": {"at": ""}}, {"params": {}}),
        ({"key": "k1"}, {"key": "k2"}),
        ({"key": "k"}, {}),
    ],
    ids=["other bytes", "keys", "one key"],
)
async def test_what_differs(queue, looked, first, second):
    await queue.add("a", **first)
    await queue.add("b", **second)
    queue.open()
    await queue.tool.answer("a")
    await queue.tool.answer("b")
    assert looked == ["", ""]
    assert queue.shared == []


async def test_what_names_a_process_and_what_does_not(queue, blender, looked):
    await queue.add("a", boot=blender.boot)
    await queue.add("b")
    queue.open()
    await queue.tool.answer("a")
    await queue.tool.answer("b")
    assert looked == ["", ""]


async def test_what_changes_something(queue, blender):
    await queue.add("a", {"value": 1}, method="test.echo")
    await queue.add("b", {"value": 1}, method="test.echo")
    queue.open()
    await queue.tool.answer("a")
    await queue.tool.answer("b")
    assert blender.ran.count("echo 1") == 2


async def test_a_method_of_which_nobody_knows_yet_that_it_only_reads(blender, wires, listen, looked):
    async with bridge(wires, listen, pool=ONE) as line:
        tool = await line.tool()
        await tool.send("held", "test.wait", {"name": "held"})
        await until(lambda: "held" in blender.ran)
        queue = Queue(line, tool, blender)
        await queue.add("a")
        await queue.add("b")
        queue.open()
        await tool.answer("a")
        await tool.answer("b")
        assert looked == ["", ""]


async def test_one_that_comes_after_the_other_was_sent(queue, looked):
    """What it is told must not be older than its question."""
    await queue.add("a", {"at": "x"})
    queue.open()
    await until(lambda: looked)
    await queue.add("b", {"at": "x"})
    queue.open("x")
    await queue.tool.answer("a")
    await queue.tool.answer("b")
    assert looked == ["x", "x"]


async def test_what_need_not_wait(blender, wires, listen, looked):
    async with bridge(wires, listen, pool=PoolSettings(warm=2)) as line:
        await until(lambda: line.pool().idle == 2)
        tool = await line.tool()
        await tool.call("methods", "bridge.methods")
        await until(lambda: line.pool().idle == 2)
        await tool.send("a", "test.look", {"at": "x"})
        await tool.send("b", "test.look", {"at": "x"})
        await until(lambda: line.pool().leased == 2)
        blender.gates["x"].set()
        assert (await tool.answer("a")).ok
        assert (await tool.answer("b")).ok
        assert looked == ["x", "x"]
