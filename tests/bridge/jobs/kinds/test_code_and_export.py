"""code and export: what Blender is told, and what comes of its files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bridge.jobs.attempt import JobFailed
from bridge.jobs.performing import Performer
from tests.bridge.jobs.claims import FakeBlender, blend, claims_in


@pytest.fixture
def claims(tmp_path):
    with claims_in(tmp_path / "jobs") as claims:
        yield claims


def executed(result=None, files: dict[str, str] | None = None):
    """A Blender in which the code has written these files, and set `result`."""

    def run(_blender, params, progress):
        for name, text in (files or {}).items():
            path = Path(params["args"]["outputs"], name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        progress(1, 2, "half")
        return {"result": result, "stdout": "hi\n", "stderr": ""}

    return FakeBlender(code_execute=run)


def script(tmp_path, text: str = "result = 1") -> str:
    (tmp_path / "script.py").write_text(text)
    return str(tmp_path / "script.py")


async def test_a_script_runs_on_the_factory_scene_with_its_arguments_and_a_place_for_its_files(claims, tmp_path):
    job = claims.submit("code", script=script(tmp_path, "x = 'é'"), args={"a": 1})
    blender = executed(result=[1, 2], files={"a.txt": "a", "deep/b.txt": "b"})
    result = await Performer(claims.directory, blender)(claims.claim())
    assert blender.file is None
    [(method, params)] = blender.calls
    outputs = str(claims.directory / job.id / ".1")
    assert (method, params) == ("code.execute", {"code": "x = 'é'", "args": {"a": 1, "outputs": outputs}})
    assert (result["result"], result["stdout"]) == ([1, 2], "hi\n")
    assert [file["name"] for file in result["files"]] == ["a.txt", "deep/b.txt"]
    assert claims.phases() == ["snapshot", "waiting_for_worker", "running", "collecting"]


async def test_a_script_runs_on_a_file(claims, tmp_path):
    file = blend(tmp_path / "a.blend")
    claims.submit("code", script=script(tmp_path), blend=str(file))
    blender = executed()
    await Performer(claims.directory, blender)(claims.claim())
    assert blender.file == file


async def test_a_large_result_is_a_file(claims, tmp_path):
    large = ["x" * 1000] * 100
    job = claims.submit("code", script=script(tmp_path))
    result = await Performer(claims.directory, executed(result=large))(claims.claim())
    assert (result["result"], result["result_file"]) == (None, "result.json")
    assert json.loads((claims.directory / job.id / "outputs" / "result.json").read_text()) == large


async def test_a_script_that_raises_is_an_error_with_its_traceback_and_its_files_are_gone(claims, tmp_path):
    job = claims.submit("code", script=script(tmp_path))

    def fail(_blender, params, _progress):
        Path(params["args"]["outputs"], "half.txt").write_text("half")
        raise JobFailed("execution_failed", "ZeroDivisionError (line 3)", data={"traceback": "Traceback …"})

    with pytest.raises(JobFailed, match="line 3"):
        await Performer(claims.directory, FakeBlender(code_execute=fail))(claims.claim())
    assert [path.name for path in (claims.directory / job.id).rglob("*.txt")] == []


async def test_an_attempt_begins_without_the_files_of_the_one_before(claims, tmp_path):
    job = claims.submit("code", script=script(tmp_path))
    attempt = claims.claim()
    (claims.directory / job.id / "outputs").mkdir()
    (claims.directory / job.id / "outputs" / "old.txt").touch()
    result = await Performer(claims.directory, executed(files={"new.txt": ""}))(attempt)
    assert [file["name"] for file in result["files"]] == ["new.txt"]


async def test_a_script_that_has_gone_since_the_submit_is_an_error_for_good(claims, tmp_path):
    claims.submit("code", script=str(tmp_path / "gone.py"))
    with pytest.raises(JobFailed, match="there is no file") as caught:
        await Performer(claims.directory, executed())(claims.claim())
    assert (caught.value.code, caught.value.final) == ("no_file", True)


async def test_an_export_is_told_what_to_write_and_all_its_files_are_outputs(claims, tmp_path):
    job = claims.submit(
        "export", blend=str(blend(tmp_path / "a.blend")), format="gltf", name="car", objects=["Cube"], options={"y": 1}
    )

    def write(_blender, params, _progress):
        path = Path(params["path"])
        path.write_text("{}")
        path.with_suffix(".bin").write_text("data")
        (path.parent / "textures").mkdir()
        (path.parent / "textures" / "wood.png").write_text("wood")
        return {"format": "gltf", "objects": 1, "files": [], "file_count": 3}

    blender = FakeBlender(file_export=write)
    result = await Performer(claims.directory, blender)(claims.claim())
    path = str(claims.directory / job.id / ".1" / "car.gltf")
    assert blender.calls == [("file.export", {"path": path, "objects": ["Cube"], "options": {"y": 1}})]
    assert [file["name"] for file in result["files"]] == ["car.bin", "car.gltf", "textures/wood.png"]
    assert (result["format"], result["objects"]) == ("gltf", 1)
