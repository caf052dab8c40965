"""A real Blender without a window, as its own process: start, readiness, interrupting, and every way to end."""

from __future__ import annotations

import importlib.util
import json
import os
import select
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from blender_addon import headless, wire
from blender_addon.wire.address import parse_address
from tests.blender_addon.serving import PATIENCE, Client

ROOT = Path(headless.__file__).parents[1]
MODULE = [sys.executable, "-m", "blender_addon.headless"]
SCRIPT = ["blender", "-b", "--python", headless.__file__, "--"]

has_wheel = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs the bpy wheel")
has_program = pytest.mark.skipif(shutil.which("blender") is None, reason="needs an installed blender")

pytestmark = [pytest.mark.blender, has_wheel]


class Worker:
    """A headless Blender and what it said when it was ready."""

    def __init__(self, address, *options, command=MODULE, **how):
        environment = {**os.environ, "PYTHONPATH": str(ROOT)} if command is MODULE else None
        arguments = [*command, "--listen", address, *options]
        pipe, nowhere = subprocess.PIPE, subprocess.DEVNULL
        self.process = subprocess.Popen(
            arguments, stdin=pipe, stdout=pipe, stderr=nowhere, text=True, env=environment, **how
        )
        # An installed Blender says its version first.
        lines = (line for line in self.process.stdout if '"ready"' in line)
        self.ready = json.loads(next(lines, "{}"))
        self.clients = []

    def client(self, **options):
        self.clients.append(Client(parse_address(self.ready["address"]), **options))
        return self.clients[-1]

    def wait(self):
        return self.process.wait(PATIENCE)

    def close(self):
        for client in self.clients:
            client.close()
        with self.process:
            self.process.kill()


@pytest.fixture
def start(tmp_path):
    workers = []

    def start(*options, address=None, **how):
        workers.append(Worker(address or f"unix:{tmp_path}/{len(workers)}.sock", *options, **how))
        return workers[-1]

    yield start
    for worker in workers:
        worker.close()


def run_until(client, watcher, request_id, code):
    """Send code, and return once it runs."""
    client.send(request_id, "code.execute", {"code": code})
    while not watcher.ping()["busy"]:
        pass


SLEEP = "import time; time.sleep(60)"


def test_it_says_when_it_is_ready_and_nothing_else_on_standard_output(start):
    worker = start()
    assert set(worker.ready) == {"ready", "address", "pid", "blender"}
    assert worker.ready["pid"] == worker.process.pid
    client = worker.client()
    client.call("1", "code.execute", {"code": "import os; os.write(1, b'noise'); print('more noise')"})
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert worker.process.stdout.read() == ""


def test_it_opens_the_factory_scene(start):
    names = start().client().call("1", "scene.objects")
    assert {found["name"] for found in names["objects"]} == {"Cube", "Light", "Camera"}


def test_the_file_that_is_open_is_told_by_ping(start, tmp_path):
    first = start().client()
    assert first.ping()["file"] == ""
    path = str(tmp_path / "a.blend")
    first.call("1", "file.save", {"path": path})
    assert first.ping()["file"] == path
    assert start("--file", path).client().ping()["file"] == path


def test_undo_works_from_the_first_edit(start):
    client = start().client()
    undo = "import bpy; bpy.ops.mesh.primitive_cube_add(); bpy.ops.ed.undo_push(); bpy.ops.ed.undo()"
    assert client.call("1", "code.execute", {"code": undo}).get("code") is None


def test_a_cancel_ends_a_sleep(start):
    worker = start()
    client, watcher = worker.client(), worker.client()
    run_until(client, watcher, "1", SLEEP)
    client.cancel("1")
    assert client.response()[1]["code"] == "cancelled"
    assert client.call("2", "code.execute", {"code": "result = 1"})["result"] == 1


def test_a_deadline_ends_a_sleep(start):
    body = start().client().call("1", "code.execute", {"code": SLEEP}, deadline=0.1)
    assert (body["code"], body["outcome"]) == ("timeout", "unknown")


def test_a_bare_except_does_not_keep_blender(start):
    stubborn = "import time\nfor _ in range(2):\n    try:\n        time.sleep(60)\n    except:\n        pass"
    worker = start()
    client, watcher = worker.client(), worker.client()
    run_until(client, watcher, "1", stubborn)
    client.cancel("1")
    assert client.response()[1]["code"] == "cancelled"


@pytest.mark.parametrize("code", ["raise SystemExit(3)", "import sys; sys.exit(1)", "raise KeyboardInterrupt"])
def test_no_command_ends_blender(start, code):
    client = start().client()
    assert client.call("1", "code.execute", {"code": code})["code"] == "execution_failed"
    assert client.call("2", "code.execute", {"code": "result = 1"})["result"] == 1


