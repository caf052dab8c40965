"""bridge.trace: who watches, what they want to see, and how it ends."""

from __future__ import annotations

import pytest

from blender_addon import wire
from bridge.fleet.group import Group
from tests.bridge.blender import Wires
from tests.bridge.line import bridge, until

from .watching import is_answer, kind, watch


async def test_those_who_watch_are_not_shown_to_each_other(wires, listen):
    async with bridge(wires, listen) as line:
        one, other = await watch(line), await watch(line)
        tool = await line.tool()
        await tool.call("r1", "test.echo")
        for watching in (one, other):
            await watching.answered("r1")
            # All that was begun by then has been read when the pong comes.
            await watching.tool.ping()
        assert not any(record["connection"] == "c2" and kind(record) == "event" for record in one.records)
        assert not any(record["connection"] == "c1" for record in other.records)
        assert not any(kind(record) == "ping" and record["hop"] == "client" for record in one.records)


async def test_filters_by_instance_connection_and_method(wires, listen):
    async with bridge(wires, listen) as line:
        by_instance = await watch(line, {"instance": "default"})
        by_connection = await watch(line, {"connection": "c5"})
        by_method = await watch(line, {"method": "bridge.status"})
        one, other = await line.tool(), await line.tool()
        await one.call("r1", "test.echo")
        await other.call("r2", "bridge.status")
        assert len(await by_method.answered("r2")) == 2
        await by_connection.answered("r2")
        assert {record["connection"] for record in by_connection.records} == {"c5"}
        await by_instance.until(lambda record: kind(record) == "response")
        assert {record["hop"] for record in by_instance.records} == {"blender"}


async def test_a_group_is_all_of_its_members(blender, wires, listen):
    async with bridge({**wires, "farm": Wires(blender.path), "other": Wires(blender.path)}, listen) as line:
        members = [line.fleet.instances[name] for name in ("default", "farm")]
        line.fleet.add_group(Group("two", members))
        by_group = await watch(line, {"instance": "two"})
        tool = await line.tool()
        for name in ("other", "farm", "default"):
            await tool.call(name, "test.echo", instance=name)
        await by_group.until(lambda record: kind(record) == "response" and record["instance"] == "default")
        assert {record["instance"] for record in by_group.records if kind(record) == "response"} == {"default", "farm"}


async def test_an_instance_that_there_is_not_is_refused(wires, listen):
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("bridge.trace", {"instance": "defualt"})
        assert (fault.code, fault.data["nearest"]) == ("unknown_instance", ["default"])


async def test_more_than_a_few_watchers_are_refused_as_busy(wires, listen):
    async with bridge(wires, listen) as line:
        for _ in range(8):
            await watch(line)
        assert (await (await line.tool()).refused("bridge.trace")).code == "busy"


@pytest.mark.parametrize("way", ["cancel", "leave", "break", "deadline", "keyed"])
async def test_no_watcher_is_left_when_the_client_has_left(way, wires, listen):
    async with bridge(wires, listen) as line:
        fields = {"deadline": 0.4} if way == "deadline" else {"key": "k", "deadline": 2.0} if way == "keyed" else {}
        watching = await watch(line, **fields)
        assert len(line.fleet.trace.watchers) == 1
        if way == "cancel":
            await watching.tool.cancel("trace")
            assert (await watching.tool.error("trace")).code == "cancelled"
        elif way in ("leave", "keyed"):
            await watching.tool.leave()
        elif way == "break":
            await watching.tool.say(b"GET /")
        await until(lambda: not line.fleet.trace.watchers)
        assert await (await line.tool()).call("r", "test.echo", {"value": 1}) == {"value": 1}


async def test_at_its_deadline_a_trace_succeeds_and_says_what_it_has_shown(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        watching = await watch(line, {"method": "test.echo"}, deadline=0.6)
        await tool.call("r1", "test.echo")
        assert await watching.ended() == {"frames": 4, "dropped": 0, "reason": "deadline"}


async def test_when_the_bridge_ends_so_does_a_trace_and_what_was_queued_is_shown(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"method": "test.echo"}), await line.tool()
        await tool.call("r1", "test.echo")
        await line.fleet.drain()
        assert await watching.ended() == {"frames": 4, "dropped": 0, "reason": "shutdown"}
        await watching.tool.send("again", "bridge.trace")
        assert (await watching.tool.answer("again")).body["reason"] == "shutdown"


async def test_who_reads_nothing_slows_nobody_and_is_told_what_was_lost(wires, listen):
    async with bridge(wires, listen) as line:
        watching, tool = await watch(line, {"method": "test.echo"}), await line.tool()
        requests = 1500
        for number in range(requests):
            await tool.call(f"r{number}", "test.echo", {"value": number})
        # Its socket is full: a frame that was begun keeps the rest out until it is read.
        assert not any(is_answer(record, f"r{requests - 1}") for record in watching.records)
        lost = 0
        while lost + len(watching.records) < 4 * requests:
            lost += (await watching.tool._until(wire.Event, "trace")).get("dropped", 0)
        assert 0 < lost < 4 * requests
        await tool.call("last", "test.echo")
        assert not any("dropped" in record for record in (await watching.answered("last"))[-4:])
