"""safety.code and safety.write_folders: what the bridge refuses, and what it tells the Blenders that it starts."""

from __future__ import annotations

import os

import pytest

from blender_addon.policy import ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS
from bridge import blenders
from bridge.config import Settings
from bridge.fleet import Fleet, Group
from bridge.memory import MemoryBudget
from bridge.supervisor.process import variables
from tests.bridge.blender import Wires, running_blender
from tests.bridge.line import bridge, until

FOLDERS = ["/srv/renders", "/srv/more"]


@pytest.fixture
def ran(blender):
    """What code was run."""
    ran = []

    @blender.catalogue.command("code.execute", destructive=True)
    def execute(*, code: str) -> object:
        """Run it."""
        ran.append(code)

    return ran


async def test_code_runs_where_nothing_forbids_it(wires, listen, ran):
    async with bridge(wires, listen) as line:
        await (await line.tool()).call("r", "code.execute", {"code": "1"})
    assert ran == ["1"]


async def test_where_it_is_switched_off_it_is_refused_and_nothing_is_sent(blender, wires, listen, ran):
    async with bridge(wires, listen) as line:
        line.fleet.instances["default"].code = False
        tool = await line.tool()
        fault = await tool.refused("code.execute", {"code": "1"})
        assert (fault.code, fault.outcome) == ("forbidden", "not_executed")
        assert "safety.code" in fault.message
        assert await tool.call("r", "test.echo", {"value": 1}) == {"value": 1}
    assert ran == []


async def test_it_is_refused_for_several_of_one_name_where_one_of_them_forbids_it(
    blender, wires, listen, ran, tmp_path
):
    with running_blender(tmp_path / "b.sock") as other:
        async with bridge({**wires, "b": Wires(other.path)}, listen) as line:
            instances = line.fleet.instances
            line.fleet.add_group(Group("both", list(instances.values())))
            instances["b"].code = False
            await until(lambda: line.pool().live)
            tool = await line.tool()
            assert (await tool.refused("code.execute", {"code": "1"}, instance="both")).code == "forbidden"
            await tool.call("r", "code.execute", {"code": "1"}, instance="default")


class TestWorkers:
    @pytest.fixture
    def env(self, home, monkeypatch):
        """env(name, settings…): what the worker of that name is started with."""
        home.mkdir(mode=0o700)
        monkeypatch.setattr(blenders, "find_blender", lambda blender: ["blender"])

        def env(name, **settings):
            made = blenders.Blenders(
                Settings(**settings), Fleet(), memory=MemoryBudget(1).share(1), emit=lambda event: None
            )
            return made.supervisor._find(name)[0]._settings.env

        return env

    def test_a_worker_is_told_what_holds(self, env):
        found = env("default", safety={"code": False, "write_folders": FOLDERS})
        assert found == {ENVIRONMENT_CODE: "false", ENVIRONMENT_FOLDERS: os.pathsep.join(FOLDERS)}

    def test_its_own_settings_hold_before_the_common_ones(self, env):
        workers = {"a": {"env": {"X": "1"}, "safety": {"code": True, "write_folders": []}}}
        found = env("a", safety={"code": False}, workers=workers)
        assert found == {"X": "1", ENVIRONMENT_CODE: "true", ENVIRONMENT_FOLDERS: ""}

    def test_what_the_bridge_s_own_environment_says_is_only_one_source(self, monkeypatch):
        monkeypatch.setenv(ENVIRONMENT_FOLDERS, "/somewhere")
        monkeypatch.setenv(ENVIRONMENT_CODE, "false")
        assert {ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS}.isdisjoint(variables({}))
        assert variables({ENVIRONMENT_CODE: "true"})[ENVIRONMENT_CODE] == "true"