def test_ping_is_answered_while_it_renders(start):
    worker = start()
    client, watcher = worker.client(), worker.client()
    client.send("1", "render.still", {"width": 128, "height": 128, "engine": "cycles", "samples": 8})
    while (pong := watcher.ping())["running"] is None:
        pass
    assert pong["running"]["method"] == "render.still"
    client.sock.settimeout(PATIENCE)
    event, body = client.receive()
    while isinstance(event, wire.Event):
        assert 0 <= body["progress"] <= body["total"]
        event, body = client.receive()
    assert event.parts[1]["media_type"] == "image/png"


def test_a_killed_blender_ends_its_connections(start):
    worker = start()
    client, watcher = worker.client(), worker.client()
    run_until(client, watcher, "1", SLEEP)
    worker.process.kill()
    with pytest.raises((EOFError, ConnectionResetError)):
        client.response()


def test_sigterm_lets_the_command_finish_and_says_goodbye(start):
    worker = start()
    client, watcher = worker.client(), worker.client()
    wait = "import os, time\nwhile not os.path.exists(path): time.sleep(0.001)"
    gate = Path(worker.ready["address"].removeprefix("unix:") + ".gate")
    run_until(client, watcher, "1", f"path = {str(gate)!r}\n{wait}\nresult = 'finished'")
    worker.process.send_signal(signal.SIGTERM)
    assert isinstance(client.receive()[0], wire.Goodbye)
    gate.touch()
    assert client.response()[1]["result"] == "finished"
    assert worker.wait() == 0
    assert not os.path.exists(worker.ready["address"].removeprefix("unix:"))


def test_it_leaves_no_temporary_files(start):
    worker = start()
    asked = "import bpy, os; result = [bpy.app.tempdir, os.path.isdir(bpy.app.tempdir)]"
    place, there = worker.client().call("1", "code.execute", {"code": asked})["result"]
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
    assert (there, os.path.exists(place)) == (True, False)


@pytest.mark.parametrize("code", [SLEEP, "result = 1"], ids=["busy", "idle"])
def test_it_ends_with_its_parents_pipe(start, code):
    worker = start()
    client, watcher = worker.client(), worker.client()
    if code is SLEEP:
        run_until(client, watcher, "1", code)
    worker.process.stdin.close()
    assert worker.wait() == 0
    assert not os.path.exists(worker.ready["address"].removeprefix("unix:"))


PARENT = """
import subprocess, sys
child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
for line in child.stdout:
    sys.stdout.write(line.decode()); sys.stdout.flush()
    if b'"ready"' in line: break
sys.stdin.read()
"""


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="a process without a pipe to its parent is watched on Linux")
def test_it_ends_with_its_parent_though_there_is_no_pipe(start):
    worker = start(command=[sys.executable, "-c", PARENT, *MODULE], cwd=ROOT)
    watched = os.pidfd_open(worker.ready["pid"])
    worker.process.kill()
    assert select.select([watched], [], [], PATIENCE)[0]
    os.close(watched)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--listen", "tcp:127.0.0.1:0"], "needs a token"),
        (["--listen", "nowhere"], "write unix:/"),
        (["--listen", "unix:/no/such/directory/s"], "No such file"),
        (["--listen", "unix:{tmp}/s", "--file", "{tmp}/missing.blend"], "missing.blend"),
        (["--listen", "unix:{tmp}/s", "--token-file", "{tmp}/missing"], "missing"),
        ([], "--listen"),
    ],
)
def test_a_wrong_configuration_ends_with_2_and_says_why(tmp_path, options, why):
    command = [*MODULE, *(option.format(tmp=tmp_path) for option in options)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, cwd=ROOT, check=False)
    assert ended.returncode == 2
    assert why in ended.stderr


def test_tcp_with_a_token(start, tmp_path):
    (tmp_path / "token").write_text(" secret \n")
    worker = start("--token-file", str(tmp_path / "token"), address="tcp:127.0.0.1:0")
    client = worker.client(token="secret")
    assert client.call("1", "code.execute", {"code": "result = 1"})["result"] == 1


@has_program
def test_an_installed_blender_serves_too(start, tmp_path, monkeypatch):
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "user"))
    worker = start(command=SCRIPT)
    client, watcher = worker.client(), worker.client()
    run_until(client, watcher, "1", SLEEP)
    client.cancel("1")
    assert client.response()[1]["code"] == "cancelled"
    worker.process.send_signal(signal.SIGTERM)
    assert worker.wait() == 0
