"""Processes that come and go: the bridge, its workers, a Blender of somebody else's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from bridge.client import Client
from bridge.errors import BlenderLost, BlenderUnavailable

from .serving import PATIENCE, children, environment, until

pytestmark = pytest.mark.blender


def test_a_blender_killed_mid_request_is_lost_and_replaced(start, tmp_path):
    served = start()
    with served.client() as client, served.client() as other:
        boot = client.call("scene.summary").boot
        worker = served.worker()
        errors = []

        def run() -> None:
            try:
                client.call("code.execute", {"code": f"open({str(tmp_path / 'runs')!r}, 'w')\nwhile True: pass"})
            except BlenderLost as error:
                errors.append(error)

        thread = threading.Thread(target=run)
        thread.start()
        until((tmp_path / "runs").exists)
        worker.kill()
        thread.join(PATIENCE)
        assert [(error.code, error.outcome) for error in errors] == [("blender_lost", "unknown")]
        assert errors[0].data["boot"] == boot
        answered = until(lambda: answer(other))
        assert answered.boot not in (None, boot)
        assert served.worker().pid != worker.pid


def answer(client: Client):
    """A request's result, or None while no Blender can be had."""
    try:
        return client.call("scene.summary", timeout=PATIENCE)
    except BlenderUnavailable:
        return None


def test_told_to_end_it_ends_in_order_and_leaves_nothing_behind(start):
    served = start()
    http = served.ready.pop("http")
    assert http.startswith("http://127.0.0.1:")
    doors = {"listen": [f"unix:{served.home / 'bridge.sock'}"], "mcp": f"unix:{served.home / 'mcp.sock'}"}
    assert served.ready == {"ready": True, **doors, "pid": served.process.pid}
    with served.client() as client:
        client.call("scene.summary")
    left = children(served.process.pid)
    assert left
    assert served.end(signal.SIGTERM) == 0
    # A token that clients were given, and the jobs, outlive every bridge.
    assert {path.name for path in served.home.iterdir()} == {"mcp.token", "jobs.sqlite"}
    assert psutil.wait_procs(left, PATIENCE)[1] == []
    assert served.process.stdout.read() == "", "standard output is for the ready line alone"


def test_a_worker_ends_when_the_bridge_is_killed(start):
    served = start()
    with served.client() as client:
        client.call("scene.summary")
    worker = served.worker()
    served.end(signal.SIGKILL)
    assert psutil.wait_procs([worker], PATIENCE)[1] == []


def test_a_busy_worker_ends_when_the_bridge_is_killed(start, tmp_path):
    served = start()
    with served.client() as client:
        code = f"open({str(tmp_path / 'runs')!r}, 'w')\nwhile True: pass"

        def run() -> None:
            with pytest.raises(BlenderLost):
                client.call("code.execute", {"code": code})

        thread = threading.Thread(target=run)
        thread.start()
        until((tmp_path / "runs").exists)
        worker = served.worker()
        served.end(signal.SIGKILL)
        assert psutil.wait_procs([worker], PATIENCE)[1] == []
        thread.join(PATIENCE)


def test_a_bridge_starts_after_one_that_was_killed(start):
    first = start()
    with first.client() as client:
        client.call("scene.summary")
    first.end(signal.SIGKILL)
    second = start()
    with second.client() as client:
        assert client.call("scene.summary").value["object_count"] == 3
    assert second.end() == 0


def test_two_workers_have_scenes_of_their_own(start):
    served = start("--worker", "one", "--worker", "two")
    with served.client() as client:
        client.call("object.create", {"type": "empty", "name": "Mine"}, instance="one")
        assert client.call("scene.summary", instance="one").value["object_count"] == 4
        assert client.call("scene.summary", instance="two").value["object_count"] == 3
        assert {instance["name"] for instance in client.status()["instances"]} == {"one", "two"}
        assert served.worker("one").pid != served.worker("two").pid
    assert served.end() == 0


def test_a_bridge_without_blender_says_so_and_connects_once_one_appears(start, tmp_path):
    address = f"unix:{tmp_path / 'late.sock'}"
    config = tmp_path / "config.toml"
    config.write_text(f'[instances.late]\naddress = "{address}"\n[pool]\nunavailable_timeout = 0.5\n')
    served = start("--config", str(config))
    with served.client() as client:
        with pytest.raises(BlenderUnavailable) as caught:
            client.call("scene.summary")
        assert caught.value.data["last_error"]
        command = [sys.executable, "-m", "blender_addon.headless", "--listen", address]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment(tmp_path / "home")
        ) as blender:
            assert next(line for line in blender.stdout if json.loads(line).get("ready"))
            assert until(lambda: answer(client)).value["scene"] == "Scene"
            blender.terminate()
    assert served.end() == 0
