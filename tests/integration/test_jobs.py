"""Jobs with real renders: done once, whatever is killed meanwhile, and the artist's Blender is free."""

from __future__ import annotations

import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import psutil
import pytest

from bridge.client import Client
from bridge.errors import Refused

from .serving import PATIENCE, Served, children, environment, until

pytestmark = pytest.mark.blender

SMALL = {"engine": "workbench", "width": 160, "height": 90}
# Slow enough to be killed in the middle of.
FRAMES = {"engine": "workbench", "width": 320, "height": 180, "start": 1, "end": 24}
SETTINGS = {"BPY_BRIDGE_JOBS__BACKOFF": "0.1", "BPY_BRIDGE_JOBS__DRAIN_TIMEOUT": "0.1"}


def submit(client: Client, kind: str, **params: Any) -> str:
    job: dict[str, Any] = client.call("jobs.submit", {"kind": kind, "params": params}).value
    assert job["created"]
    return str(job["id"])


def ended(client: Client, job: str) -> dict[str, Any]:
    whole: dict[str, Any] = client.call("jobs.wait", {"id": job}, timeout=2 * PATIENCE).value
    return whole


def state(client: Client, job: str) -> dict[str, Any]:
    whole: dict[str, Any] = client.call("jobs.get", {"id": job}).value
    return whole


class Files:
    """A job's directory."""

    def __init__(self, served: Served, job: str) -> None:
        self.directory = served.home / "jobs" / job
        self.outputs = self.directory / "outputs"

    def frame(self, number: int) -> Path:
        return self.outputs / f"frame_{number:05}.png"

    def saved(self) -> Counter[int]:
        """How often Blender has written each frame, by its own account."""
        return Counter(map(int, re.findall(r"Saved: '.*frame_(\d+)", (self.directory / "output.log").read_text())))


def blender_of(served: Served) -> psutil.Process:
    """The Blender that works on a job."""
    [found] = [child for child in children(served.process.pid) if "worker-job-" in " ".join(child.cmdline())]
    return found


def states_of(frames: list[Path]) -> list[tuple[int, int]]:
    return [(stat.st_ino, stat.st_mtime_ns) for stat in (path.stat() for path in frames)]


def test_every_kind_of_job_is_done(start, tmp_path):
    served = start(settings=SETTINGS)
    (tmp_path / "script.py").write_text(
        "import os\nprint('hello')\nprogress(1, 2)\n"
        "open(os.path.join(args['outputs'], 'x.txt'), 'w').write(args['text'])\nresult = len(bpy.data.objects)\n"
    )
    with served.client() as client:
        client.call("object.create", {"type": "cube"})
        jobs = {
            "still.png": submit(client, "render.still", **SMALL, threads=1),
            "frame_00003.png": submit(client, "render.animation", **SMALL, start=1, end=3),
            "export.glb": submit(client, "export", format="glb"),
            "x.txt": submit(client, "code", script=str(tmp_path / "script.py"), args={"text": "é"}),
        }
        # What is done to the scene now does not matter any more.
        client.call("file.new", {"empty": True})
        for name, job in jobs.items():
            whole = ended(client, job)
            assert whole["state"] == "completed", whole["error"]
            assert name in [file["name"] for file in whole["result"]["files"]]
            files = Files(served, job)
            assert sorted(path.name for path in files.directory.iterdir()) == ["manifest.json", "output.log", "outputs"]
            manifest = json.loads((files.directory / "manifest.json").read_text())
            for file in manifest["files"]:
                assert (files.outputs / file["name"]).stat().st_size == file["bytes"] > 0
        assert state(client, jobs["export.glb"])["result"]["objects"] == 4
        code = state(client, jobs["x.txt"])["result"]
        assert (code["result"], code["stdout"]) == (3, "hello\n"), "the factory scene"
        progress = state(client, jobs["frame_00003.png"])["progress"]
        assert (progress["done"], progress["total"]) == (3, 3)


