"""Jobs on a cluster: a real Slurm, real nodes (this machine), real Blenders."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bridge.client import Client
from bridge.config.slurm import SlurmSettings
from bridge.errors import RequestError
from bridge.jobs.engines.slurm import programs
from tests import slurm
from tests.slurm import Cluster

from .serving import PATIENCE, Served, serving, until

pytestmark = pytest.mark.blender

FRAMES = ["frame_00001.png", "frame_00002.png", "frame_00003.png", "frame_00004.png"]
SMALL = {"width": 32, "height": 32, "engine": "cycles", "samples": 1, "threads": 1}

Start = Callable[..., Served]


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    if slurm.lacking():
        pytest.skip(slurm.lacking())
    with slurm.cluster() as running:
        yield running


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of the nodes, as a script."""
    return tmp_path_factory.mktemp("node") / "python"


@pytest.fixture(autouse=True)
def node(python: Path) -> Path:
    """The same, as it should be; tests rewrite it."""
    return _script(python, f'exec {sys.executable} "$@"')


@pytest.fixture(scope="module")
def variables(cluster: Cluster, python: Path) -> dict[str, str]:
    """A bridge's whose cluster is that one, looked at often."""
    return {
        **cluster.variables(),
        "BPY_BRIDGE_JOBS__SLURM__PYTHON": str(python),
        "BPY_BRIDGE_JOBS__SLURM__POLL": "0.2",
        "BPY_BRIDGE_JOBS__BACKOFF": "0.2",
        "BPY_BRIDGE_JOBS__LEASE": "1",
        "BPY_BRIDGE_TOKEN": "a-secret-of-the-bridge",
    }


