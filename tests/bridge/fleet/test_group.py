"""NAME for NAME-1 … NAME-N, through the bridge's door, on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from trio.testing import wait_all_tasks_blocked

from bridge.fleet import Group
from tests.bridge.blender import Wires
from tests.bridge.line import Line, bridge, until


@pytest.fixture
def farm(blender, start_blender, tmp_path, listen):
    """A bridge with farm-1 and farm-2 as farm, and the two Blenders by name."""

    @asynccontextmanager
    async def open_farm(**options: Any) -> AsyncIterator[Line]:
        second = start_blender(tmp_path / "second.sock")
        wires = {"farm-1": Wires(blender.path), "farm-2": Wires(second.path)}
        async with bridge(wires, listen, **options) as line:
            line.fleet.add_group(Group("farm", line.fleet.instances.values()))
            line.blenders = {"farm-1": blender, "farm-2": second}
            yield line

    return open_farm


async def occupy(line: Line, tool: Any, *names: str) -> None:
    """Have the named members do something until the gate of their name opens."""
    for name in names:
        await tool.send(name, "test.wait", {"name": name}, instance=name)
        await until(lambda name=name: name in line.blenders[name].ran)


async def test_two_requests_run_at_the_same_time(farm):
    async with farm() as line:
        tool = await line.tool()
        for name in ("a", "b"):
            await tool.send(name, "test.wait", {"name": name}, instance="farm")
        await until(lambda: sorted(ran for blender in line.blenders.values() for ran in blender.ran) == ["a", "b"])
        assert [len(blender.ran) for blender in line.blenders.values()] == [1, 1]
        for blender in line.blenders.values():
            blender.gates[blender.ran[0]].set()
        assert (await tool.answer("a")).ok


@pytest.mark.parametrize(("freed", "other"), [("farm-1", "farm-2"), ("farm-2", "farm-1")])
async def test_it_runs_on_whichever_is_free_first_and_says_so(farm, freed, other):
    async with farm() as line:
        tool = await line.tool()
        await occupy(line, tool, "farm-1", "farm-2")
        await tool.send("r", "test.echo", {"value": "r"}, instance="farm")
        await tool.ping()
        line.blenders[freed].gates[freed].set()
        answer = await tool.answer("r")
        assert (answer.ok, answer.boot) == (True, line.blenders[freed].boot)
        assert line.blenders[other].ran == [other]
        line.blenders[other].gates[other].set()
        assert (await tool.answer(other)).ok


async def test_a_cancelled_one_leaves_no_place_behind(farm):
    async with farm() as line:
        tool = await line.tool()
        await occupy(line, tool, "farm-1", "farm-2")
        await tool.send("r", "test.echo", instance="farm")
        await until(lambda: line.pool("farm-1").waiting == line.pool("farm-2").waiting == 1)
        await tool.cancel("r")
        error = await tool.error("r")
        assert (error.code, error.outcome) == ("cancelled", "not_executed")
        assert line.pool("farm-1").waiting == line.pool("farm-2").waiting == 0
        for name, blender in line.blenders.items():
            blender.gates[name].set()


async def test_a_key_goes_where_it_went_before_even_if_another_is_free(farm):
    async with farm() as line:
        tool = await line.tool()
        first = await tool.call("1", "test.echo", {"value": 1}, instance="farm", key="k")
        [ran] = [name for name, blender in line.blenders.items() if blender.ran]
        await occupy(line, tool, ran)
        await tool.send("2", "test.echo", {"value": 1}, instance="farm", key="k")
        await tool.ping()
        line.blenders[ran].gates[ran].set()
        assert (await tool.answer("2")).body == first
        assert sum(blender.ran.count("echo 1") for blender in line.blenders.values()) == 1


async def test_a_repeat_of_a_key_that_waits_still_goes_to_the_same_one(farm):
    async with farm() as line:
        tool, again = await line.tool(), await line.tool()
        await occupy(line, tool, "farm-1", "farm-2")
        await tool.send("1", "test.echo", {"value": 1}, instance="farm", key="k")
        await tool.ping()
        await again.send("2", "test.echo", {"value": 1}, instance="farm", key="k")
        await again.ping()
        for name, blender in line.blenders.items():
            blender.gates[name].set()
        assert (await tool.answer("1")).boot == (await again.answer("2")).boot
        assert sum(blender.ran.count("echo 1") for blender in line.blenders.values()) == 1


async def test_a_boot_means_the_member_that_is_that_process(farm):
    async with farm() as line:
        tool = await line.tool()
        for name, blender in line.blenders.items():
            await tool.call("1", "test.echo", instance=name)
            for _ in range(3):
                await tool.send("r", "test.echo", instance="farm", boot=blender.boot)
                assert (await tool.answer("r")).boot == blender.boot
        lost = await tool.refused("test.echo", instance="farm", boot="0" * 16)
        assert (lost.code, lost.outcome) == ("blender_lost", "unknown")


async def test_one_that_sleeps_is_asked_only_when_all_others_are_busy(farm):
    async with farm() as line:
        tool = await line.tool()
        line.fleet.instances["farm-2"].asleep = lambda: not line.blenders["farm-2"].ran
        for _ in range(3):
            await tool.call("r", "test.echo", instance="farm")
        assert line.blenders["farm-2"].ran == []
        await occupy(line, tool, "farm-1")
        await tool.call("r", "test.echo", instance="farm")
        assert line.blenders["farm-2"].ran == ["echo None"]
        line.blenders["farm-1"].gates["farm-1"].set()


async def test_the_metrics_count_a_request_for_the_one_that_did_it(farm):
    async with farm() as line:
        tool = await line.tool()
        await tool.call("r", "test.echo", instance="farm")
        await wait_all_tasks_blocked()
        assert [event.instance for event in line.events if hasattr(event, "method")] in (["farm-1"], ["farm-2"])
