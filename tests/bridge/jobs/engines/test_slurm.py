"""What the engine for Slurm does by itself; tests/integration/test_slurm.py has the rest, with a real one."""

from __future__ import annotations

import json

import pytest

from bridge.config.slurm import SlurmSettings
from bridge.errors import Refused
from bridge.jobs import kinds
from bridge.jobs.engines.slurm import node
from bridge.jobs.engines.slurm.place import Place, Plan
from bridge.jobs.work import Assignment
from tests.bridge.jobs.claims import blend


def assignment(file, frames: int, *, copied: bool = False) -> Assignment:
    return Assignment(file, copied, {f"{number}.png": number for number in range(frames)}, {"width": 64})


def tasks(frames: int, most: int, tmp_path) -> list[list[int | None]]:
    plan = Plan.of(assignment(tmp_path / "a.blend", frames), tmp_path, most)
    return [[frame for _, frame in task] for task in plan.tasks]


def test_each_frame_is_a_task(tmp_path):
    assert tasks(3, 1000, tmp_path) == [[0], [1], [2]]


def test_frames_that_follow_each_other_share_a_task_where_there_are_too_many(tmp_path):
    assert tasks(7, 3, tmp_path) == [[0, 1, 2], [3, 4, 5], [6]]
    assert len(tasks(100_000, 1000, tmp_path)) == 1000


def test_what_is_missing_is_some_of_the_same_tasks(tmp_path):
    plan = Plan.of(assignment(tmp_path / "a.blend", 7), tmp_path, 3)
    assert plan.tasks_of(["6.png"]) == [2]
    assert plan.tasks_of(["0.png", "2.png", "6.png"]) == [0, 2]


def test_a_plan_is_found_again(tmp_path):
    place = Place(tmp_path / "slurm")
    assert place.plan() is None
    made = place.make(assignment(tmp_path / "a.blend", 2), tmp_path / "outputs", 1000)
    found = place.plan()
    assert found is not None
    assert found.names == made.names == ["0.png", "1.png"]


def test_the_scenes_copy_goes_where_the_nodes_see_it_and_a_file_by_name_stays_where_it_is(tmp_path):
    (tmp_path / "job").mkdir()
    scene = blend(tmp_path / "job" / "scene.blend")
    shared = Place(tmp_path / "shared" / "job")
    shared.make(assignment(scene, 1, copied=True), tmp_path, 1000)
    assert json.loads((shared.directory / "plan.json").read_text())["file"] == str(shared.directory / "scene.blend")
    assert (shared.directory / "scene.blend").read_bytes() == scene.read_bytes()
    named = Place(tmp_path / "shared" / "other")
    named.make(assignment(scene, 1), tmp_path, 1000)
    assert json.loads((named.directory / "plan.json").read_text())["file"] == str(scene)


@pytest.mark.parametrize(
    ("settings", "command"),
    [
        (
            SlurmSettings(blender="/opt/my blender"),
            "'/opt/my blender' -b --factory-startup --python-exit-code 1 --python {0}/node.py -- {0}/plan.json",
        ),
        (SlurmSettings(python="/opt/python"), "/opt/python {0}/node.py {0}/plan.json"),
    ],
)
def test_a_task_runs_the_blender_or_the_python_of_the_settings(settings, command, tmp_path):
    place = Place(tmp_path)
    place.equip(settings)
    assert place.script.read_text() == f"#!/bin/sh\nexec {command.format(tmp_path)}\n"


@pytest.mark.parametrize("where", ["slurm/frames", "outputs"])
def test_a_task_whose_frames_are_there_needs_no_blender(where, tmp_path, monkeypatch, capsys):
    place = Place(tmp_path / "slurm")
    place.make(assignment(tmp_path / "gone.blend", 2), tmp_path / "outputs", 1000)
    (tmp_path / where).mkdir(exist_ok=True)
    (tmp_path / where / "1.png").touch()
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", "1")
    assert node.main(str(place.directory / "plan.json")) == 0
    assert "there already" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["render.still", "render.animation"])
def test_without_slurms_programs_a_job_for_it_is_refused_at_submit(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    params = {"blend": str(blend(tmp_path / "a.blend"))}
    kinds.examine(kind, kinds.check(kind, params))
    with pytest.raises(Refused, match="no sbatch on its PATH"):
        kinds.examine(kind, kinds.check(kind, {**params, "run_on": "slurm"}))
