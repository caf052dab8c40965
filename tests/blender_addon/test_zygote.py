"""A real zygote as its own process: the workers that it forks, and every way in which one of both ends."""

from __future__ import annotations

import array
import contextlib
import importlib.util
import json
import os
import select
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from blender_addon import zygote
from blender_addon.wire.address import parse_address
from tests.blender_addon.serving import PATIENCE, Client

ROOT = Path(zygote.__file__).parents[1]
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT)}
COMMAND = [sys.executable, "-m", "blender_addon.zygote"]

needs_bpy = pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs the bpy wheel")

pytestmark = [
    pytest.mark.blender,
    pytest.mark.skipif(sys.platform != "linux", reason="workers are forked on Linux alone"),
]


class Zygote:
    """The process, and the other end of its standard input."""

    def __init__(self, environment=ENVIRONMENT):
        self.control, theirs = packets()
        with theirs:
            self.process = subprocess.Popen(COMMAND, stdin=theirs, env=environment)
        self.said = json.loads(self.control.recv(4096))

    def close(self):
        self.control.close()
        with self.process:
            self.process.kill()


class Forked:
    """A worker, and the ends of ours: its standard input, its output, and what the zygote reports of it."""

    def __init__(self, parent, *arguments):
        stdin, self.lifeline = os.pipe()
        output, stdout = os.pipe()
        self.report, theirs = packets()
        self.clients = []
        request = json.dumps({"arguments": arguments}).encode()
        socket.send_fds(parent.control, [request], [stdin, stdout, theirs.fileno()])
        os.close(stdin)
        os.close(stdout)
        theirs.close()
        packet, ancillary, _, _ = self.report.recvmsg(4096, socket.CMSG_SPACE(4))
        self.pid = json.loads(packet)["pid"]
        [self.pidfd] = array.array("i", ancillary[0][2])
        self.output = open(output, encoding="utf-8")  # noqa: SIM115
        self.lines = []

    def ready(self):
        """Its ready line; those before it are in `lines`."""
        for line in self.output:
            self.lines.append(line)
            if '"ready"' in line:
                return json.loads(line)
        raise AssertionError("".join(self.lines))

    def client(self):
        if not self.lines:
            self.ready()
        self.clients.append(Client(parse_address(json.loads(self.lines[-1])["address"])))
        return self.clients[-1]

    def run(self, code):
        body = self.client().call("1", "code.execute", {"code": code})
        assert "result" in body, body
        return body["result"]

    def ended(self):
        """Wait for its end."""
        readable, _, _ = select.select([self.pidfd], [], [], PATIENCE)
        assert readable

    def status(self):
        """Wait for what the zygote says of its end; None where it says nothing any more."""
        packet = self.report.recv(4096)
        return json.loads(packet)["status"] if packet else None

    def close(self):
        with contextlib.suppress(ProcessLookupError):
            signal.pidfd_send_signal(self.pidfd, signal.SIGKILL)
        for client in self.clients:
            client.close()
        self.report.close()
        self.output.close()
        os.close(self.pidfd)
        self.cut()

    def cut(self):
        """End its standard input."""
        if self.lifeline is not None:
            os.close(self.lifeline)
        self.lifeline = None


def packets():
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.settimeout(PATIENCE)
    return ours, theirs


@pytest.fixture(scope="module")
def shared():
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy wheel")
    started = Zygote()
    yield started
    started.close()


@pytest.fixture
def own():
    """A zygote of the test's own, to be killed."""
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy wheel")
    started = Zygote()
    yield started
    started.close()


@pytest.fixture
def fork(shared, tmp_path):
    """Fork a worker; arguments beside its address."""
    workers = []

    def fork(*arguments, parent=shared):
        workers.append(Forked(parent, "--listen", f"unix:{tmp_path}/{len(workers)}.sock", *arguments))
        return workers[-1]

    yield fork
    for worker in workers:
        worker.close()


RENDER = """
import bpy
scene = bpy.context.scene
scene.render.engine = "CYCLES"
scene.cycles.samples = 100_000
scene.cycles.use_denoising = False
bpy.ops.render.render()
"""


