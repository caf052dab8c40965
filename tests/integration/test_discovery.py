"""A real Blender announces itself; a bridge finds it, serves it, and notices its end."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import trio

from blender_addon.descriptor import Descriptor
from bridge import events, stream
from bridge.discovery import Discovery
from bridge.fleet import Announced, Instance
from bridge.pool import PoolSettings
from tests.bridge.line import MEGABYTE, Line, bridge, until

from .serving import environment

pytestmark = [pytest.mark.blender, pytest.mark.usefixtures("_bpy")]


@pytest.fixture
def home(tmp_path) -> Path:
    return tmp_path / "h"


@pytest.fixture
def announce(home) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start a headless Blender that announces itself, and wait until it says that it is ready."""
    started: list[subprocess.Popen[bytes]] = []

    def announce(*options: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "blender_addon.headless", "--announce", *options]
        pipe = subprocess.PIPE
        process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, env=environment(home))
        started.append(process)
        assert any(json.loads(line).get("ready") for line in process.stdout)
        return process

    yield announce
    for process in started:
        with process:
            process.kill()


@pytest.fixture
def discovering(home, tmp_path):
    """A bridge that knows nobody, and looks."""

    @asynccontextmanager
    async def discovering() -> AsyncIterator[Line]:
        async with bridge({}, f"unix:{tmp_path / 'b.sock'}") as line, trio.open_nursery() as nursery:
            memory = line.memory.share(64 * MEGABYTE)

            def make(name: str, found: Descriptor) -> Instance:
                path = found.address.removeprefix("unix:")
                return Instance(
                    name, found.address, lambda: stream.connect_unix(path), token=found.token, pool=PoolSettings(),
                    memory=memory, max_payload=MEGABYTE, cancel_grace=1.0, emit=events.ignore, source="announced",
                    file=found.file,
                )  # fmt: skip

            announced = Announced(line.fleet, make)
            tell: dict[str, Any] = {kind: getattr(announced, kind) for kind in ("come", "changed", "gone")}
            nursery.start_soon(Discovery(home / "blenders", **tell).run)
            yield line
            nursery.cancel_scope.cancel()

    return discovering


async def test_it_comes_serves_follows_its_file_and_goes(announce, discovering, home, tmp_path):
    async with discovering() as line:
        tool = await line.tool()
        assert (await tool.refused("scene.summary")).code == "unknown_instance"
        process = announce()
        await until(lambda: "blender" in line.fleet.instances)
        assert (await tool.call("1", "scene.summary"))["object_count"] == 3
        path = str(tmp_path / "shot-010.blend")
        await tool.call("2", "file.save", {"path": path})
        await until(lambda: line.fleet.instances["blender"].file == path)
        process.send_signal(signal.SIGTERM)
        await until(lambda: not line.fleet.instances)
        assert list((home / "blenders").iterdir()) == []
        told = await tool.refused("scene.summary")
        assert (told.code, told.outcome, told.data["gone"]) == ("unknown_instance", "not_executed", "blender")


async def test_a_killed_one_is_noticed_and_cleared_within_a_second(announce, discovering, home):
    process = announce()
    async with discovering() as line:
        tool = await line.tool()
        await until(lambda: line.fleet.instances)
        await tool.call("1", "scene.summary")
        assert len(list((home / "blenders").iterdir())) == 2
        process.kill()
        with trio.fail_after(1):
            while line.fleet.instances or list((home / "blenders").iterdir()):
                await trio.sleep(0.01)
        assert (await tool.refused("scene.summary")).data["gone"] == "blender"


async def test_two_of_them_are_ambiguous_until_one_is_chosen(announce, discovering):
    announce("left")
    announce("right")
    async with discovering() as line:
        await until(lambda: len(line.fleet.instances) == 2)
        tool = await line.tool()
        ambiguous = await tool.refused("scene.summary")
        assert ambiguous.code == "ambiguous_instance"
        listed = {found["name"]: (found["file"], found["source"]) for found in ambiguous.data["instances"]}
        assert listed == {"left": ("", "announced"), "right": ("", "announced")}
        await tool.call("2", "object.create", {"type": "empty", "name": "Mine"}, instance="right")
        await tool.call("3", "bridge.use", {"name": "right"})
        assert (await (await line.tool()).call("4", "scene.summary"))["object_count"] == 4
        assert (await tool.call("5", "scene.summary", instance="left"))["object_count"] == 3
