"""Add-ons in Blender register and withdraw commands: the list of tools is as it is now, and clients hear of it."""

from __future__ import annotations

import pytest
import trio

from bridge.frontends.mcp import catalogue
from bridge.pool import PoolSettings
from tests.bridge.line import until

from .over_socket import house, tell_revisions

CHANGED = "notifications/tools/list_changed"
LISTEN = "subscriptions/listen"


@pytest.fixture(autouse=True)
def _often(monkeypatch):
    monkeypatch.setattr(catalogue, "_INTERVAL", 0.01)


def bring(blender, name="extra.command"):
    @blender.catalogue.command(name)
    def command() -> None:
        """Do what an add-on does."""


async def names(caller) -> set[str]:
    return {tool["name"] for tool in (await caller.ask("tools/list"))["result"]["tools"]}


async def test_a_command_that_comes_and_goes_is_listed_and_not_and_told_each_time(blender, wires, listen):
    tell_revisions(blender)
    async with house(wires, listen) as there:
        caller = await there.caller()
        await until(lambda: there.line.pool().live)
        assert "extra_command" not in await names(caller)
        bring(blender)
        assert (await caller.hear())["method"] == CHANGED
        assert "extra_command" in await names(caller)
        blender.catalogue.remove("extra.command")
        assert (await caller.hear())["method"] == CHANGED
        assert "extra_command" not in await names(caller)


async def test_who_lists_right_after_a_command_came_has_it(blender, wires, listen, monkeypatch):
    monkeypatch.setattr(catalogue, "_INTERVAL", 1000.0)
    tell_revisions(blender)
    async with house(wires, listen) as there:
        caller = await there.caller()
        await until(lambda: there.line.pool().live)
        await names(caller)
        bring(blender)
        assert "extra_command" in await names(caller)


async def test_in_the_era_without_sessions_who_listens_hears_of_it(blender, wires, listen):
    tell_revisions(blender)
    async with house(wires, listen) as there:
        caller = await there.stranger()
        await caller.greet()
        await until(lambda: there.line.pool().live)
        meta = (await caller.stateless("tools/list"))["result"]["_meta"]
        assert meta
        listening = {"notifications": {"toolsListChanged": True}}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(lambda: caller.stateless(LISTEN, **listening))
            await until(lambda: caller.heard)
            bring(blender)
            await until(lambda: len(caller.heard) == 2)
            nursery.cancel_scope.cancel()
        assert [message["method"] for message in caller.heard] == [
            "notifications/subscriptions/acknowledged",
            CHANGED,
        ]


async def test_who_has_not_asked_for_the_list_hears_nothing_and_neither_does_whose_list_is_the_same(
    blender, wires, listen
):
    tell_revisions(blender)
    async with house(wires, listen) as there:
        silent, core, whole = await there.caller(), await there.caller("core"), await there.caller()
        await until(lambda: there.line.pool().live)
        await names(core)
        await names(whole)
        bring(blender)
        assert (await whole.hear())["method"] == CHANGED
        for caller in (silent, core):
            await caller.ask("ping")
            assert caller.heard == []


async def test_a_family_alone_shows_what_an_add_on_brings_to_it(blender, wires, listen):
    tell_revisions(blender)
    async with house(wires, listen) as there:
        await until(lambda: there.line.pool().live)
        caller = await there.caller("test")
        assert all(name.startswith(("test_", "tool_")) for name in await names(caller))
        bring(blender, "test.extra")
        await caller.hear()
        assert "test_extra" in await names(caller)


async def test_while_nothing_changes_blender_is_asked_but_not_made_to_repeat_itself(blender, wires, listen):
    tell_revisions(blender)
    asked = []
    described = blender.catalogue.find("addon.describe").function
    blender.catalogue.remove("addon.describe")

    @blender.catalogue.command("addon.describe", io_thread=True)
    def describe(*, known: str = "") -> object:
        """Describe, and count."""
        asked.append(known)
        return described(known=known)

    async with house(wires, listen) as there:
        callers = [await there.caller() for _ in range(3)]
        await until(lambda: there.line.pool().live)
        for caller in callers:
            await names(caller)
        await until(lambda: len(asked) > 5)
        assert set(asked[1:]) == {blender.catalogue.revision}
        for caller in callers:
            await caller.ask("ping")
            assert caller.heard == []


async def test_nobody_waits_for_a_blender_that_has_no_time(blender, wires, listen):
    async with house(wires, listen, pool=PoolSettings(max_connections=1)) as there:
        caller, other = await there.caller(), await there.caller()
        await other.start("test_wait", name="a")
        await until(lambda: "a" in blender.ran)
        with trio.fail_after(1):
            assert "bridge_status" in await names(caller)
            assert (await caller.call("bridge_status"))["structuredContent"]["state"] == "running"
        blender.gates["a"].set()


async def test_without_blender_the_packaged_tools_are_listed(wires, listen):
    wires["default"].path = None
    async with house(wires, listen) as there:
        assert {"scene_summary", "tool_search"} <= await names(await there.caller("core"))


async def test_a_blender_that_comes_later_brings_its_commands(blender, wires, listen):
    wires["default"].path = None
    async with house(wires, listen) as there:
        caller = await there.caller()
        assert "test_echo" not in await names(caller)
        wires["default"].path = blender.path
        assert (await caller.hear())["method"] == CHANGED
        assert "test_echo" in await names(caller)
