"""A name is one process, however many start it at once; a start that fails frees it and says why."""

from __future__ import annotations

import os

import pytest
import trio

from bridge.config import WorkerSettings
from bridge.errors import NoBlender
from bridge.supervisor.fresh import FreshSpawner
from bridge.supervisor.worker import Worker
from tests.bridge.line import until

from .standin import GOOD, READY, STAY, gate, make, running


async def start_together(worker: Worker, count: int) -> list[str]:
    """Start it that many times at the same moment; the errors."""
    errors = []

    async def start() -> None:
        try:
            await worker.start()
        except OSError as error:
            errors.append(str(error))

    async with trio.open_nursery() as nursery:
        for _ in range(count):
            nursery.start_soon(start)
    return errors


async def test_50_concurrent_starts_of_one_name_are_one_process(tmp_path):
    count = f'open({str(tmp_path / "starts")!r}, "a").write("x")\n'
    async with running(make(tmp_path, count + GOOD, on_demand=True)) as worker:
        assert await start_together(worker, 50) == []
        assert worker.state.phase == "ready"
        await worker.start()
    assert (tmp_path / "starts").read_text() == "x"


async def test_the_slot_is_reserved_before_anything_else_happens(tmp_path):
    worker = make(tmp_path, GOOD, on_demand=True)
    first = worker.reserve()
    assert worker.state.phase == "reserved"
    assert worker.reserve() is first


async def test_who_gives_up_waiting_does_not_stop_the_start(tmp_path):
    async with running(make(tmp_path, gate(tmp_path / "go") + GOOD, on_demand=True)) as worker:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.start)
            await until(lambda: worker.state.phase == "spawning")
            nursery.cancel_scope.cancel()
        (tmp_path / "go").touch()
        await worker.start()


async def test_without_an_executable_all_who_asked_are_told_and_the_slot_is_free(tmp_path):
    def find() -> list[str]:
        if not (tmp_path / "installed").exists():
            raise NoBlender("there is no Blender to start")
        return ["/no/such/blender"]

    settings = WorkerSettings(on_demand=True, max_restarts=0)
    worker = Worker("w", FreshSpawner(find), settings, socket_path=tmp_path / "w.sock")
    async with running(worker):
        errors = await start_together(worker, 20)
        assert errors == ["it could not be started: there is no Blender to start"] * 20
        assert worker.state.phase == "failed"
        (tmp_path / "installed").touch()
        with pytest.raises(OSError, match="No such file or directory: '/no/such/blender'"):
            await worker.start()


async def test_a_process_that_ends_at_once_says_why(tmp_path):
    async with running(make(tmp_path, 'say("no such library\\n"); sys.exit(3)', max_restarts=0)) as worker:
        with pytest.raises(OSError, match="it ended while it was spawning, with status 3: no such library"):
            await worker.start()
        with pytest.raises(OSError, match=r"its worker is failed: .*no such library"):
            await worker.open_stream()


async def test_started_while_it_is_being_stopped_it_is_started_when_it_is_gone(tmp_path):
    slow = "signal.signal(signal.SIGTERM, lambda *_: None)\n" + READY
    slow += f"signal.pause()\n{gate(tmp_path / 'go')}"
    async with running(make(tmp_path, slow)) as worker:
        await worker.start()
        first = worker.state.pid
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.stop)
            await until(lambda: worker.state.phase == "ending")
            nursery.start_soon(worker.start)
            await until(lambda: worker._wanted)
            (tmp_path / "go").touch()
        assert worker.state.phase == "ready"
        assert worker.state.pid not in (None, first)
        with trio.fail_after(30):
            await worker.restart()


async def test_stopped_it_stays_so_until_it_is_started(tmp_path):
    async with running(make(tmp_path, GOOD)) as worker:
        await worker.start()
        first = worker.state.pid
        await worker.stop()
        assert (worker.state.phase, worker.state.pid, worker.state.last_error) == ("stopped", None, None)
        with pytest.raises(OSError, match="its worker is stopped"):
            await worker.open_stream()
        assert worker.state.phase == "stopped"
        await worker.start()
        assert worker.state.pid != first


async def test_stopped_on_its_way_those_who_wait_for_it_are_told(tmp_path):
    async with running(make(tmp_path, STAY, on_demand=True)) as worker:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(expect_stopped, worker)
            await until(lambda: worker.state.phase == "spawning" and worker.state.pid)
            await worker.stop()
        assert worker.state.phase == "stopped"


async def expect_stopped(worker: Worker) -> None:
    with pytest.raises(OSError, match="it was stopped by hand"):
        await worker.start()


async def test_restarted_it_is_another_process_and_no_failure(tmp_path):
    async with running(make(tmp_path, GOOD, max_restarts=0)) as worker:
        await worker.start()
        first = worker.state.pid
        await worker.restart()
        assert worker.state.pid not in (None, first)
        assert (worker.state.restarts, worker.state.last_error) == (0, None)
        await worker.stop()
        await worker.restart()
        assert worker.state.phase == "ready"


async def test_on_demand_the_first_request_starts_it(tmp_path):
    async with running(make(tmp_path, GOOD, on_demand=True)) as worker:
        assert worker.state.phase == "asleep"
        (await worker.open_stream()).close()
        assert worker.state.phase == "ready"


async def test_whoever_connects_while_it_starts_is_told_why_it_fails(tmp_path):
    async with running(make(tmp_path, "say('no luck\\n'); sys.exit(3)", on_demand=True, max_restarts=0)) as worker:
        with pytest.raises(OSError, match="no luck"):
            await worker.open_stream()


async def test_its_file_its_variables_and_no_secret_are_handed_over(tmp_path, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_TOKEN", "secret")
    file = tmp_path / "scene.blend"
    file.touch()
    tell = 'say(" ".join(sys.argv) + os.environ["MINE"] + os.environ.get("BPY_BRIDGE_TOKEN", "-none") + "\\n")\n'
    async with running(make(tmp_path, tell + GOOD, file=file, env={"MINE": "-mine"})) as worker:
        await worker.start()
        assert worker.state.output[-1].endswith(f"--file {file}-mine-none")


async def test_the_bridge_s_end_is_told_to_those_who_wait(tmp_path):
    worker = make(tmp_path, STAY)
    errors = []
    async with running(worker):
        await until(lambda: worker.state.pid)
        attempt = worker.reserve()
    with pytest.raises(OSError, match="ending"):
        await attempt.result()
    assert errors == []
    assert not os.path.exists(tmp_path / "w.sock")
