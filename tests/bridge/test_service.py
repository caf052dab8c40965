"""The bridge's own methods, and what is told of each request."""

from __future__ import annotations

import os

import pytest
import trio

from blender_addon.commands import CATALOGUE
from blender_addon.wire import Request
from blender_addon.work import Answer
from bridge import protocol
from bridge.errors import RequestError
from bridge.events import RequestFinished
from bridge.health import HealthLimits
from bridge.methods import CATALOGUE as METHODS
from bridge.pool import PoolSettings
from tests.bridge.blender import Wires, running_blender
from tests.bridge.line import bridge, until


def names(methods) -> list[str]:
    return [method["name"] for method in methods]


async def test_status_tells_who_the_bridge_is_and_how_its_instances_are(blender, wires, listen):
    async with bridge(wires, listen, health=HealthLimits()) as line:
        tool = await line.tool()
        await tool.call("r", "test.echo")
        await until(lambda: line.health().checked_at)
        status = await tool.call("r", "bridge.status")
        assert (status["pid"], status["version"]) == (os.getpid(), protocol.VERSION)
        assert status["uptime"] >= 0
        [instance] = status["instances"]
        pool = instance.pop("pool")
        assert (pool["idle"], pool["leased"], pool["max_connections"]) == (1, 0, 4)
        health = instance.pop("health")
        assert (health["state"], health["blender"]["blender"]) == ("healthy", "0.0.0")
        assert instance == {
            "name": "default",
            "address": "test:default",
            "blender": "0.0.0",
            "addon": {"version": protocol.VERSION, "matches": True, "fix": None},
            "boot": blender.boot,
            "source": "configured",
            "file": None,
            "worker": None,
            "connected": True,
            "ready": True,
            "obstacle": None,
        }
        assert await tool.call("r", "bridge.instances") == [{**instance, "pool": pool, "health": health}]


async def test_the_catalogue_is_what_blender_describes_and_is_asked_for_once(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        for _ in range(2):
            found = names(await tool.call("r", "bridge.methods"))
            assert {"bridge.status", "bridge.methods", "test.echo"} <= set(found)
            assert found == sorted(found)
        assert blender.ran == ["describe"]


async def test_each_instance_has_its_own_catalogue(blender, listen, tmp_path):
    with running_blender(tmp_path / "other.sock") as other:
        other.catalogue.remove("test.echo")
        both = {"default": Wires(blender.path), "other": Wires(other.path)}
        async with bridge(both, listen) as line:
            tool = await line.tool()
            await until(lambda: line.pool("default").live and line.pool("other").live)
            assert "test.echo" in names(await tool.call("r", "bridge.methods"))
            assert "test.echo" not in names(await tool.call("r", "bridge.methods", instance="other"))
            assert (await tool.refused("bridge.methods", instance="nobody")).code == "unknown_instance"


async def test_without_blender_the_packaged_catalogue_answers_at_once(wires, listen):
    wires["default"].path = None
    async with bridge(wires, listen) as line:
        found = names(await (await line.tool()).call("r", "bridge.methods", deadline=0.5))
        assert {"bridge.status", "scene.summary"} <= set(found)


async def test_a_blender_that_cannot_describe_itself_is_asked_again_the_next_time(blender, wires, listen):
    described = blender.catalogue.find("addon.describe")
    blender.catalogue.remove("addon.describe")
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        assert "scene.summary" in names(await tool.call("r", "bridge.methods")), "the packaged one stands in"
        blender.catalogue._commands["addon.describe"] = described
        assert "test.echo" in names(await tool.call("r", "bridge.methods"))


async def test_a_description_of_another_shape_is_not_believed(blender, wires, listen):
    blender.catalogue.remove("addon.describe")

    @blender.catalogue.command("addon.describe")
    def describe() -> object:
        """Describe nothing."""
        return {"methods": 1}

    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        assert len(await tool.call("r", "bridge.methods")) == len(CATALOGUE.describe()) + len(METHODS.describe())


async def test_while_every_connection_is_in_use_the_catalogue_does_not_wait_past_its_deadline(blender, wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool = await line.tool()
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        assert "scene.summary" in names(await tool.call("r", "bridge.methods", deadline=0.2))
        blender.gates["running"].set()
        assert (await tool.answer("running")).ok


async def test_jobs_are_not_blender_s_business(blender, wires, listen):
    async with bridge(wires, listen) as line:
        assert (await (await line.tool()).refused("jobs.list")).code == "forbidden"
    assert blender.ran == []


async def test_parameters_of_the_bridge_s_own_methods_are_checked(wires, listen):
    async with bridge(wires, listen) as line:
        fault = await (await line.tool()).refused("bridge.status", {"verbose": True})
        assert (fault.code, fault.data["problems"][0]["param"]) == ("invalid_params", "verbose")


async def test_every_request_s_end_is_told_with_its_outcome(blender, wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await tool.call("r", "test.echo")
        await tool.refused("test.fail")
        await tool.refused("test.echo", instance="nobody")
        await tool.send("r", "test.wait", {"name": "r"})
        await until(lambda: "r" in blender.ran)
        await tool.cancel("r")
        await tool.error("r")
        finished = [event for event in line.events if isinstance(event, RequestFinished)]
        assert [(event.instance, event.method, event.outcome) for event in finished] == [
            ("default", "test.echo", "ok"),
            ("default", "test.fail", "execution_failed"),
            ("", "test.echo", "unknown_instance"),
            ("default", "test.wait", "cancelled"),
        ]
        assert all(event.seconds >= 0 for event in finished)


async def test_an_unreadable_error_from_blender_is_passed_on_and_told_as_such(wires, listen, monkeypatch):
    monkeypatch.setattr(Answer, "of_fault", classmethod(lambda cls, fault: cls(False, None, [b"?"], 1)))
    async with bridge(wires, listen) as line:
        await line.tool()
        call = line.service.call(Request("r", "test.fail"), b"")
        reply = await line.service.perform(call)
        assert bytes(reply.payload) == b"?"
        reply.drop()
        assert [event.outcome for event in line.events if isinstance(event, RequestFinished)] == ["unreadable"]


async def test_a_call_whose_deadline_passed_before_it_began_is_not_executed(blender, wires, listen):
    async with bridge(wires, listen) as line:
        call = line.service.call(Request("r", "test.echo", 0.000001), b"")
        start = trio.current_time()
        await until(lambda: trio.current_time() > start + 0.001)
        with pytest.raises(RequestError) as caught:
            await line.service.perform(call)
        assert caught.value.outcome == "not_executed"
    assert blender.ran == []
