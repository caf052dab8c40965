"""The bridge in the background, as users start and stop it: one per name, whatever happens at the same moment."""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psutil
import pytest

from bridge.client import Client
from tests.integration.home import NO_BLENDER, Home, lives
from tests.integration.serving import PATIENCE, children, until


def at_once(home: Home, count: int, *flags: str) -> list[dict[str, Any]]:
    with ThreadPoolExecutor(count) as threads:
        return [future.result() for future in [threads.submit(home.start, *flags) for _ in range(count)]]


def test_it_starts_is_found_is_shown_and_stops(home):
    first = home.start()
    assert (first["started"], first["listen"]) == (True, [f"unix:{home.path}/bridge.sock"])
    assert first["http"].startswith("http://127.0.0.1:")
    second = home.start("--worker", "never")
    assert second == {**first, "started": False}, "the one that runs, whatever flags are given"
    status = json.loads(home.run("status", "--json")[1])
    assert (status["pid"], status["http"]) == (first["pid"], first["http"])
    code, out, _ = home.run("stop")
    assert (code, f"is stopped: process {first['pid']}" in out) == (0, True)
    assert not lives(first["pid"])
    assert {path.name for path in home.path.iterdir()} <= {"logs", "jobs.sqlite", "mcp.token"}
    assert home.run("stop") == (0, "no bridge 'default' runs\n", "")


def test_it_has_left_the_terminal_and_the_directory_of_who_started_it(home):
    process = psutil.Process(home.start()["pid"])
    assert os.getsid(process.pid) == process.pid
    assert process.ppid() != os.getpid()
    assert process.cwd() == str(Path.home())
    assert process.terminal() is None
    assert os.readlink(f"/proc/{process.pid}/fd/0") == os.devnull
    assert os.readlink(f"/proc/{process.pid}/fd/1") == os.devnull
    assert os.readlink(f"/proc/{process.pid}/fd/2") == str(home.path / "logs" / "bridge.log")
    assert "\nUmask:\t0077\n" in Path(f"/proc/{process.pid}/status").read_text()


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=pytest.mark.soak)])
def test_20_starts_at_the_same_moment_make_one_bridge(home, rounds):
    for _ in range(rounds):
        answers = at_once(home, 20, *NO_BLENDER)
        assert [answer["started"] for answer in answers].count(True) == 1
        assert {answer["pid"] for answer in answers} == {process.pid for process in home.bridges()}
        assert len(home.bridges()) == 1
        assert home.run("stop")[0] == 0


@pytest.mark.blender
@pytest.mark.usefixtures("_bpy")
def test_20_starts_that_wait_for_blender_make_one_bridge_with_one_blender(home):
    answers = at_once(home, 20, "--wait", "--timeout", "60")
    assert [answer["started"] for answer in answers].count(True) == 1
    [bridge] = home.bridges()
    workers = bridge.children()
    assert len(workers) == 1
    with Client(answers[0]["listen"][0]) as client:
        assert client.call("scene.summary").value["object_count"] == 3
    assert home.run("stop")[0] == 0
    assert psutil.wait_procs(workers, PATIENCE)[1] == []


@pytest.mark.parametrize("rounds", [5, pytest.param(50, marks=pytest.mark.soak)])
def test_a_launcher_that_is_killed_changes_nothing(home, rounds):
    chance = random.Random(4)
    for _ in range(rounds):
        launcher = home.popen("start", *NO_BLENDER)
        with launcher, contextlib.suppress(subprocess.TimeoutExpired):
            launcher.wait(chance.uniform(0.0, 0.6))
            launcher.kill()
        answers = at_once(home, 3)
        [bridge] = home.bridges()
        assert {answer["pid"] for answer in answers} == {bridge.pid}
        assert home.run("stop")[0] == 0


def test_after_a_bridge_was_killed_the_next_starts_at_once_and_says_what_it_cleaned(home):
    first = home.start()
    os.kill(first["pid"], signal.SIGKILL)
    code, out, err = home.run("start", "--json", *NO_BLENDER)
    assert (code, json.loads(out)["started"]) == (0, True)
    assert f"removed the stale record {home.path}/bridge.json: bridge process {first['pid']} ended" in err
    assert home.record()["pid"] == json.loads(out)["pid"]


def test_status_after_a_bridge_was_killed_says_that_none_runs(home):
    os.kill(home.start()["pid"], signal.SIGKILL)
    code, _, err = home.run("status")
    assert (code, "no bridge" in err) == (6, True)


def test_stop_after_a_bridge_was_killed_cleans_up(home):
    first = home.start()
    os.kill(first["pid"], signal.SIGKILL)
    code, out, err = home.run("stop")
    assert (code, out) == (0, "no bridge 'default' runs\n")
    assert "removed the stale record" in err
    assert not (home.path / "bridge.json").exists()


