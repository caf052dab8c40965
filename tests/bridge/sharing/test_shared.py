"""Identical read-only requests that wait at the same time share one execution, and nobody notices but Blender."""

from __future__ import annotations

from bridge.events import LeaseRefused
from tests.bridge.blender import pattern
from tests.bridge.line import until


async def test_those_that_wait_at_the_same_time_get_one_execution_s_answer(queue, looked):
    for name in "abc":
        await queue.add(name)
    queue.open()
    assert [(await queue.tool.answer(name)).body for name in "abc"] == [{"at": ""}] * 3
    assert looked == [""]


async def test_how_many_were_spared_is_told_and_counted(queue):
    for name in "abc":
        await queue.add(name)
    queue.open()
    for name in "abc":
        await queue.tool.answer(name)
    assert queue.shared == ["test.look"] * 2
    assert (await queue.tool.call("r", "bridge.status"))["shared"] == 2
    refused = [event.outcome for event in queue.line.events if isinstance(event, LeaseRefused)]
    assert refused == ["shared", "shared"], "they left the queue because they were served"


async def test_a_part_comes_to_each_of_them_whole_and_its_memory_is_given_back(queue, looked):
    other = await queue.line.tool()
    await queue.add("a", {"size": 3_000_000})
    await queue.add("b", {"size": 3_000_000}, tool=other)
    queue.open()
    for tool, name in ((queue.tool, "a"), (other, "b")):
        assert bytes((await tool.answer(name)).parts["image"].data) == pattern(3_000_000)
    assert looked == [""]
    # That no payload's memory was forgotten, or given back twice, is proved where the line ends.
    await until(lambda: queue.line.memory.used == 0)


async def test_progress_reaches_all_of_them(queue):
    other = await queue.line.tool()
    await queue.add("a")
    await queue.add("b", tool=other)
    queue.open()
    for tool, name in ((queue.tool, "a"), (other, "b")):
        await tool.answer(name)
        assert [what for what, _ in tool.seen if what == "progress"] == ["progress"]


async def test_a_failure_is_everybody_s(queue, looked):
    await queue.add("a", {"fails": True})
    await queue.add("b", {"fails": True})
    queue.open()
    assert [(await queue.tool.error(name)).code for name in "ab"] == ["execution_failed"] * 2
    assert looked == [""]


async def test_a_lost_connection_is_everybody_s(queue, wires, looked):
    await queue.add("a", {"at": "x"})
    await queue.add("b", {"at": "x"})
    queue.open()
    await until(lambda: looked)
    wires["default"].cut()
    faults = [await queue.tool.error(name) for name in "ab"]
    assert [(fault.code, fault.outcome) for fault in faults] == [("blender_lost", "unknown")] * 2


async def test_the_place_in_the_queue_is_the_first_one_s(queue, blender, looked):
    await queue.add("a")
    await queue.add("between", {"value": 1}, method="test.echo")
    await queue.add("b")
    queue.open()
    for name in ("a", "between", "b"):
        await queue.tool.answer(name)
    order = [name for kind, name in queue.tool.seen if kind == "response"]
    assert order.index("b") < order.index("between")
    assert looked == [""]
