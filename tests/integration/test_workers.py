"""Blenders that the bridge starts, as users see them: controlled, killed, frozen, left behind."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time

import psutil
import pytest

from bridge.client import Client
from bridge.errors import BlenderLost, BlenderUnavailable, RequestError

from .serving import PATIENCE, children, environment, until

pytestmark = pytest.mark.blender

ENDLESS = """
import bpy
cycles = bpy.context.scene.cycles
cycles.use_adaptive_sampling = cycles.use_denoising = False
"""
RENDER = {"width": 1280, "height": 720, "engine": "cycles", "samples": 65_536}
KILLS = 10
CLIENTS = 4


def worker(client: Client, name: str = "default") -> dict:
    [found] = client.call("bridge.workers", {"name": name}).value
    return found


def ready(client: Client, name: str = "default"):
    """The worker, if it is ready."""
    now = worker(client, name)
    return now if now["phase"] == "ready" else None


def config(tmp_path, text: str) -> list[str]:
    file = tmp_path / "config.toml"
    file.write_text(text)
    return ["--config", str(file)]


def rendering(served):
    """A render that nobody waits out, under way; the thread that asked for it."""

    def run() -> None:
        with served.client() as client, pytest.raises(RequestError):
            client.call("render.still", RENDER)

    with served.client() as client:
        client.call("code.execute", {"code": ENDLESS})
        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: pong(client)["busy"])
    return thread


def pong(client: Client) -> dict:
    """What Blender says of itself, measured at the latest ping."""
    return client.status()["instances"][0]["health"]["blender"] or {"busy": False}


def test_its_phases_process_and_kind_are_in_the_status(start):
    with start().client() as client:
        now = until(lambda: ready(client))
        assert (now["kind"], now["restarts"], now["last_error"]) == ("fresh", 0, None)
        assert client.status()["instances"][0]["worker"]["pid"] == now["pid"]


def test_it_is_stopped_and_started_and_restarted_by_hand(start):
    with start().client() as client:
        first = until(lambda: ready(client))["pid"]
        assert client.call("bridge.worker_stop", {"name": "default"}).value[0]["phase"] == "stopped"
        assert not psutil.pid_exists(first)
        second = client.call("bridge.worker_start", {"name": "default"}).value[0]["pid"]
        boot = client.call("scene.summary").boot
        third = client.call("bridge.worker_restart", {"name": "default"}).value[0]["pid"]
        assert len({first, second, third}) == 3
        assert client.call("scene.summary").boot != boot


def test_one_of_a_new_name_is_started_by_hand(start):
    served = start()
    command = [sys.executable, "-m", "bridge", "worker", "start", "second", "--json"]
    said = subprocess.run(command, env=environment(served.home), capture_output=True, text=True, check=True)
    assert json.loads(said.stdout)[0]["phase"] == "ready"
    with served.client() as client:
        assert client.call("scene.summary", instance="second").value["object_count"] == 3
        with pytest.raises(RequestError, match="no worker 'secnod'"):
            client.call("bridge.worker_stop", {"name": "secnod"})
        with pytest.raises(RequestError, match="there can be no worker"):
            client.call("bridge.worker_start", {"name": "../elsewhere"})


def test_while_it_loads_nobody_calls_that_a_failure(start):
    served = start()
    with served.client() as client:
        until(lambda: ready(client))
    assert "health check failed" not in served.log
    assert "unreachable" not in served.log


def test_when_the_bridge_is_killed_during_a_render_no_process_is_left(start):
    served = start()
    thread = rendering(served)
    left = children(served.process.pid)
    assert left
    served.end(signal.SIGKILL)
    assert psutil.wait_procs(left, PATIENCE)[1] == []
    thread.join(PATIENCE)


def test_when_the_bridge_is_killed_while_blender_loads_no_process_is_left(start):
    served = start()
    left = until(lambda: children(served.process.pid))
    served.end(signal.SIGKILL)
    assert psutil.wait_procs(left, PATIENCE)[1] == []


def test_a_frozen_one_is_replaced_and_its_late_answers_are_ignored(start, tmp_path):
    served = start(*config(tmp_path, "[workers.default]\nping_interval = 0.2\nhung_after = 1.0\n"))
    with served.client() as client:
        first = until(lambda: ready(client))["pid"]
        client.call("object.create", {"type": "empty", "name": "Mine"})
        os.kill(first, signal.SIGSTOP)
        with pytest.raises((BlenderLost, BlenderUnavailable)):
            client.call("scene.summary", timeout=PATIENCE)
        until(lambda: (now := ready(client)) and now["pid"] != first)
        assert not psutil.pid_exists(first)
        assert client.call("scene.summary", timeout=PATIENCE).value["object_count"] == 3


def test_one_that_grows_too_large_is_replaced_but_not_while_it_has_unsaved_changes(start, tmp_path):
    limits = '[workers.default]\nping_interval = 0.1\nmax_memory = "1MB"\n'
    served = start(*config(tmp_path, limits))
    with served.client() as client:
        first = until(lambda: ready(client))["pid"]
        second = until(lambda: (now := ready(client)) and now["pid"] != first and now["pid"])
        assert second


def test_idle_it_ends_and_the_next_request_starts_it(start, tmp_path):
    served = start(*config(tmp_path, "[workers.default]\nping_interval = 0.1\nidle_exit = 0.5\n"))
    with served.client() as client:
        client.call("object.create", {"type": "empty", "name": "Unsaved"})
        pid = worker(client)["pid"]
        until(lambda: "has unsaved changes" in served.log)
        assert worker(client)["pid"] == pid
        client.call("file.new")
        until(lambda: worker(client)["phase"] == "asleep")
        assert client.call("scene.summary", timeout=PATIENCE).value["object_count"] == 3


def test_a_render_that_was_cancelled_is_ended_with_its_process_where_that_is_allowed(start, tmp_path):
    served = start(*config(tmp_path, "[workers.default]\nhard_cancel = true\nhard_cancel_grace = 0.5\n"))
    with served.client() as client:
        first = until(lambda: ready(client))["pid"]
        client.call("code.execute", {"code": ENDLESS})
        with pytest.raises(RequestError) as caught:
            client.call("render.still", RENDER, timeout=1.0)
        assert caught.value.outcome == "unknown"
        until(lambda: (now := ready(client)) and now["pid"] != first)
        assert client.call("scene.summary", timeout=PATIENCE).value["object_count"] == 3
        assert worker(client)["restarts"] == 0


@pytest.mark.skipif(shutil.which("blender") is None, reason="needs an installed blender")
def test_an_installed_blender_is_started_watched_and_ended(start, tmp_path):
    served = start(*config(tmp_path, '[workers.default]\nblender = "blender"\n'))
    with served.client() as client:
        pid = until(lambda: ready(client))["pid"]
        assert client.call("scene.summary").value["object_count"] == 3
        assert any("Blender" in line for line in worker(client)["output"])
    assert "Blender" in (served.home / "logs" / "worker-default.log").read_text()
    assert served.end() == 0
    assert not psutil.pid_exists(pid)


def test_killed_again_and_again_under_load_it_is_back_soon_and_no_answer_is_wrong(start, tmp_path):
    served = start(*config(tmp_path, "[workers.default]\nmax_restarts = 100\n"))
    over = threading.Event()
    wrong: list[object] = []

    def load(number: int) -> None:
        with served.client() as client:
            while not over.is_set():
                try:
                    found = client.call("code.execute", {"code": f"result = {number}"}, timeout=PATIENCE).value
                except (BlenderLost, BlenderUnavailable):
                    continue
                if found["result"] != number:
                    wrong.append(found)

    threads = [threading.Thread(target=load, args=(number,)) for number in range(CLIENTS)]
    with served.client() as client:
        client.call("scene.summary", timeout=PATIENCE)
        for thread in threads:
            thread.start()
        recoveries = []
        for _ in range(KILLS):
            os.kill(until(lambda: ready(client))["pid"], signal.SIGKILL)
            recoveries.append(recovery(client))
        over.set()
        for thread in threads:
            thread.join(PATIENCE)
        alive = [child for child in children(served.process.pid) if child.status() != psutil.STATUS_ZOMBIE]
        assert len(alive) == 1
    assert wrong == []
    recoveries.sort()
    print(f"recovery: p50 {statistics.median(recoveries):.2f} s, p95 {recoveries[int(0.95 * KILLS)]:.2f} s")
    assert statistics.median(recoveries) < PATIENCE / 2


def recovery(client: Client) -> float:
    """Seconds until a request succeeds again."""
    began = time.perf_counter()
    boot = client.status()["instances"][0]["boot"]
    while True:
        try:
            if client.call("scene.summary", timeout=PATIENCE).boot != boot:
                return time.perf_counter() - began
        except (BlenderLost, BlenderUnavailable):
            continue