@pytest.mark.parametrize("lie", ["this process", "garbage", "a running bridge's pid from before", "nothing"])
def test_a_record_that_lies_misleads_neither_start_nor_stop(home, lie):
    home.path.mkdir(mode=0o700)
    truth = {"pid": os.getpid(), "started": 1.0, "version": "1", "listen": [f"unix:{home.path}/bridge.sock"]}
    lies = {"this process": json.dumps(truth), "garbage": "{" * 1000, "nothing": ""}
    (home.path / "bridge.json").write_text(lies.get(lie, "{}"))
    started = home.start()
    assert started["started"] is True
    if "running" in lie:
        (home.path / "bridge.json").write_text(json.dumps({**home.record(), "started": 1.0}))
    else:
        (home.path / "bridge.json").write_text(lies[lie])
    assert home.run("stop")[0] == 0
    assert home.bridges() == []


def test_a_second_serve_is_exit_code_2_and_one_line_that_says_who_runs_and_how_to_stop_it(home):
    started = home.start()
    code, out, err = home.run("serve", *NO_BLENDER)
    assert (code, out) == (2, "")
    assert f"(process {started['pid']}): stop it with `bpy-bridge stop`" in err
    assert len(err.splitlines()) == 1


def test_bridges_of_other_names_run_beside_it_and_each_is_found_by_its_name(home):
    home.variables["BPY_BRIDGE_ADDRESS"] = f"unix:{home.path}/bridge.sock"
    first, studio = home.start(), home.start("--name", "studio", *NO_BLENDER)
    assert studio["listen"] == [f"unix:{home.path}/bridge-studio.sock"]
    assert json.loads(home.run("status", "--name", "studio", "--json")[1])["pid"] == studio["pid"]
    home.variables = {"BPY_BRIDGE_NAME": "studio"}
    assert json.loads(home.run("status", "--json")[1])["pid"] == studio["pid"]
    assert home.run("stop")[0] == 0
    home.variables = {}
    assert json.loads(home.run("status", "--json")[1])["pid"] == first["pid"]
    assert home.run("stop")[0] == 0


def test_restart_keeps_the_flags_and_the_directory_that_they_were_given_in(home):
    (home.path.parent / "here.toml").write_text("drain_timeout = 7.0\n")
    first = home.start("--instance", "one=unix:/one", "--config", "here.toml", "--listen", "unix:rel.sock")
    home.cwd = Path("/")
    code, out, err = home.run("restart", "--json")
    assert code == 0, err
    second = json.loads(out)
    assert (second["started"], second["listen"]) == (True, first["listen"])
    assert second["pid"] != first["pid"]
    assert [instance["name"] for instance in status(second)["instances"]] == ["one"]
    assert not lives(first["pid"])


def status(started):
    with Client(started["listen"][0]) as client:
        return client.status()


def test_a_start_while_another_ends_waits_and_starts_anew(home, blender):
    first = home.start("--instance", f"default=unix:{blender.path}")
    with Client(first["listen"][0]) as client, ThreadPoolExecutor(2) as threads:
        running = threads.submit(client.call, "test.wait", {"name": "running"})
        until(lambda: blender.ran)
        stopping = threads.submit(home.run, "stop")
        until(lambda: not (home.path / "bridge.sock").exists())
        with home.popen("start", "--json", *NO_BLENDER) as second:
            assert home.bridges() == [psutil.Process(first["pid"])]
            blender.gates["running"].set()
            assert running.result(PATIENCE).value == {"waited": "running"}
            assert stopping.result(PATIENCE)[0] == 0
            answer = json.loads(second.communicate(timeout=PATIENCE)[0])
    assert answer["started"] is True
    assert answer["pid"] != first["pid"]


def test_what_does_not_end_in_time_is_left_and_by_force_it_is_killed(home, blender):
    first = home.start("--instance", f"default=unix:{blender.path}")
    with Client(first["listen"][0]) as client, ThreadPoolExecutor(1) as threads:
        running = threads.submit(client.call, "test.wait", {"name": "running"})
        until(lambda: blender.ran)
        code, _, err = home.run("stop", "--timeout", "0.2")
        assert (code, "--force kills it" in err) == (5, True)
        assert lives(first["pid"])
        code, out, _ = home.run("stop", "--timeout", "0.2", "--force", "--json")
        assert (code, json.loads(out)["killed"]) == (0, True)
        assert not lives(first["pid"])
        blender.gates["running"].set()
        assert running.exception(PATIENCE) is not None


@pytest.mark.blender
@pytest.mark.usefixtures("_bpy")
def test_killed_by_force_it_takes_its_blenders_with_it(home):
    first = home.start("--wait", "--timeout", "60")
    workers = children(first["pid"])
    assert workers
    os.kill(first["pid"], signal.SIGSTOP)
    assert home.run("stop", "--timeout", "0.1", "--force")[0] == 0
    assert not any(worker.is_running() for worker in workers)


def test_it_does_not_import_what_lies_where_it_is_started(home):
    (home.path.parent / "trio.py").write_text("raise RuntimeError('not ours')\n")
    assert home.start()["started"] is True