def test_an_animation_whose_blender_is_killed_ends_complete_with_each_frame_rendered_once(start):
    served = start(settings=SETTINGS)
    with served.client() as client:
        job = submit(client, "render.animation", **FRAMES)
        files = Files(served, job)
        until(files.frame(10).exists)
        first = [files.frame(number) for number in range(1, 11)]
        before = states_of(first)
        blender_of(served).kill()
        whole = ended(client, job)
    assert (whole["state"], whole["errors"], whole["rescues"]) == ("completed", 1, 0)
    assert whole["result"]["frames"] == 24
    assert [path.name for path in sorted(files.outputs.iterdir())] == [f"frame_{n:05}.png" for n in range(1, 25)]
    assert states_of(first) == before, "what was finished was left alone"
    saved = files.saved()
    assert set(saved) == set(range(1, 25))
    assert saved.total() - 24 <= 1, "only the interrupted one may have been rendered twice"


def test_an_animation_whose_bridge_is_killed_goes_on_with_the_next_bridge(start):
    served = start(settings=SETTINGS)
    with served.client() as client:
        job = submit(client, "render.animation", **FRAMES)
    files = Files(served, job)
    until(files.frame(5).exists)
    left = children(served.process.pid)
    served.end(signal.SIGKILL)
    _, alive = psutil.wait_procs(left, PATIENCE)
    assert not alive, "the job's Blender ends with its bridge"
    finished = sorted(files.outputs.iterdir())
    before = states_of(finished)
    again = start(settings=SETTINGS, home=served.home)
    with again.client() as client:
        whole = ended(client, job)
    assert (whole["state"], whole["errors"], whole["rescues"]) == ("completed", 0, 1)
    assert [path.name for path in sorted(files.outputs.iterdir())] == [f"frame_{n:05}.png" for n in range(1, 25)]
    assert states_of(finished) == before
    assert not (files.directory / "scene.blend").exists()


def test_a_bridge_that_ends_in_order_gives_its_job_back_at_no_cost(start):
    served = start(settings=SETTINGS)
    with served.client() as client:
        job = submit(client, "render.animation", **FRAMES)
    files = Files(served, job)
    until(files.frame(3).exists)
    assert served.end() == 0
    again = start(settings=SETTINGS, home=served.home)
    with again.client() as client:
        whole = ended(client, job)
    assert (whole["state"], whole["errors"], whole["rescues"]) == ("completed", 0, 0)
    assert whole["fence"] == 2
    assert files.saved().total() - 24 <= 3, "what was finished was left alone"


def test_a_cancel_kills_its_blender(start, tmp_path):
    (tmp_path / "script.py").write_text("import time\ntime.sleep(3600)")
    served = start(settings=SETTINGS)
    with served.client() as client:
        job = submit(client, "code", script=str(tmp_path / "script.py"))
        until(lambda: state(client, job)["phase"] == "running")
        blender = blender_of(served)
        client.call("jobs.cancel", {"id": job})
        assert ended(client, job)["state"] == "cancelled"
        psutil.wait_procs([blender], PATIENCE)
        assert not blender.is_running()
        assert [child.name() for child in children(served.process.pid) if "worker-job-" in str(child.cmdline())] == []


def test_a_blender_that_dies_is_an_error_with_its_last_words(start, tmp_path):
    (tmp_path / "script.py").write_text("import os\nos.write(2, b'last words\\n')\nos.kill(os.getpid(), 9)")
    served = start(settings=SETTINGS)
    with served.client() as client:
        job = client.call(
            "jobs.submit", {"kind": "code", "params": {"script": str(tmp_path / "script.py")}, "max_errors": 2}
        ).value["id"]
        whole = ended(client, job)
    assert (whole["state"], whole["errors"]) == ("failed", 2)
    assert whole["error"]["code"] == "blender_died"
    assert "killed by signal 9" in whole["error"]["message"]
    assert whole["error"]["data"]["output"][-1] == "last words"
    assert (served.home / "jobs" / job / "output.log").read_text().count("last words") == 2


