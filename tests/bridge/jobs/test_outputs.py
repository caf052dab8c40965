"""A job's files: whole or not there, listed with size and hash, and nothing else left."""

from __future__ import annotations

import hashlib
import json
import os

import pytest

from bridge.jobs.outputs import Outputs


@pytest.fixture
def outputs(tmp_path) -> Outputs:
    return Outputs(tmp_path / "job", 3)


async def test_a_file_has_its_name_only_once_it_is_kept(outputs):
    await outputs.begin(anew=False)
    made = outputs.unfinished / "a.png"
    made.write_text("picture")
    assert await outputs.finished() == set()
    assert (await outputs.keep(made)).read_text() == "picture"
    assert await outputs.finished() == {"a.png"}
    assert list(outputs.unfinished.iterdir()) == []


async def test_an_attempt_finds_what_earlier_ones_finished_and_nothing_that_they_did_not(outputs, tmp_path):
    await outputs.begin(anew=False)
    (outputs.unfinished / "half.png").write_text("ha")
    (outputs.unfinished / "a.png").write_text("picture")
    await outputs.keep(outputs.unfinished / "a.png")
    after = Outputs(tmp_path / "job", 4)
    await after.begin(anew=False)
    assert await after.finished() == {"a.png"}
    assert not outputs.unfinished.exists()


async def test_anew_begins_with_nothing(outputs, tmp_path):
    await outputs.begin(anew=False)
    (outputs.kept / "a.png").write_text("picture")
    await Outputs(tmp_path / "job", 4).begin(anew=True)
    assert await outputs.finished() == set()


async def test_who_was_taken_for_dead_cannot_keep_what_it_made(outputs, tmp_path):
    await outputs.begin(anew=False)
    made = outputs.unfinished / "a.png"
    made.write_text("stale")
    await Outputs(tmp_path / "job", 4).begin(anew=False)
    with pytest.raises(FileNotFoundError):
        await outputs.keep(made)
    with pytest.raises(FileNotFoundError):
        await outputs.close({})
    assert await outputs.result() is None


async def test_whole_are_the_files_that_have_been_renamed(outputs):
    await outputs.begin(anew=False)
    for name in (".a.png.77.part", "b.png", "a.png"):
        (outputs.unfinished / name).write_text(name)
    assert [path.name for path in await outputs.whole()] == ["a.png", "b.png"]


async def test_close_keeps_the_rest_and_lists_everything_with_size_and_hash(outputs):
    await outputs.begin(anew=False)
    (outputs.unfinished / "textures").mkdir()
    (outputs.unfinished / "textures" / "wood.png").write_text("wood")
    (outputs.unfinished / "scene.gltf").write_text("{}")
    outputs.scene.write_text("the copy")
    outputs.log.write_text("Blender 5.0")
    result = await outputs.close({"objects": 3})
    files = [
        {"name": name, "bytes": len(text), "sha256": hashlib.sha256(text.encode()).hexdigest()}
        for name, text in (("scene.gltf", "{}"), ("textures/wood.png", "wood"))
    ]
    assert result == {
        "objects": 3,
        "directory": str(outputs.kept),
        "manifest": str(outputs.directory / "manifest.json"),
        "files": files,
        "file_count": 2,
        "bytes": 6,
    }
    assert json.loads((outputs.directory / "manifest.json").read_text()) == {"files": files, "result": result}
    await outputs.discard()
    assert sorted(path.name for path in outputs.directory.iterdir()) == ["manifest.json", "output.log", "outputs"]


async def test_a_script_may_write_files_of_any_name(outputs):
    await outputs.begin(anew=False)
    for name in ("manifest.json", "scene.blend", "output.log", ".3"):
        (outputs.unfinished / name).write_text(name)
    result = await outputs.close({})
    assert [file["name"] for file in result["files"]] == [".3", "manifest.json", "output.log", "scene.blend"]


async def test_links_lead_elsewhere_and_are_left_out(outputs, tmp_path):
    await outputs.begin(anew=False)
    (tmp_path / "secret").write_text("s")
    os.symlink(tmp_path / "secret", outputs.unfinished / "link")
    assert (await outputs.close({}))["files"] == []


async def test_the_result_has_the_first_hundred_files_and_the_manifest_all(outputs):
    await outputs.begin(anew=False)
    for number in range(101):
        (outputs.kept / f"{number:03}").touch()
    result = await outputs.close({})
    assert (len(result["files"]), result["file_count"]) == (100, 101)
    assert len(json.loads((outputs.directory / "manifest.json").read_text())["files"]) == 101


async def test_the_result_is_there_once_the_work_is_done_and_not_before(outputs, tmp_path):
    await outputs.begin(anew=False)
    assert await outputs.result() is None
    result = await outputs.close({"frames": 1})
    assert await Outputs(tmp_path / "job", 4).result() == result


@pytest.mark.parametrize("text", ["", "[]", '{"files": []}'])
async def test_a_manifest_that_is_none_counts_for_nothing(outputs, text):
    await outputs.begin(anew=False)
    (outputs.directory / "manifest.json").write_text(text)
    assert await outputs.result() is None