@pytest.fixture(scope="module")
def bridge(variables: dict[str, str], _bpy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """One for the tests that leave it as it was."""
    home = tmp_path_factory.mktemp("bridge") / "home"
    home.mkdir(mode=0o700)
    (home / "config.toml").write_text('[jobs.env]\nOCIO = "/opt/config.ocio"\n')
    with serving(home, settings=variables) as served:
        yield served


@pytest.fixture
def client(bridge: Served) -> Iterator[Client]:
    with bridge.client() as client:
        yield client


@pytest.fixture
def serve(start: Start, variables: dict[str, str]) -> Start:
    """Start one of the test's own."""
    return lambda **settings: start(settings={**variables, **settings})


@pytest.fixture(scope="module")
def blend(bridge: Served, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The factory scene, which has a camera, as a file of four frames."""
    path = tmp_path_factory.mktemp("scene") / "scene.blend"
    with bridge.client() as client:
        client.call("file.new")
        client.call("animation.set", {"start": 1, "end": 4})
        client.call("file.save", {"path": str(path), "copy": True})
    return path


def test_each_frame_of_an_animation_is_a_task_of_one_array(client: Client, cluster: Cluster, blend: Path) -> None:
    job = _submit(client, blend)
    done = _ended(client, job)
    assert done["state"] == "completed", done["error"]
    files = {file["name"]: file for file in done["result"]["files"]}
    assert sorted(files) == FRAMES
    for name, file in files.items():
        data = Path(done["result"]["directory"], name).read_bytes()
        assert data.startswith(b"\x89PNG")
        assert file["sha256"] == hashlib.sha256(data).hexdigest()
    assert done["result"]["frames"] == 4
    assert (done["result"]["width"], done["result"]["engine"]) == (32, "CYCLES")
    assert done["progress"]["done"] == 4
    assert (done["errors"], done["rescues"]) == (0, 0)
    assert done["snoozes"] > 0
    tasks = cluster.tasks(f"bb-{job}")
    assert sorted(number for _, number, _ in tasks) == ["0", "1", "2", "3"]
    assert len({array for array, _, _ in tasks}) == 1


def test_of_a_completed_job_nothing_stays_but_its_outputs(client: Client, blend: Path) -> None:
    job = _submit(client, blend, start=1, end=1)
    done = _ended(client, job)
    directory = Path(done["result"]["directory"]).parent
    until(lambda: client.call("jobs.get", {"id": job}).value["external_ref"] is None)
    assert sorted(path.name for path in directory.iterdir()) == ["manifest.json", "output.log", "outputs"]


def test_a_still_is_rendered_of_the_scene_that_is_open(client: Client) -> None:
    job = client.call("jobs.submit", {"kind": "render.still", "params": {**SMALL, "run_on": "slurm"}}).value["id"]
    done = _ended(client, job)
    assert done["state"] == "completed", done["error"]
    [file] = done["result"]["files"]
    assert file["name"] == "still.png"


def test_a_separate_shared_directory_has_what_the_nodes_need(serve: Start, tmp_path: Path) -> None:
    served = serve(BPY_BRIDGE_JOBS__SLURM__DIRECTORY=str(tmp_path / "shared"))
    with served.client() as client:
        job = client.call("jobs.submit", {"kind": "render.still", "params": {**SMALL, "run_on": "slurm"}}).value["id"]
        until((tmp_path / "shared" / job / "scene.blend").is_file)
        done = _ended(client, job)
        assert done["state"] == "completed", done["error"]
        assert [file["name"] for file in done["result"]["files"]] == ["still.png"]
        until(lambda: not (tmp_path / "shared" / job).exists())


def test_an_executable_renders_as_well(start: Start, variables: dict[str, str], tmp_path: Path) -> None:
    blender = shutil.which("blender")
    if blender is None:
        pytest.skip("needs a blender on PATH")
    # Its own file, which a newer Blender's may not be; and Debian's has no denoiser.
    scene = tmp_path / "own.blend"
    code = (
        f"import bpy; bpy.context.scene.cycles.use_denoising = False; bpy.ops.wm.save_mainfile(filepath={str(scene)!r})"
    )
    subprocess.run([blender, "-b", "--factory-startup", "--python-expr", code], check=True, capture_output=True)
    others = {name: value for name, value in variables.items() if name != "BPY_BRIDGE_JOBS__SLURM__PYTHON"}
    with start(settings={**others, "BPY_BRIDGE_JOBS__SLURM__BLENDER": blender}).client() as client:
        done = _ended(client, _submit(client, scene, start=1, end=1))
        assert done["state"] == "completed", done["error"]


def test_the_bridge_killed_between_submit_and_its_record_finds_the_array_again(
    serve: Start, cluster: Cluster, blend: Path, tmp_path: Path
) -> None:
    real = shutil.which("sbatch")
    _script(tmp_path / "bin" / "sbatch", f'{real} "$@" >"{tmp_path}/said" || exit; kill -9 "$PPID"')
    doomed = serve(PATH=f"{tmp_path / 'bin'}{os.pathsep}{cluster.variables()['PATH']}")
    with doomed.client() as client:
        job = _submit(client, blend)
    assert doomed.process.wait(PATIENCE) == -signal.SIGKILL
    with serve().client() as client:
        done = _ended(client, job)
        assert done["state"] == "completed", done["error"]
        assert done["rescues"] == 1
    assert {array for array, _, _ in cluster.tasks(f"bb-{job}")} == {(tmp_path / "said").read_text().strip()}


async def test_of_two_arrays_of_one_job_the_second_waits_for_the_first(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("PATH", "SLURM_CONF"):
        monkeypatch.setenv(name, cluster.variables()[name])
    script = _script(tmp_path / "task.sh", "sleep 600")
    new = programs.Submission("bb-twice", script, [0, 1], tmp_path / "%a.txt", None)
    first = await programs.submit(new, SlurmSettings(), {})
    second = await programs.submit(new, SlurmSettings(), {})
    until(lambda: cluster.ask("squeue", "--noheader", "--states=running", f"--jobs={first}"))
    tasks = await programs.active("bb-twice")
    assert [(task.state, task.reason) for task in tasks if task.array == second] == [("PENDING", "Dependency")] * 2
    await programs.cancel("bb-twice")
    until(lambda: not cluster.ask("squeue", "--noheader", "--name=bb-twice"))


def test_a_bridge_that_is_stopped_leaves_the_array_and_the_next_one_collects_it(
    serve: Start, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    _held(node, tmp_path / "go")
    first = serve()
    with first.client() as client:
        job = _submit(client, blend)
        _running(cluster, job)
    assert first.end() == 0
    (tmp_path / "go").touch()
    with serve().client() as client:
        done = _ended(client, job)
        assert done["state"] == "completed", done["error"]
        assert (done["errors"], done["rescues"]) == (0, 0)
    assert len({array for array, _, _ in cluster.tasks(f"bb-{job}")}) == 1


def test_the_controller_killed_in_the_middle_costs_the_job_nothing(
    client: Client, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    _held(node, tmp_path / "go")
    job = _submit(client, blend)
    _running(cluster, job)
    cluster.wait_until_saved(cluster.tasks(f"bb-{job}")[0][0])
    cluster.kill_controller()
    until(lambda: "does not answer" in client.call("jobs.get", {"id": job}).value["progress"]["message"])
    cluster.start_controller()
    (tmp_path / "go").touch()
    done = _ended(client, job)
    assert done["state"] == "completed", done["error"]
    assert (done["errors"], done["rescues"]) == (0, 0)


def test_a_cancelled_job_has_no_tasks_any_more(
    client: Client, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    _held(node, tmp_path / "never")
    job = _submit(client, blend)
    _running(cluster, job)
    client.call("jobs.cancel", {"id": job})
    assert _ended(client, job)["state"] == "cancelled"
    until(lambda: _states(cluster, job) == {"CANCELLED"})
    until(lambda: client.call("jobs.get", {"id": job}).value["external_ref"] is None)


def test_a_cancel_is_made_up_for_when_slurm_answers_again(
    serve: Start, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    _held(node, tmp_path / "never")
    served = serve()
    with served.client() as client:
        job = _submit(client, blend)
        _running(cluster, job)
        cluster.wait_until_saved(cluster.tasks(f"bb-{job}")[0][0])
        cluster.kill_controller()
        try:
            client.call("jobs.cancel", {"id": job})
            assert _ended(client, job)["state"] == "cancelled"
            until(lambda: "cannot be ended now" in served.log)
            assert client.call("jobs.get", {"id": job}).value["external_ref"] is not None
        finally:
            cluster.start_controller()
        until(lambda: _states(cluster, job) == {"CANCELLED"})


def test_only_what_is_missing_is_submitted_again(
    client: Client, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    failed = tmp_path / "failed"
    once = f'[ "$SLURM_ARRAY_TASK_ID" = 2 ] && [ ! -e "{failed}" ] && touch "{failed}" && echo "out of luck" && exit 3'
    _script(node, f'{once}\nexec {sys.executable} "$@"')
    job = _submit(client, blend)
    done = _ended(client, job)
    assert done["state"] == "completed", done["error"]
    assert done["errors"] == 1
    arrays: dict[str, list[str]] = {}
    for array, number, _ in cluster.tasks(f"bb-{job}"):
        arrays.setdefault(array, []).append(number)
    assert sorted(map(sorted, arrays.values())) == [["0", "1", "2", "3"], ["2"]]


def test_a_task_that_fails_is_told_with_its_last_lines(client: Client, blend: Path, node: Path) -> None:
    _script(node, 'echo "no licence for this node"; exit 3')
    job = _submit(client, blend, max_errors=1)
    error = _ended(client, job)["error"]
    assert error["code"] == "slurm_failed"
    assert "4 of 4 pictures are missing. Task 0, FAILED (NonZeroExitCode): no licence" in error["message"]
    assert error["data"]["output"] == ["no licence for this node"]
    assert error["data"]["missing"] == FRAMES


def test_what_the_scene_does_not_have_fails_at_once_and_for_good(client: Client, blend: Path) -> None:
    job = _submit(client, blend, camera="Kamera", start=1, end=1)
    done = _ended(client, job)
    assert (done["state"], done["errors"]) == ("failed", 1)
    assert done["error"]["code"] == "invalid_params"
    assert "Kamera" in done["error"]["message"]


def test_what_slurm_refuses_is_told_in_its_words(serve: Start, blend: Path) -> None:
    with serve(BPY_BRIDGE_JOBS__SLURM__PARTITION="nowhere").client() as client:
        job = _submit(client, blend, max_errors=1)
        error = _ended(client, job)["error"]
        assert error["code"] == "slurm_refused"
        assert "invalid partition specified: nowhere" in error["message"]


def test_a_render_that_lasts_too_long_is_ended_on_the_cluster_too(
    client: Client, cluster: Cluster, blend: Path, node: Path, tmp_path: Path
) -> None:
    _held(node, tmp_path / "never")
    job = _submit(client, blend, timeout=1, max_errors=1)
    done = _ended(client, job)
    assert (done["state"], done["error"]["code"]) == ("failed", "phase_timeout")
    until(lambda: _states(cluster, job) == {"CANCELLED"})


def test_the_nodes_have_the_jobs_variables_and_not_the_bridges_own_secrets(
    client: Client, blend: Path, node: Path, tmp_path: Path
) -> None:
    _script(node, f'env >"{tmp_path}/environment"; exec {sys.executable} "$@"')
    assert _ended(client, _submit(client, blend, start=1, end=1))["state"] == "completed"
    environment = (tmp_path / "environment").read_text()
    assert "SLURM_ARRAY_TASK_ID=" in environment
    assert "OCIO=/opt/config.ocio" in environment
    assert "a-secret-of-the-bridge" not in environment
    assert "BPY_BRIDGE_JOBS__" not in environment


def test_without_slurm_a_job_for_it_is_refused_at_submit(start: Start, blend: Path, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    with start(settings={"PATH": str(tmp_path / "bin")}).client() as client:
        with pytest.raises(RequestError, match="no sbatch on its PATH") as refused:
            _submit(client, blend)
        assert refused.value.outcome == "not_executed"


def _submit(client: Client, blend: Path, *, max_errors: int = 3, **params: Any) -> str:
    params = {**SMALL, "blend": str(blend), "run_on": "slurm", **params}
    new = {"kind": "render.animation", "params": params, "max_errors": max_errors}
    job: str = client.call("jobs.submit", new).value["id"]
    return job


def _ended(client: Client, job: str) -> dict[str, Any]:
    told: dict[str, Any] = client.call("jobs.wait", {"id": job, "timeout": PATIENCE}).value
    assert told["state"] in ("completed", "failed", "cancelled"), json.dumps(told, indent=1)
    return told


def _running(cluster: Cluster, job: str) -> None:
    until(lambda: "RUNNING" in _states(cluster, job))


def _states(cluster: Cluster, job: str) -> set[str]:
    return {state for _, _, state in cluster.tasks(f"bb-{job}")}


def _held(node: Path, go: Path) -> None:
    """The nodes render once that file is there; they end where the cluster has gone."""
    wait = f'while [ ! -e "{go}" ]; do [ -e "$SLURM_CONF" ] || exit 1; sleep 0.05; done'
    _script(node, f'{wait}; exec {sys.executable} "$@"')


def _script(path: Path, text: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    # A shell that runs it goes on with the old one.
    new = path.with_name(f"new-{path.name}")
    new.write_text(f"#!/bin/sh\n{text}\n")
    new.chmod(new.stat().st_mode | stat.S_IXUSR)
    return new.replace(path)
