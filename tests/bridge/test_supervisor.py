"""Worker processes, with a small script in Blender's place: started, watched, replaced, ended."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import asynccontextmanager

import pytest
import trio

from bridge import supervisor
from bridge.errors import NoBlender
from bridge.events import WorkerEnded, WorkerStarted
from bridge.supervisor import Worker, find_blender
from tests.bridge.line import until

BEGIN = """
import json, os, signal, socket, sys, threading
say = lambda text: os.write(1, text.encode())
address = sys.argv[sys.argv.index("--listen") + 1].removeprefix("unix:")
"""
READY = """
listening = socket.socket(socket.AF_UNIX)
listening.bind(address)
listening.listen()
say("starting\\n" + json.dumps({"ready": True, "address": address, "pid": os.getpid()}) + "\\n")
"""
STAY = "threading.Event().wait()\n"


@asynccontextmanager
async def running(tmp_path, script: str, **options):
    """A worker that runs the script, under way."""
    seen: list = []
    path = tmp_path / "w.sock"
    command = [sys.executable, "-c", BEGIN + script]
    worker = Worker("w", path, command=command, file=options.get("file"), emit=seen.append)
    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.run)
            yield worker, seen
            nursery.cancel_scope.cancel()
    assert not path.exists(), "no socket file stays behind"
    assert worker.state.pid is None


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_a_worker_becomes_ready_can_be_reached_and_ends_with_us(tmp_path):
    async with running(tmp_path, READY + STAY) as (worker, seen):
        with pytest.raises(OSError, match="its worker is"):
            await worker.open_stream()
        await until(lambda: worker.state.phase == "ready")
        pid = worker.state.pid
        (await worker.open_stream()).close()
        assert "starting" in worker.state.output
    assert not alive(pid)
    assert [type(event) for event in seen] == [WorkerStarted, WorkerEnded]
    assert seen[0].pid == seen[1].pid == pid


async def test_a_worker_that_was_killed_is_replaced_and_both_changes_are_told(tmp_path):
    changes = []
    async with running(tmp_path, READY + STAY) as (worker, seen):
        worker.on_change = lambda: changes.append(worker.state.phase)
        await until(lambda: worker.state.phase == "ready")
        first = worker.state.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: worker.state.pid not in (None, first) and worker.state.phase == "ready")
        assert changes == ["ready", "ended", "ready"]
        assert worker.state.restarts == 1
    assert next(event.status for event in seen if isinstance(event, WorkerEnded)) == "-9"


async def test_half_a_line_of_the_last_process_does_not_spoil_the_next_one_s(tmp_path):
    once = f"""
if not os.path.exists({str(tmp_path / "again")!r}):
    open({str(tmp_path / "again")!r}, "w").close()
    say("cut off within a li")
    sys.exit(1)
"""
    ready_first = READY.replace('"starting\\n" + ', "")
    assert ready_first != READY
    async with running(tmp_path, once + ready_first + STAY) as (worker, _):
        await until(lambda: worker.state.restarts == 1 and worker.state.phase == "ready")


async def test_a_worker_that_ends_at_once_says_why_and_is_tried_again(tmp_path):
    async with running(tmp_path, 'say("no such library\\n"); sys.exit(3)') as (worker, _):
        await until(lambda: worker.state.restarts >= 2)
        assert "no such library" in worker.state.last_error
        with pytest.raises(OSError, match="no such library"):
            await worker.open_stream()


async def test_a_command_that_is_not_there_is_tried_again(tmp_path):
    worker = Worker("w", tmp_path / "w.sock", command=["/no/such/blender"], file=None, emit=lambda event: None)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(worker.run)
        await until(lambda: worker.state.restarts >= 2)
        assert "/no/such/blender" in worker.state.last_error
        nursery.cancel_scope.cancel()


async def test_a_worker_that_is_never_ready_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "READY_TIMEOUT", 0.3)
    async with running(tmp_path, STAY) as (worker, _):
        await until(lambda: worker.state.restarts >= 1)
        assert worker.state.last_error == "it was not ready in time"


async def test_a_worker_that_does_not_obey_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(supervisor, "END_TIMEOUT", 0.3)
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    async with running(tmp_path, deaf + READY + STAY) as (worker, seen):
        await until(lambda: worker.state.phase == "ready")
        pid = worker.state.pid
    assert not alive(pid)
    assert seen[-1].status == "-9"


async def test_only_the_last_lines_and_their_beginnings_are_kept(tmp_path):
    chatter = 'say("x" * 5000 + "\\n" + "".join(f"line {i}\\n" for i in range(200)) + "rest")\n'
    async with running(tmp_path, READY + chatter + STAY) as (worker, _):
        await until(lambda: "line 199" in worker.state.output)
        assert len(worker.state.output) == 50


async def test_its_file_is_handed_over(tmp_path):
    file = tmp_path / "scene.blend"
    async with running(tmp_path, READY + 'say(" ".join(sys.argv) + "\\n")\n' + STAY, file=file) as (worker, _):
        await until(lambda: any(f"--file {file}" in line for line in worker.state.output))


def test_the_wheel_is_preferred(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert find_blender("bpy") == [sys.executable, "-m", "blender_addon.headless"]


def test_without_the_wheel_the_blender_on_path_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    blender = tmp_path / "blender"
    blender.write_text("#!/bin/sh\n")
    blender.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = find_blender("bpy")
    assert command[0] == str(blender)
    assert command[-1] == "--"
    assert os.path.isfile(command[-2])
    assert find_blender(str(blender))[0] == str(blender)


def test_without_any_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBlender, match="pip install"):
        find_blender("bpy")