def test_a_phase_that_takes_too_long_is_an_error(start, tmp_path):
    (tmp_path / "script.py").write_text("import time\ntime.sleep(3600)")
    served = start(settings=SETTINGS)
    with served.client() as client:
        params = {"script": str(tmp_path / "script.py"), "timeout": 1}
        job = client.call("jobs.submit", {"kind": "code", "params": params, "max_errors": 1}).value["id"]
        whole = ended(client, job)
    assert (whole["state"], whole["error"]["code"]) == ("failed", "phase_timeout")


def test_the_artist_s_blender_is_free_while_its_scene_is_rendered(start, tmp_path):
    served = start(settings=SETTINGS)
    command = [sys.executable, "-m", "blender_addon.headless", "--announce", "studio"]
    with subprocess.Popen(
        command, env=environment(served.home), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as studio:
        try:
            with served.client(instance="studio") as client:
                until(lambda: any(found["name"] == "studio" for found in client.status()["instances"]))
                client.call("object.create", {"type": "uv_sphere", "name": "Ball"})
                job = submit(client, "render.animation", **{**FRAMES, "end": 1000})
                until(lambda: state(client, job)["phase"] == "rendering")
                client.call("object.delete", {"names": ["Ball"]})
                assert "Ball" not in str(client.call("scene.objects").value)
                assert state(client, job)["state"] == "processing", "it was free meanwhile"
                copy = (served.home / "jobs" / job / "scene.blend").read_bytes()
                (tmp_path / "copy.blend").write_bytes(copy)
                client.call("jobs.cancel", {"id": job})
            with served.client(instance="default") as client:
                client.call("file.open", {"path": str(tmp_path / "copy.blend")})
                assert "Ball" in str(client.call("scene.objects").value), "the scene is that of the submit"
        finally:
            studio.kill()


def test_jobs_keep_to_the_safety_rules(start, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()
    (tmp_path / "script.py").write_text("")
    rules = {"BPY_BRIDGE_SAFETY__CODE": "false", "BPY_BRIDGE_SAFETY__WRITE_FOLDERS": str(allowed)}
    served = start(settings={**SETTINGS, **rules})
    with served.client() as client:
        with pytest.raises(Refused) as caught:
            submit(client, "code", script=str(tmp_path / "script.py"))
        assert caught.value.code == "forbidden"
        with pytest.raises(Refused, match=r"add .* to the folders"):
            submit(client, "render.still", **SMALL)
        client.call("file.save", {"path": str(allowed / "a.blend")})
        whole = ended(client, submit(client, "render.still", blend=str(allowed / "a.blend"), **SMALL))
        assert whole["state"] == "completed", whole["error"]
        assert client.call("jobs.stats").value["jobs"]["failed"] == 0


@pytest.mark.skipif(shutil.which("ffmpeg") is None, reason="needs ffmpeg (Debian: apt-get install ffmpeg)")
def test_an_animation_becomes_a_video(start):
    served = start(settings=SETTINGS)
    with served.client() as client:
        whole = ended(client, submit(client, "render.animation", **SMALL, start=1, end=5, video="mp4"))
    assert whole["state"] == "completed", whole["error"]
    assert whole["result"]["files"][0]["name"] == "animation.mp4"
    assert whole["result"]["file_count"] == 6


def test_the_command_line_submits_watches_and_tells_by_its_exit_code(start, tmp_path):
    served = start(settings=SETTINGS)

    def run(*words: str) -> tuple[int, str]:
        done = subprocess.run(
            [sys.executable, "-m", "bridge", "jobs", *words],
            env=environment(served.home), cwd=tmp_path, capture_output=True, text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        return done.returncode, done.stdout

    code, out = run("submit", "render.animation", "--json", json.dumps({**SMALL, "start": 1, "end": 4}))
    job = out.strip()
    assert (code, len(job)) == (0, 26)
    code, out = run("watch", job)
    assert code == 0
    assert out.splitlines()[-1].endswith(str(Files(served, job).outputs))
    (tmp_path / "bad.py").write_text("1 / 0")
    job = run("submit", "code", f"script={tmp_path / 'bad.py'}", "--max-errors", "1")[1].strip()
    assert run("watch", job)[0] == 4
