"""bridge.pools, .pause, .resume, .drain, .resize, .reconnect, through a door."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from bridge.fleet.group import Group
from bridge.health import HealthLimits
from bridge.methods import CATALOGUE
from bridge.pool import PoolSettings
from tests.bridge.blender import Wires
from tests.bridge.line import bridge, until


@pytest.fixture
def two(blender, wires):
    """Two instances, neither of them named default."""
    return {"studio": wires["default"], "farm": Wires(blender.path)}


def still_open(wires) -> list:
    """The connections to Blender: the pool's, and one that belongs to the health check."""
    return [wire for wire in wires["default"].opened if not wire.closed]


async def at_work(line, blender):
    """A tool whose request "1" runs until the gate "work" is opened."""
    tool = await line.tool()
    await tool.send("1", "test.wait", {"name": "work"})
    await until(lambda: blender.ran == ["work"])
    return tool


async def test_pools_counts_each_pool_or_the_one_of_the_request(two, listen):
    async with bridge(two, listen) as line:
        tool = await line.tool()
        both = await tool.call("1", "bridge.pools")
        assert [pool["name"] for pool in both] == ["studio", "farm"]
        [farm] = await tool.call("2", "bridge.pools", instance="farm")
        assert farm["name"] == "farm"
        assert farm.keys() == asdict(line.pool("farm")).keys()


@pytest.mark.parametrize("method", ["pause", "resume", "drain", "reconnect", "resize"])
async def test_control_is_of_one_instance_that_must_be_known(two, listen, method):
    params = {"max_connections": 3} if method == "resize" else None
    async with bridge(two, listen) as line:
        tool = await line.tool()
        assert (await tool.refused(f"bridge.{method}", params)).code == "ambiguous_instance"
        unknown = await tool.refused(f"bridge.{method}", params, instance="stduio")
        assert (unknown.code, unknown.data["nearest"]) == ("unknown_instance", ["studio"])
        assert (await tool.call("2", f"bridge.{method}", params, instance="farm"))["name"] == "farm"
        studio = line.pool("studio")
        assert (studio.state, studio.max_connections, studio.generation) == ("open", 4, 0)


async def test_of_a_group_all_are_counted_and_control_names_those_to_choose_from(two, listen):
    async with bridge(two, listen) as line:
        line.fleet.add_group(Group("all", list(line.fleet.instances.values())))
        tool = await line.tool()
        pools = await tool.call("1", "bridge.pools", instance="all")
        assert [pool["name"] for pool in pools] == ["studio", "farm"]
        refused = await tool.refused("bridge.pause", instance="all")
        assert (refused.code, refused.data["nearest"]) == ("ambiguous_instance", ["studio", "farm"])


