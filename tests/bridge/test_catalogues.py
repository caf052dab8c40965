"""bridge.methods follows what Blender has: asked cheaply each time, and never older than the question."""

from __future__ import annotations

from typing import Any, Optional

import pytest

from blender_addon.commands import CATALOGUE
from bridge.health import Health
from bridge.pool import PoolSettings
from tests.bridge.blender import running_blender
from tests.bridge.line import bridge, until


@pytest.fixture
def asked(blender):
    """Have it describe itself with a revision; what it was asked with."""
    asked: list[Any] = []
    blender.catalogue.remove("addon.describe")

    @blender.catalogue.command("addon.describe", read_only=True, io_thread=True)
    def describe(*, known: Optional[str] = None) -> Any:
        """Describe every command."""
        asked.append(known)
        revision = blender.catalogue.revision
        return {"methods": None if known == revision else blender.catalogue.describe(), "revision": revision}

    return asked


async def names(tool) -> set[str]:
    return {method["name"] for method in await tool.call("r", "bridge.methods")}


def add(blender, name, **hints):
    @blender.catalogue.command(name, **hints)
    def command() -> Any:
        """Another add-on's."""


async def test_what_is_known_is_not_sent_again(blender, wires, listen, asked):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        first = await names(tool)
        assert await names(tool) == first
        assert asked == [None, blender.catalogue.revision]


async def test_commands_that_another_add_on_registers_or_withdraws_are_seen_at_once(blender, wires, listen, asked):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        assert "other.thing" not in await names(tool)
        add(blender, "other.thing")
        assert "other.thing" in await names(tool)
        blender.catalogue.remove("other.thing")
        assert "other.thing" not in await names(tool)


async def test_another_process_is_asked_for_all(blender, wires, listen, asked, tmp_path):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        await names(tool)
        with running_blender(tmp_path / "next.sock") as other:
            wires["default"].path = other.path
            wires["default"].cut()
            await tool.call("r", "test.echo")
            assert line.fleet.instances["default"].boot == other.boot
            add(other, "only.there")
            assert "only.there" in await names(tool)


async def test_while_every_connection_is_in_use_what_is_known_is_the_answer(blender, wires, listen, asked):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=1)) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        await names(tool)
        await tool.send("running", "test.wait", {"name": "running"})
        await until(lambda: blender.ran)
        assert "test.echo" in await names(tool)
        assert len(asked) == 1
        blender.gates["running"].set()
        assert (await tool.answer("running")).ok


async def test_one_that_fails_to_answer_is_believed_what_it_said_before(blender, wires, listen, asked):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        await until(lambda: line.pool().live)
        add(blender, "other.thing")
        await names(tool)
        blender.catalogue.remove("addon.describe")
        assert "other.thing" in await names(tool)


class TestKnownWithoutAsking:
    @pytest.fixture
    async def catalogues(self, blender, wires, listen, asked):
        add(blender, "other.look", read_only=True)
        async with bridge(wires, listen) as line:
            await until(lambda: line.pool().live)
            await names(await line.tool())
            yield line.service._catalogues, line.fleet.instances["default"]

    def knows(self, catalogues) -> bool:
        known, instance = catalogues
        return "other.look" in {entry["name"] for entry in known.known(instance)}

    async def test_what_was_described(self, catalogues):
        assert self.knows(catalogues)

    async def test_not_what_a_later_pong_says_is_out_of_date(self, catalogues):
        latest = catalogues[1].health.latest
        latest.value = Health("healthy", checked_at=9e9, blender={"catalogue": "another"})
        assert not self.knows(catalogues)
        latest.value = Health("healthy", checked_at=1.0, blender={"catalogue": "another"})
        assert self.knows(catalogues), "that pong is older than the description"

    async def test_not_another_process_s(self, catalogues):
        catalogues[1].boot = "f" * 16
        assert not self.knows(catalogues)


async def test_without_a_connection_the_packaged_ones_are_the_answer(wires, listen):
    wires["default"].path = None
    async with bridge(wires, listen) as line:
        found = await names(await line.tool())
        assert {entry["name"] for entry in CATALOGUE.describe()} <= found
