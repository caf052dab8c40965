"""What a client's connection got it keeps, and it is told when that is gone; through the door."""

from __future__ import annotations

import pytest

from bridge.fleet import Instance
from tests.bridge.blender import Wires
from tests.bridge.line import Line, bridge, until
from tests.bridge.tool import Tool


@pytest.fixture
def two(blender, start_blender, tmp_path):
    """Announced as `one` and `other`, and the embedded worker, which nobody needs."""
    second = start_blender(tmp_path / "second.sock")
    return {"one": Wires(blender.path), "other": Wires(second.path), "default": Wires(None)}, blender, second


def as_announced(line: Line) -> dict[str, Instance]:
    """Both are announced, and only `one` is there yet."""
    for name, instance in line.fleet.instances.items():
        instance.source = "embedded" if name == "default" else "announced"
    return {"other": line.fleet.instances.pop("other")}


async def bound_to_one(line: Line) -> Tool:
    """A tool whose first request went to `one`, before `other` announced itself."""
    later = as_announced(line)
    tool = await line.tool()
    await tool.call("1", "test.echo")
    line.fleet.instances.update(later)
    return tool


async def test_a_connection_keeps_its_blender_when_another_announces_itself(two, listen):
    wires, blender, _ = two
    async with bridge(wires, listen) as line:
        tool = await bound_to_one(line)
        await tool.send("2", "test.echo")
        assert (await tool.answer("2")).boot == blender.boot
        newcomer = await line.tool()
        ambiguous = await newcomer.refused("test.echo")
        assert ambiguous.code == "ambiguous_instance"
        assert [found["name"] for found in ambiguous.data["instances"]] == ["one", "other"]


async def test_use_chooses_for_all_that_got_nobody_yet_and_for_the_one_that_asks(two, listen):
    wires, blender, second = two
    async with bridge(wires, listen) as line:
        later = as_announced(line)
        bound, operator = await line.tool(), await line.tool()
        await bound.call("1", "test.echo")
        await operator.call("1", "test.echo")
        line.fleet.instances.update(later)
        assert await operator.call("u", "bridge.use", {"name": "other"}) == {"chosen": "other", "name": "other"}
        newcomer = await line.tool()
        for tool, boot in ((operator, second.boot), (newcomer, second.boot), (bound, blender.boot)):
            await tool.send("r", "test.echo")
            assert (await tool.answer("r")).boot == boot
        assert await operator.call("u", "bridge.use", {"name": None}) == {"chosen": None, "name": None}
        assert (await (await line.tool()).refused("test.echo")).code == "ambiguous_instance"


async def test_use_of_one_that_there_is_not_names_the_nearest(two, listen):
    async with bridge(two[0], listen) as line:
        refused = await (await line.tool()).refused("bridge.use", {"name": "othr"})
        assert (refused.code, refused.data["nearest"][0]) == ("unknown_instance", "other")


async def test_control_without_a_name_is_of_what_the_connection_got(two, listen):
    async with bridge(two[0], listen) as line:
        tool = await bound_to_one(line)
        assert (await tool.call("2", "bridge.reconnect"))["name"] == "one"


async def test_the_catalogue_is_answered_where_it_is_ambiguous_whose(two, listen):
    async with bridge(two[0], listen) as line:
        line.fleet.instances.update(as_announced(line))
        names = [method["name"] for method in await (await line.tool()).call("1", "bridge.methods")]
        assert {"bridge.use", "scene.summary"} <= set(names)


async def test_work_is_never_moved_to_another_blender_unsaid(two, listen):
    wires, _, second = two
    async with bridge(wires, listen) as line:
        tool = await bound_to_one(line)
        line.fleet.remove("one")
        told = await tool.refused("test.echo")
        assert (told.code, told.outcome, told.data["gone"]) == ("unknown_instance", "not_executed", "one")
        assert second.ran == []
        await tool.send("3", "test.echo")
        assert (await tool.answer("3")).boot == second.boot


async def test_who_waits_for_one_that_goes_is_told_that_it_did_not_run(two, listen):
    wires, blender, _ = two
    async with bridge(wires, listen) as line:
        as_announced(line)
        tool = await line.tool()
        for number in range(4):
            await tool.send(f"{number}", "test.wait", {"name": f"{number}"})
        await until(lambda: line.pool("one").leased == 4)
        await tool.send("waits", "test.echo")
        await until(lambda: line.pool("one").waiting == 1)
        line.fleet.remove("one")
        told = await tool.error("waits")
        assert (told.code, told.outcome, told.data["gone"]) == ("unknown_instance", "not_executed", "one")
        for number in range(4):
            blender.gates[f"{number}"].set()
        for number in range(4):
            assert (await tool.answer(f"{number}")).ok