async def test_paused_requests_wait_and_after_resume_they_run_in_their_order(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool = await line.tool()
        assert (await tool.call("p", "bridge.pause"))["state"] == "paused"
        for number in range(5):
            await tool.send(str(number), "test.echo", {"value": number})
        await until(lambda: line.pool().waiting == 5)
        assert blender.ran == []
        resumed = await tool.call("r", "bridge.resume")
        assert (resumed["state"], resumed["waiting"]) == ("open", 4)
        for number in range(5):
            await tool.answer(str(number))
        assert blender.ran == [f"echo {number}" for number in range(5)]


async def test_drained_blender_has_no_connection_and_requests_wait_for_resume(blender, wires, listen):
    async with bridge(wires, listen, health=HealthLimits()) as line:
        tool = await line.tool()
        await until(lambda: len(still_open(wires)) == 2)
        drained = await tool.call("d", "bridge.drain")
        assert (drained["state"], drained["idle"], drained["leased"]) == ("drained", 0, 0)
        await until(lambda: len(still_open(wires)) == 1)
        await tool.send("2", "test.echo")
        await until(lambda: line.pool().waiting == 1)
        assert (await tool.call("r", "bridge.resume"))["state"] == "open"
        assert (await tool.answer("2")).ok


async def test_drain_waits_for_what_is_in_flight(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool, operator = await line.tool(), await line.tool()
        await tool.send("1", "test.wait", {"name": "work"})
        await until(lambda: blender.ran == ["work"])
        await operator.send("d", "bridge.drain")
        await until(lambda: line.pool().state == "draining")
        await operator.ping()
        assert operator.answers == {}
        blender.gates["work"].set()
        assert (await tool.answer("1")).ok
        assert (await operator.answer("d")).body["state"] == "drained"


async def test_a_drain_that_is_out_of_time_says_how_many_are_in_flight_and_goes_on(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await at_work(line, blender)
        fault = await tool.refused("bridge.drain", deadline=0.3)
        assert (fault.code, fault.outcome) == ("timeout", "failed")
        assert "1 in flight" in fault.message
        assert fault.data["pool"]["leased"] == 1
        assert line.pool().state == "draining"
        blender.gates["work"].set()
        await until(lambda: line.pool().state == "drained")


async def test_a_drain_that_is_cancelled_goes_on_too(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await at_work(line, blender)
        await tool.send("d", "bridge.drain")
        await until(lambda: line.pool().state == "draining")
        await tool.cancel("d")
        assert (await tool.error("d")).code == "cancelled"
        assert line.pool().state == "draining"


async def test_a_drain_that_somebody_undoes_says_so(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await at_work(line, blender)
        await tool.send("d", "bridge.drain")
        await until(lambda: line.pool().state == "draining")
        await tool.call("r", "bridge.resume")
        fault = await tool.error("d")
        assert (fault.code, fault.outcome) == ("cancelled", "failed")
        assert "was resumed before it was drained" in fault.message


async def test_a_drain_during_which_the_bridge_ends_is_no_drain(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await at_work(line, blender)
        await tool.send("d", "bridge.drain")
        await until(lambda: line.pool().state == "draining")
        line.fleet.close()
        assert (await tool.error("d")).code == "shutting_down"


async def test_a_drain_of_a_blender_that_is_not_there_is_done_at_once(listen):
    async with bridge({"default": Wires(None)}, listen) as line:
        tool = await line.tool()
        assert (await tool.call("d", "bridge.drain"))["state"] == "drained"


async def test_resize_changes_the_bound_both_ways(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        for bound in (1, 64, 2):
            assert (await tool.call("r", "bridge.resize", {"max_connections": bound}))["max_connections"] == bound


@pytest.mark.parametrize(
    ("bound", "problem"),
    [(0, "got 0"), (65, "got 65"), ("3", "got '3'"), (2.5, "got 2.5"), (None, "got null")],
)
async def test_resize_refuses_what_is_no_sensible_bound_and_says_why(wires, listen, bound, problem):
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("bridge.resize", {"max_connections": bound})
        assert fault.code == "invalid_params"
        assert "a whole number from 1 to 64" in fault.message
        assert problem in fault.message
        assert fault.data["problems"][0]["param"] == "max_connections"
        assert line.pool().max_connections == PoolSettings().max_connections


def test_resize_s_schema_has_the_bounds():
    [resize] = [entry for entry in CATALOGUE.describe() if entry["name"] == "bridge.resize"]
    bound = resize["params"]["properties"]["max_connections"]
    assert (bound["minimum"], bound["maximum"]) == (1, 64)


async def test_reconnect_replaces_what_is_idle_now_and_what_is_in_use_at_its_end(blender, wires, listen):
    async with bridge(wires, listen, health=HealthLimits()) as line:
        tool = await line.tool()
        await tool.send("1", "test.wait", {"name": "work"})
        await until(lambda: blender.ran == ["work"] and len(still_open(wires)) == 2)
        old = still_open(wires)
        assert (await tool.call("r", "bridge.reconnect"))["generation"] == 1
        blender.gates["work"].set()
        assert (await tool.answer("1")).ok
        await until(lambda: sum(wire.closed for wire in old) == 1)
        await tool.call("2", "test.echo")
        assert len(still_open(wires)) == 2


async def test_a_held_pool_is_an_obstacle_that_the_status_names(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        for method, state in (("pause", "paused"), ("drain", "drained")):
            await tool.call("c", f"bridge.{method}")
            [instance] = (await tool.call("s", "bridge.status"))["instances"]
            assert (instance["ready"], instance["obstacle"]) == (False, f"its pool is {state}")


async def test_a_cancelled_drain_does_not_claim_that_nothing_was_done(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.send("work", "test.wait", {"name": "work"})
        await until(lambda: blender.ran)
        await tool.send("d", "bridge.drain")
        await until(lambda: line.pool().state == "draining")
        await tool.cancel("d")
        fault = await tool.error("d")
        assert (fault.code, fault.outcome) == ("cancelled", "unknown")
        assert line.pool().state == "draining"
        blender.gates["work"].set()
        await tool.answer("work")