def test_it_says_when_it_can_fork(shared):
    assert shared.said["ready"] is True
    assert shared.said["pid"] == shared.process.pid
    assert shared.said["blender"].startswith(("4.", "5."))


def test_a_worker_says_its_phases_as_a_fresh_one_does(fork):
    worker = fork()
    assert worker.ready()["pid"] == worker.pid
    assert [json.loads(line).get("phase", "ready") for line in worker.lines] == ["importing", "listening", "ready"]


def test_a_worker_has_the_factory_scene(fork):
    names = fork().client().call("1", "scene.objects")
    assert {found["name"] for found in names["objects"]} == {"Cube", "Light", "Camera"}


def test_a_worker_opens_its_file(fork, tmp_path):
    path = str(tmp_path / "a.blend")
    fork().client().call("1", "file.save", {"path": path})
    assert fork("--file", path).client().ping()["file"] == path


def test_undo_works_in_a_worker_from_the_first_edit(fork):
    undo = "bpy.ops.mesh.primitive_cube_add(); bpy.ops.ed.undo_push(); bpy.ops.ed.undo(); result = 1"
    assert fork().run("import bpy; " + undo) == 1


def test_a_worker_is_interrupted_as_a_fresh_one_is(fork):
    body = fork().client().call("1", "code.execute", {"code": "import time; time.sleep(60)"}, deadline=0.1)
    assert body["code"] == "timeout"


def test_nothing_done_in_one_worker_shows_in_another(fork):
    first, second = fork(), fork()
    first.run("import bpy, sys; bpy.data.objects.remove(bpy.data.objects['Cube']); sys.shared = 1; result = 1")
    assert second.run("import bpy, sys; result = ['Cube' in bpy.data.objects, hasattr(sys, 'shared')]") == [True, False]
    assert fork().run("import bpy, sys; result = ['Cube' in bpy.data.objects, hasattr(sys, 'shared')]") == [True, False]


def test_each_worker_is_a_boot_of_its_own(fork):
    boots = set()
    for client in [fork().client() for _ in range(3)]:
        client.send("1", "scene.objects")
        boots.add(client.receive()[0].boot)
    assert len(boots - {None}) == 3


@pytest.mark.parametrize("chance", ["random.random()", "numpy.random.rand()", "mathutils.noise.random()"])
def test_chance_is_another_in_each_worker(fork, chance):
    found = {fork().run(f"import random, numpy, mathutils.noise; result = float({chance})") for _ in range(3)}
    assert len(found) == 3


def test_each_worker_has_temporary_files_of_its_own_and_leaves_none(fork):
    workers = [fork(), fork(), fork()]
    places = [Path(worker.run("import bpy; result = bpy.app.tempdir")) for worker in workers]
    assert len(set(places)) == 3
    workers[0].cut()
    os.kill(workers[1].pid, signal.SIGTERM)
    workers[0].ended()
    workers[1].ended()
    assert [place.exists() for place in places] == [False, False, True]


def test_images_that_threads_decode_are_read_in_a_worker(fork, tmp_path):
    """OpenEXR's threads were the zygote's: a worker that waited for them would wait for ever."""
    there = f"""
import bpy
image = bpy.data.images.new("i", 512, 512, float_buffer=True)
image.filepath_raw, image.file_format = {str(tmp_path / "i.exr")!r}, "OPEN_EXR"
image.save()
again = bpy.data.images.load(image.filepath_raw)
result = len(again.pixels[:])
"""
    assert fork().run(there) == 512 * 512 * 4


@pytest.mark.parametrize("engine", ["CYCLES", "BLENDER_WORKBENCH"])
def test_a_worker_renders(fork, tmp_path, engine):
    render = f"""
import bpy, os
scene = bpy.context.scene
scene.render.engine, scene.cycles.samples = {engine!r}, 1
scene.render.resolution_x = scene.render.resolution_y = 32
scene.render.filepath = {str(tmp_path / "r.png")!r}
bpy.ops.render.render(write_still=True)
result = os.path.getsize(scene.render.filepath) > 0
"""
    assert fork().run(render) is True


