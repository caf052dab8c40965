"""The phases of a start: said by the process, each with its own time-out, told in the state."""

from __future__ import annotations

import time

import pytest

from bridge.events import WorkerEnded, WorkerStarted
from tests.bridge.line import until

from .standin import LISTEN, SAY_READY, STAY, alive, gate, make, running


async def test_each_phase_is_said_by_the_process_and_seen(tmp_path):
    seen = []
    gates = [tmp_path / str(number) for number in range(3)]
    script = gate(gates[0]) + 'phase("importing")\n' + gate(gates[1]) + 'phase("listening")\n' + gate(gates[2])
    script += LISTEN.partition('phase("listening")\n')[2] + SAY_READY + STAY
    worker = make(tmp_path, script, emit=seen.append)
    before = time.time()
    async with running(worker):
        for phase, opens in zip(["spawning", "importing", "listening"], gates, strict=True):
            await until(lambda phase=phase: worker.state.phase == phase and worker.state.pid)
            assert before <= worker.state.since <= time.time()
            before = worker.state.since
            assert worker.starting() == f"its worker is {phase}"
            opens.touch()
        await worker.start()
        pid = worker.state.pid
        assert worker.state.phase == "ready"
        assert worker.starting() is None
        (await worker.open_stream()).close()
    assert not alive(pid)
    assert [type(event) for event in seen] == [WorkerStarted, WorkerEnded]
    assert seen[0].pid == seen[1].pid == pid


@pytest.mark.parametrize(
    ("phase", "setting", "script"),
    [
        ("spawning", "spawn_timeout", STAY),
        ("importing", "import_timeout", 'phase("importing")\n' + STAY),
        ("listening", "listen_timeout", LISTEN + STAY),
    ],
)
async def test_a_phase_that_takes_too_long_is_given_up(tmp_path, phase, setting, script):
    worker = make(tmp_path, 'say("so far\\n")\n' + script, max_restarts=0, **{setting: 1.0})
    async with running(worker):
        with pytest.raises(OSError, match=f"it was {phase} for longer than 1 s: so far"):
            await worker.start()
        assert worker.state.phase == "failed"


async def test_one_that_says_it_is_ready_and_listens_nowhere_has_failed_at_once(tmp_path):
    worker = make(tmp_path, 'phase("listening")\n' + SAY_READY + STAY, max_restarts=0)
    async with running(worker):
        with pytest.raises(OSError, match=r"it said that it is ready, and does not listen at .*/w\.sock"):
            await worker.start()


async def test_each_time_out_counts_from_its_own_phase_s_start(tmp_path):
    steps = 'time.sleep(0.7); phase("importing"); time.sleep(0.7); phase("listening"); time.sleep(0.7)\n'
    timeouts = dict.fromkeys(["spawn_timeout", "import_timeout", "listen_timeout"], 1.3)
    worker = make(tmp_path, steps + LISTEN + SAY_READY + STAY, max_restarts=0, **timeouts)
    async with running(worker):
        await worker.start()


async def test_to_ask_again_and_again_whether_it_is_ready_costs_no_restart(tmp_path):
    async with running(make(tmp_path, gate(tmp_path / "go") + LISTEN + SAY_READY + STAY, max_restarts=1)) as worker:
        for _ in range(100):
            with pytest.raises(OSError, match="its worker is"):
                await worker.open_stream()
        await until(lambda: worker.state.pid)
        (tmp_path / "go").touch()
        await worker.start()
        assert worker.state.restarts == 0


async def test_what_is_said_after_it_is_ready_changes_nothing(tmp_path):
    again = 'phase("importing"); say("{\\"phase\\": \\n{\\"phase\\": \\"dancing\\"}\\nend\\n")\n'
    async with running(make(tmp_path, LISTEN + SAY_READY + again + STAY)) as worker:
        await until(lambda: "end" in worker.state.output)
        assert worker.state.phase == "ready"


async def test_text_without_an_end_before_a_phase_hides_neither(tmp_path):
    async with running(make(tmp_path, 'say("Blender 3.4.1 ")\n' + LISTEN + SAY_READY + STAY)) as worker:
        await worker.start()
        assert list(worker.state.output) == ["Blender 3.4.1 "]
