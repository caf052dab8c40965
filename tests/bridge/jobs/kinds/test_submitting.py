"""What can be known before the work begins is refused at submit."""

from __future__ import annotations

import shutil

import pytest

from bridge.errors import Refused
from bridge.jobs import kinds
from tests.bridge.jobs.claims import blend


def refusal(kind: str, **params) -> Refused:
    with pytest.raises(Refused) as caught:
        kinds.examine(kind, kinds.check(kind, params))
    return caught.value


def test_each_kind_is_described_with_the_schema_of_its_parameters():
    described = {entry["name"]: entry for entry in kinds.describe()}
    assert set(described) == {"render.still", "render.animation", "export", "code"}
    for entry in described.values():
        assert entry["doc"].endswith(".")
        assert entry["params"]["additionalProperties"] is False
        for name, schema in entry["params"]["properties"].items():
            assert schema.get("description") or name == "frame", (entry["name"], name)


def test_a_kind_that_there_is_not_comes_with_the_nearest():
    error = refusal("rnder.still")
    assert "did you mean 'render.still'" in error.message
    assert error.data["nearest"][0] == "render.still"


def test_every_wrong_parameter_is_named():
    error = refusal("render.still", widht=3, samples=0)
    assert {problem["param"] for problem in error.data["problems"]} == {"widht", "samples"}


@pytest.mark.parametrize("kind", ["render.still", "render.animation", "export", "code"])
def test_a_file_must_be_there_and_be_a_blend(kind, tmp_path):
    (tmp_path / "script.py").write_text("")
    (tmp_path / "no.blend").write_text("nothing")
    more = {"export": {"format": "glb"}, "code": {"script": str(tmp_path / "script.py")}}.get(kind, {})
    assert "there is no file" in refusal(kind, blend=str(tmp_path / "gone.blend"), **more).message
    assert "expected an absolute path" in refusal(kind, blend="scene.blend", **more).message
    assert "is no .blend file" in refusal(kind, blend=str(tmp_path / "no.blend"), **more).message
    kinds.examine(kind, kinds.check(kind, {"blend": str(blend(tmp_path / "a.blend")), **more}))


def test_a_script_must_be_a_file_of_text(tmp_path):
    (tmp_path / "binary.py").write_bytes(b"\xff\xfe\xff")
    assert "there is no file" in refusal("code", script=str(tmp_path / "gone.py")).message
    assert "cannot be read as a Python file" in refusal("code", script=str(tmp_path / "binary.py")).message


def test_an_animation_must_have_frames_and_not_too_many():
    assert "before the first" in refusal("render.animation", start=10, end=9).message
    assert "too many" in refusal("render.animation", start=0, end=100_000).message
    kinds.examine("render.animation", {"start": 0, "end": 1_000_000, "step": 100})


def test_a_video_needs_ffmpeg_and_pictures_that_it_reads(monkeypatch):
    assert "png or jpg" in refusal("render.animation", video="mp4", format="exr").message
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    assert "needs ffmpeg" in refusal("render.animation", video="mp4").message
    kinds.examine("render.animation", {})


@pytest.mark.parametrize("name", ["../escape", "a/b", ".hidden", "a\\b", ""])
def test_an_export_has_the_name_of_a_file_in_no_folder(name):
    assert refusal("export", format="glb", name=name).code == "invalid_params"


def test_what_works_on_the_open_scene_takes_a_copy_of_it_unless_a_file_is_named():
    assert kinds.takes_scene("render.still", {})
    assert kinds.takes_scene("export", {"format": "glb", "blend": None})
    assert not kinds.takes_scene("render.still", {"blend": "/a.blend"})
    assert not kinds.takes_scene("code", {"script": "/a.py"}), "its default is the factory scene"
