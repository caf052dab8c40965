"""The local engine's processes: how one that does not come up or dies is told, and that none stays."""

from __future__ import annotations

import json
import os
import sys
from collections import deque

import psutil
import pytest
import trio
import trio.testing

from bridge.jobs.attempt import JobFailed
from bridge.jobs.engines import local
from bridge.memory import MemoryBudget
from bridge.supervisor.output import Output
from tests.bridge.supervisor.standin import BEGIN, LISTEN, READY, SAY_READY, STAY


@pytest.fixture
def engine(tmp_path, home):
    """engine(script, **env): it starts a Python that runs the script in Blender's place."""
    home.mkdir()

    def make(script: str, **env: str) -> local.LocalEngine:
        program = tmp_path / "blender"
        program.write_text(f"#!{sys.executable}\n{BEGIN}{script}")
        program.chmod(0o755)
        share = MemoryBudget(1 << 20).share(1 << 20)
        return local.LocalEngine(str(program), env, memory=share, max_payload=1 << 20)

    return make


async def test_one_that_ends_while_it_starts_is_an_error_with_what_it_said_last(engine, tmp_path):
    made = engine('phase("importing")\nsay("no such file\\nand so it ends")\nsys.exit(3)\n')
    with pytest.raises(JobFailed, match=r"ended while it started.*exit status 3") as caught:
        async with made.blender(None, tmp_path / "log") as blender:
            await blender.start()
    assert caught.value.code == "blender_died"
    assert not caught.value.final
    assert caught.value.data == {"status": 3, "output": ["no such file"]}
    assert (tmp_path / "log").read_text() == "no such file\n"


async def test_one_that_does_not_become_ready_is_an_error(engine, tmp_path, monkeypatch):
    monkeypatch.setattr(local, "_START_TIMEOUT", 0.3)
    monkeypatch.setattr(local, "_TO_DIE", 0.05)
    with pytest.raises(JobFailed, match=r"not ready within 0\.3 s"):
        async with engine(LISTEN + STAY).blender(None, tmp_path / "log") as blender:
            await blender.start()


async def test_one_that_dies_over_its_work_is_an_error_with_the_signal(engine, tmp_path):
    dies = 'taken, _ = listening.accept()\nsay("out of memory\\n")\nos.kill(os.getpid(), signal.SIGKILL)\n'
    with pytest.raises(JobFailed, match="killed by signal 9") as caught:
        async with engine(READY + dies).blender(None, tmp_path / "log") as blender:
            await blender.start()
    assert caught.value.data["output"] == ["out of memory"]


async def test_what_it_said_last_is_read_before_its_end_is_told(nursery):
    send, receive = trio.testing.memory_stream_one_way_pair()

    class Ended:
        output = receive

        async def wait(self) -> int:
            await trio.lowlevel.checkpoint()
            return 1

    lines: deque[str] = deque()
    running = local._Running(Output("x", lines, None), lines)
    nursery.start_soon(running.watch, Ended())
    await trio.testing.wait_all_tasks_blocked()
    await send.send_all(b"out of memory\n")
    await send.aclose()
    assert (await running.failure("it ended")).data == {"status": 1, "output": ["out of memory"]}


async def test_a_blender_that_there_is_not_is_an_error(tmp_path, home):
    share = MemoryBudget(1 << 20).share(1 << 20)
    engine = local.LocalEngine("/no/blender", {}, memory=share, max_payload=1 << 20)
    with pytest.raises(JobFailed, match="no Blender could be started") as caught:
        async with engine.blender(None, tmp_path / "log") as blender:
            await blender.start()
    assert caught.value.code == "no_blender"


async def test_it_gets_its_file_its_variables_and_a_log_of_what_it_prints(engine, tmp_path):
    tell = 'print(json.dumps([os.environ["OURS"], sys.argv[sys.argv.index("--file") + 1]]), flush=True)\n'
    with pytest.raises(JobFailed):
        async with engine(tell + "sys.exit(1)", OURS="é").blender(tmp_path / "a.blend", tmp_path / "log") as blender:
            await blender.start()
    assert json.loads((tmp_path / "log").read_text()) == ["é", str(tmp_path / "a.blend")]


@pytest.mark.parametrize("cancelled", [False, True])
async def test_at_the_end_it_and_what_it_has_started_are_gone(engine, tmp_path, home, cancelled):
    starts = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open({str(tmp_path / "pids.new")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(tmp_path / "pids.new")!r}, {str(tmp_path / "pids")!r})
"""
    pids = tmp_path / "pids"
    with trio.fail_after(60):
        with trio.CancelScope() as scope:
            async with engine(LISTEN + starts + SAY_READY + STAY).blender(None, tmp_path / "log") as blender:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(_started, blender)
                    while not pids.exists():
                        await trio.sleep(0.01)
                    if cancelled:
                        scope.cancel()
                        await trio.lowlevel.checkpoint()
                    nursery.cancel_scope.cancel()
    left = [psutil.Process(int(pid)) for pid in pids.read_text().split() if psutil.pid_exists(int(pid))]
    _, alive = psutil.wait_procs(left, 10)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert [name for name in os.listdir(home) if name.endswith(".sock")] == []


async def _started(blender) -> None:
    """It speaks no protocol: until it is ended, this waits for its hello."""
    await blender.start()
