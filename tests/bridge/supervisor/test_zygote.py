"""The spawner of forked workers and its zygotes, with the real bpy wheel."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import sys
from pathlib import Path

import psutil
import pytest
import trio
import trio.testing

from bridge.supervisor import zygote
from bridge.supervisor.forked import UNKNOWN_STATUS, ForkedProcess
from bridge.supervisor.process import Start
from bridge.supervisor.zygote import ZygoteSpawner, available
from tests.bridge.line import until

PATIENCE = 40

pytestmark = pytest.mark.blender

forks = pytest.mark.skipif(available() is not None, reason=str(available()))


@pytest.fixture
async def spawner():
    spawner = ZygoteSpawner()
    with trio.fail_after(2 * PATIENCE):
        yield spawner
        await spawner.aclose()
    assert not spawner.pids


@pytest.fixture
async def spawn(spawner, tmp_path):
    """Spawn a worker; it is closed in the end."""
    processes = []

    async def spawn(**env: str) -> ForkedProcess:
        processes.append(await spawner.spawn(start(tmp_path, f"{len(processes)}", env)))
        return processes[-1]

    yield spawn
    for process in processes:
        await process.aclose()


def start(place: Path, name: str = "w", env: dict[str, str] | None = None, file: Path | None = None) -> Start:
    return Start(name, f"unix:{place}/{name}.sock", file, env or {})


async def ready(process) -> dict:
    """Its ready line."""
    said = b""
    async for chunk in process.output:
        said += chunk
        for line in said.splitlines(keepends=True):
            if line.startswith(b'{"ready"') and line.endswith(b"\n"):
                return json.loads(line)
    raise AssertionError(said.decode())


def descendants() -> set[int]:
    return {child.pid for child in psutil.Process().children(recursive=True)}


def test_it_says_why_workers_cannot_be_forked(monkeypatch):
    monkeypatch.setattr(sys, "platform", "darwin")
    assert "Linux alone" in (available() or "")
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    assert "bpy-bridge[embedded]" in (available() or "")


@forks
async def test_a_forked_worker_gets_ready_at_its_address(spawn, tmp_path):
    process = await spawn()
    said = await ready(process)
    assert said["pid"] == process.pid
    assert said["address"] == f"unix:{tmp_path}/0.sock"


@forks
async def test_a_worker_opens_its_file(spawner, tmp_path):
    file = tmp_path / "missing.blend"
    process = await spawner.spawn(start(tmp_path, file=file))
    assert await process.wait() == 2
    assert b"missing.blend" in await process.output.receive_some()
    await process.aclose()


@forks
async def test_workers_that_start_at_once_share_one_zygote(spawner, spawn):
    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(spawn)
    assert len(spawner.pids) == 1


@forks
async def test_one_that_has_died_is_replaced_before_anybody_needs_it(spawner, monkeypatch):
    monkeypatch.setattr(zygote, "_SHORT_LIFE", 0.0)
    async with trio.open_nursery() as nursery:
        await nursery.start(spawner.run)
        await spawner.warm({})
        [before] = spawner.pids
        os.kill(before, signal.SIGKILL)
        await until(lambda: spawner.pids not in ([], [before]))
        nursery.cancel_scope.cancel()


@forks
async def test_a_zygote_can_be_had_ahead_of_need(spawner, spawn):
    await spawner.warm({})
    [before] = spawner.pids
    await spawn()
    assert spawner.pids == [before]


@forks
async def test_workers_with_other_variables_have_another_zygote(spawner, spawn, tmp_path):
    """Blender reads its variables when it is imported."""
    plain, other = await spawn(), await spawn(TMPDIR=str(tmp_path))
    await ready(other)
    assert len(spawner.pids) == 2
    assert psutil.Process(plain.pid).ppid() != psutil.Process(other.pid).ppid()
    assert [place for place in tmp_path.iterdir() if place.name.startswith("blender_")]


@forks
async def test_what_is_the_bridges_alone_is_not_passed_on(spawner, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_TOKEN", "secret")
    await spawner.warm({"KEPT": "1"})
    [pid] = spawner.pids
    variables = psutil.Process(pid).environ()
    assert "BPY_BRIDGE_TOKEN" not in variables
    assert variables["KEPT"] == "1"


@forks
async def test_the_status_of_a_killed_worker_is_known_to_everyone_who_waits(spawn):
    process = await spawn()
    found = []

    async def wait():
        found.append(await process.wait())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        os.kill(process.pid, signal.SIGKILL)
    assert found == [-signal.SIGKILL] * 2
    assert not psutil.pid_exists(process.pid), "it was reaped"
    process.signal(signal.SIGTERM)


@forks
async def test_a_worker_ends_in_order_when_it_is_told(spawn):
    process = await spawn()
    await ready(process)
    process.signal(signal.SIGTERM)
    assert await process.wait() == 0


@forks
async def test_a_closed_worker_is_gone_also_where_closing_is_cancelled(spawn):
    process = await spawn()
    with trio.CancelScope() as scope:
        scope.cancel()
        await process.aclose()
    assert not psutil.pid_exists(process.pid)
    await process.aclose()


@forks
async def test_a_spawn_that_is_cancelled_while_it_forks_leaves_no_worker(spawner, tmp_path):
    await spawner.warm({})
    before = descendants()
    async with trio.open_nursery() as nursery:
        os.kill(spawner.pids[0], signal.SIGSTOP)
        nursery.start_soon(spawner.spawn, start(tmp_path))
        await trio.testing.wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
        os.kill(spawner.pids[0], signal.SIGCONT)
    assert descendants() == before


@forks
async def test_a_cancelled_first_spawn_leaves_no_zygote(spawner, tmp_path):
    before = descendants()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(spawner.spawn, start(tmp_path))
        await trio.testing.wait_all_tasks_blocked(0.05)
        nursery.cancel_scope.cancel()
    assert descendants() == before


@forks
async def test_when_the_zygote_is_killed_its_workers_go_on_and_the_next_spawn_has_a_new_one(spawner, spawn):
    process = await spawn()
    await ready(process)
    [first] = spawner.pids
    os.kill(first, signal.SIGKILL)
    other = await spawn()
    assert spawner.pids != [first]
    assert psutil.Process(other.pid).ppid() == spawner.pids[0]
    assert not psutil.pid_exists(first), "it was reaped"
    assert psutil.Process(process.pid).is_running()


@forks
async def test_the_end_of_a_worker_is_seen_although_its_zygote_is_dead(spawner, spawn):
    process = await spawn()
    await ready(process)
    os.kill(spawner.pids[0], signal.SIGKILL)
    process.signal(signal.SIGTERM)
    assert await process.wait() == UNKNOWN_STATUS


@forks
async def test_a_stuck_zygote_is_replaced(spawner, spawn, monkeypatch):
    await spawner.warm({})
    [stuck] = spawner.pids
    os.kill(stuck, signal.SIGSTOP)
    monkeypatch.setattr(zygote, "_FORK_SECONDS", 1.0)
    with trio.fail_after(PATIENCE / 2):
        process = await spawn()
    assert spawner.pids != [stuck]
    assert not psutil.pid_exists(stuck)
    assert psutil.Process(process.pid).ppid() == spawner.pids[0]


@forks
async def test_a_zygote_that_is_killed_before_it_has_forked_is_replaced_at_once(spawner, spawn, monkeypatch):
    monkeypatch.setattr(zygote, "_FORK_SECONDS", PATIENCE)
    await spawner.warm({})
    [first] = spawner.pids
    os.kill(first, signal.SIGSTOP)
    with trio.fail_after(PATIENCE / 2):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(spawn)
            await trio.testing.wait_all_tasks_blocked()
            os.kill(first, signal.SIGKILL)
    assert spawner.pids != [first]


@forks
async def test_why_no_zygote_could_be_started_is_told(spawner, tmp_path):
    (tmp_path / "bpy.py").write_text("raise ImportError('no libEGL')\n")
    with pytest.raises(OSError, match="could not start: no libEGL"):
        await spawner.spawn(start(tmp_path, env={"PYTHONPATH": str(tmp_path)}))
    assert not spawner.pids


@forks
async def test_the_last_words_of_a_zygote_that_died_are_told(spawner, tmp_path):
    (tmp_path / "bpy.py").write_text("import os; os.write(2, b'Segmentation fault'); os._exit(11)\n")
    with pytest.raises(OSError, match="Segmentation fault"):
        await spawner.spawn(start(tmp_path, env={"PYTHONPATH": str(tmp_path)}))


@forks
async def test_nothing_is_left_open(spawner, spawn):
    before = psutil.Process().num_fds()
    process = await spawn()
    await process.aclose()
    await spawner.aclose()
    assert psutil.Process().num_fds() == before
