"""How a worker ends: in order, by force, by itself, with all that it has started; and what comes then."""

from __future__ import annotations

import json
import os
import signal

import psutil
import pytest
import trio
import trio.testing

from bridge.events import WorkerEnded
from bridge.supervisor import life
from tests.bridge.line import until

from .standin import GOOD, READY, STAY, alive, make, running


async def test_killed_it_is_replaced_and_both_changes_are_told(tmp_path):
    changes, seen = [], []
    worker = make(tmp_path, GOOD, emit=seen.append)
    worker.on_change = lambda: changes.append(worker.state.phase)
    async with running(worker):
        await worker.start()
        first = worker.state.pid
        os.kill(first, signal.SIGKILL)
        await until(lambda: worker.state.pid not in (None, first) and worker.state.phase == "ready")
        assert changes == ["ready", "ending", "ready"]
        assert (worker.state.restarts, worker.state.last_error) == (1, None)
    assert next(event.status for event in seen if isinstance(event, WorkerEnded)) == "-9"


async def test_what_does_not_obey_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr(life, "END_TIMEOUT", 0.3)
    seen = []
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    async with running(make(tmp_path, deaf + GOOD, emit=seen.append)) as worker:
        await worker.start()
    assert seen[-1].status == "-9"


CHILD = """
import subprocess
deaf = "import signal; signal.signal(15, signal.SIG_IGN); print('deaf', flush=True); signal.pause()"
child = subprocess.Popen([sys.executable, "-c", deaf])
say(f"child {child.pid}\\n")
"""


@pytest.mark.parametrize("how", ["stopped", "crashed"])
async def test_what_it_has_started_ends_with_it(tmp_path, how):
    async with running(make(tmp_path, READY + CHILD + STAY, max_restarts=0)) as worker:
        await until(lambda: "deaf" in worker.state.output)
        [child] = [int(line.split()[1]) for line in worker.state.output if line.startswith("child")]
        if how == "stopped":
            await worker.stop()
        else:
            os.kill(worker.state.pid, signal.SIGKILL)
            await until(lambda: worker.state.phase == "failed")
        await until(lambda: not alive(child) or zombie(child))


def zombie(pid: int) -> bool:
    """It has ended; whoever adopted it has not looked yet."""
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0] == "Z"


async def test_there_is_no_zombie(tmp_path):
    seen = []
    async with running(make(tmp_path, "sys.exit(1)", max_restarts=2, emit=seen.append)) as worker:
        await until(lambda: worker.state.phase == "failed")
        ended = [event.pid for event in seen if isinstance(event, WorkerEnded)]
        assert len(ended) == 3
        assert not [pid for pid in ended if psutil.pid_exists(pid)]


async def test_a_talkative_one_ends_too(tmp_path):
    chatter = 'signal.signal(signal.SIGTERM, lambda *_: (say("x" * 1_000_000), os._exit(7)))\n'
    seen = []
    async with running(make(tmp_path, chatter + GOOD, emit=seen.append)) as worker:
        await worker.start()
    assert seen[-1].status == "7"


async def test_after_max_restarts_it_has_failed_with_its_last_words_and_costs_nothing(tmp_path):
    script = f'open({str(tmp_path / "starts")!r}, "a").write("x")\nsay("the reason\\n"); sys.exit(3)'
    async with running(make(tmp_path, script, max_restarts=2)) as worker:
        await until(lambda: worker.state.phase == "failed")
        assert (tmp_path / "starts").read_text() == "xxx"
        assert worker.state.restarts == 2
        assert "status 3: the reason" in worker.state.last_error
        assert worker.starting() is None, "that it cannot be reached is a failure"
        before = trio.lowlevel.current_statistics()
        await trio.testing.wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living == before.tasks_living
        assert (tmp_path / "starts").read_text() == "xxx"


async def test_failed_it_can_be_started_by_hand_with_a_new_budget(tmp_path):
    script = f"if not os.path.exists({str(tmp_path / 'mended')!r}): sys.exit(3)\n" + GOOD
    async with running(make(tmp_path, script, max_restarts=1)) as worker:
        await until(lambda: worker.state.phase == "failed")
        (tmp_path / "mended").touch()
        await worker.start()
        assert (worker.state.phase, worker.state.restarts, worker.state.last_error) == ("ready", 0, None)


async def test_the_count_of_restarts_survives_the_restart(tmp_path):
    async with running(make(tmp_path, READY + "sys.exit(1)", max_restarts=3)) as worker:
        await until(lambda: worker.state.phase == "failed")
        assert worker.state.restarts == 3


async def test_the_count_begins_anew_once_it_was_stable(tmp_path):
    once = f"again = os.path.exists({str(tmp_path / 'again')!r})\nopen({str(tmp_path / 'again')!r}, 'w')\n"
    once += "if not again: sys.exit(1)\n"
    async with running(make(tmp_path, once + GOOD, stable_after=0.5)) as worker:
        await until(lambda: worker.state.restarts == 1)
        await until(lambda: worker.state.phase == "ready" and worker.state.restarts == 0)


async def test_stopped_while_it_waits_for_its_next_start_it_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.supervisor.restarts.Restarts.next", lambda self, now, *, was_ready: 3600.0)
    async with running(make(tmp_path, "sys.exit(1)")) as worker:
        await until(lambda: worker.state.phase == "waiting")
        await worker.stop()
        assert worker.state.phase == "stopped"


async def test_started_by_hand_while_it_waits_it_does_not_wait(tmp_path, monkeypatch):
    monkeypatch.setattr("bridge.supervisor.restarts.Restarts.next", lambda self, now, *, was_ready: 3600.0)
    script = f"if not os.path.exists({str(tmp_path / 'mended')!r}): sys.exit(3)\n" + GOOD
    async with running(make(tmp_path, script)) as worker:
        await until(lambda: worker.state.phase == "waiting")
        (tmp_path / "mended").touch()
        await worker.start()


async def test_while_it_lives_its_process_is_on_record_for_whoever_cleans_up_after_a_killed_bridge(tmp_path):
    record = tmp_path / "w.json"
    async with running(make(tmp_path, GOOD)) as worker:
        await worker.start()
        assert json.loads(record.read_text())["pid"] == worker.state.pid
        await worker.stop()
        assert not record.exists()
