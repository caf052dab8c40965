"""Many forked workers at once, over their sockets, and what becomes of them when the bridge is killed."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import trio

from blender_addon.wire.address import parse_address
from bridge.supervisor.process import Start
from bridge.supervisor.zygote import ZygoteSpawner, available
from tests.blender_addon.serving import Client

from .serving import PATIENCE, ROOT

pytestmark = [pytest.mark.blender, pytest.mark.skipif(available() is not None, reason=str(available()))]

WORKERS = 20

HOLDER = """
import sys, trio
from bridge.supervisor.process import Start
from bridge.supervisor.zygote import ZygoteSpawner

async def main(place, count):
    spawner = ZygoteSpawner()
    for number in range(count):
        process = await spawner.spawn(Start("w", f"unix:{place}/{number}.sock", None, {}))
        said = b""
        while b'"ready"' not in said:
            said += await process.output.receive_some()
        held.append(process)
    print("ready", flush=True)
    await trio.sleep_forever()

held = []
trio.run(main, sys.argv[1], int(sys.argv[2]))
"""

RENDER = """
import bpy
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 100_000, False
bpy.ops.render.render()
"""


@contextmanager
def holding(place: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """A process that holds a zygote and as many workers, as a bridge does."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(place), str(count)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    with process:
        try:
            assert process.stdout is not None
            assert "ready\n" in process.stdout
            yield process
        finally:
            process.kill()


def kill(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Kill it; those of its descendants that have not ended with it, though they had time to."""
    held = psutil.Process(process.pid).children(recursive=True)
    assert held
    process.send_signal(signal.SIGKILL)
    process.wait(PATIENCE)
    _, left = psutil.wait_procs(held, PATIENCE)
    return left


async def test_twenty_workers_forked_at_once_serve_without_seeing_each_other(tmp_path: Path) -> None:
    answers: dict[int, Any] = {}
    together = trio.Event()
    spawner = ZygoteSpawner()
    arrived = []

    async def live(number: int) -> None:
        start = Start(str(number), f"unix:{tmp_path}/{number}.sock", None, {})
        process = await spawner.spawn(start)
        try:
            said = b""
            while b'"ready"' not in said:
                said += await process.output.receive_some()
            arrived.append(number)
            if len(arrived) == WORKERS:
                together.set()
            await together.wait()
            answers[number] = await trio.to_thread.run_sync(edit, start.address, number)
        finally:
            await process.aclose()

    with trio.fail_after(2 * PATIENCE):
        async with trio.open_nursery() as nursery:
            for number in range(WORKERS):
                nursery.start_soon(live, number)
        await spawner.aclose()
    expected = ["Camera", "Cube", "Light"]
    assert answers == {number: sorted([*expected, f"Only {number}"]) for number in range(WORKERS)}


def edit(address: str, number: int) -> list[str]:
    """Add an object of this number's name, and return the names of all that there are."""
    with ExitStack() as stack:
        client = Client(parse_address(address))
        stack.callback(client.close)
        added = (
            f"import bpy; bpy.context.collection.objects.link(bpy.data.objects.new('Only {number}', None)); result = 1"
        )
        assert client.call("1", "code.execute", {"code": added})["result"] == 1
        return sorted(found["name"] for found in client.call("2", "scene.objects")["objects"])


def test_no_process_is_left_when_the_bridge_is_killed(tmp_path: Path) -> None:
    with holding(tmp_path, 3) as bridge:
        assert kill(bridge) == []


def test_no_process_is_left_when_the_bridge_is_killed_while_a_worker_renders(tmp_path: Path) -> None:
    with holding(tmp_path, 2) as bridge, ExitStack() as stack:
        address = parse_address(f"unix:{tmp_path}/0.sock")
        client, watcher = Client(address), Client(address)
        stack.callback(client.close)
        stack.callback(watcher.close)
        client.send("1", "code.execute", {"code": RENDER})
        while not watcher.ping()["busy"]:
            pass
        assert kill(bridge) == []


def test_no_worker_is_left_when_the_zygote_and_then_the_bridge_are_killed(tmp_path: Path) -> None:
    with holding(tmp_path, 2) as bridge:
        [zygote] = psutil.Process(bridge.pid).children()
        workers = zygote.children()
        assert len(workers) == 2
        zygote.kill()
        assert all(worker.is_running() for worker in workers)
        bridge.kill()
        bridge.wait(PATIENCE)
        _, left = psutil.wait_procs(workers, PATIENCE)
        assert left == []


def test_no_worker_is_left_that_was_frozen_when_the_bridge_was_killed(tmp_path: Path) -> None:
    with holding(tmp_path, 2) as bridge:
        [zygote] = psutil.Process(bridge.pid).children()
        zygote.children()[0].suspend()
        assert kill(bridge) == []