def test_a_worker_that_was_told_to_end_has_status_0(fork):
    worker = fork()
    worker.ready()
    os.kill(worker.pid, signal.SIGTERM)
    assert worker.status() == 0


def test_a_worker_that_cannot_start_says_why(fork, tmp_path):
    worker = fork("--file", str(tmp_path / "missing.blend"))
    assert worker.status() == 2
    assert "missing.blend" in worker.output.read()


def test_wrong_arguments_end_the_worker_and_not_the_zygote(fork):
    assert fork("--nonsense").status() == 2
    assert fork().ready()["ready"]


def test_a_killed_worker_is_reported_and_reaped(fork):
    worker = fork()
    worker.ready()
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.status() == -signal.SIGKILL
    assert not psutil.pid_exists(worker.pid)


def test_what_a_worker_has_started_ends_with_it(fork):
    worker = fork()
    code = "import subprocess; result = subprocess.Popen(['sleep', '600'], stdin=subprocess.DEVNULL).pid"
    started = psutil.Process(worker.run(code))
    assert os.getpgid(started.pid) == worker.pid
    os.kill(worker.pid, signal.SIGKILL)
    worker.status()
    gone, _ = psutil.wait_procs([started], PATIENCE)
    assert gone


def test_a_worker_ends_with_its_standard_input(fork):
    worker, other = fork(), fork()
    worker.ready()
    worker.cut()
    assert worker.status() == 0
    assert other.client().ping()["pid"] == other.pid


def test_a_worker_that_renders_ends_with_its_standard_input(fork):
    worker = fork()
    client, watcher = worker.client(), worker.client()
    client.send("1", "code.execute", {"code": RENDER})
    while not watcher.ping()["busy"]:
        pass
    worker.cut()
    assert worker.status() == 0


def test_a_worker_that_nobody_waits_for_is_killed(shared, tmp_path):
    stdin, lifeline = os.pipe()
    output, stdout = socket.socketpair()
    output.settimeout(PATIENCE)
    ours, theirs = packets()
    ours.close()
    request = json.dumps({"arguments": ["--listen", f"unix:{tmp_path}/w.sock"]}).encode()
    with theirs, stdout:
        socket.send_fds(shared.control, [request], [stdin, stdout.fileno(), theirs.fileno()])
    os.close(stdin)
    with output:
        while output.recv(4096):
            pass
    os.close(lifeline)


def test_workers_go_on_when_their_zygote_is_killed(fork, own):
    workers = [fork(parent=own), fork(parent=own)]
    for worker in workers:
        worker.ready()
    own.process.kill()
    own.process.wait()
    assert own.control.recv(1) == b"", "nobody else holds its end"
    for worker in workers:
        assert worker.status() is None
        assert worker.client().ping()["pid"] == worker.pid
        worker.cut()
        worker.ended()


def test_a_zygote_ends_with_its_standard_input_and_its_workers_go_on(fork, own):
    worker = fork(parent=own)
    worker.ready()
    own.control.close()
    assert own.process.wait(PATIENCE) == 0
    assert worker.client().ping()["pid"] == worker.pid


@needs_bpy
def test_a_zygote_leaves_no_temporary_files(tmp_path):
    zygote = Zygote({**ENVIRONMENT, "TMPDIR": str(tmp_path)})
    try:
        zygote.process.kill()
        zygote.process.wait()
        assert not list(tmp_path.iterdir())
    finally:
        zygote.close()


def test_a_python_without_blender_is_told(tmp_path):
    (tmp_path / "bpy.py").write_text("raise ImportError('no libEGL')\n")
    zygote = Zygote({**ENVIRONMENT, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"})
    try:
        assert "no libEGL" in zygote.said["error"]
        assert zygote.process.wait(PATIENCE) == 3
    finally:
        zygote.close()


def test_any_other_standard_input_is_refused():
    done = subprocess.run(
        COMMAND, stdin=subprocess.DEVNULL, env=ENVIRONMENT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "socket of packets" in done.stderr
