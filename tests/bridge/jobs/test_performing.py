"""From an attempt to its result: phases in their order, outputs collected, work that was done not done again."""

from __future__ import annotations

import pytest

from bridge import events
from bridge.errors import Lost
from bridge.jobs.attempt import JobFailed
from bridge.jobs.performing import Performer

from .claims import FakeBlender, blend, claims_in


@pytest.fixture
def claims(tmp_path):
    with claims_in(tmp_path / "jobs") as claims:
        yield claims


def rendering(text: str = "picture"):
    def save(_blender, params, progress):
        progress(0.5, 1, "Sample 8/16")
        with open(params["path"], "w") as file:
            file.write(text)
        progress(1, 1, "rendered")
        return {"file": params["path"], "width": 64, "height": 36, "engine": "CYCLES", "samples": 16, "camera": "C"}

    return FakeBlender(render_save=save, render_set={}, animation_set={})


async def test_the_phases_follow_each_other_and_none_is_in_another(claims, tmp_path):
    claims.submit("render.still", blend=str(blend(tmp_path / "a.blend")))
    attempt = claims.claim()
    seen = []
    attempt._emit = lambda event: seen.append((event.phase, claims.store.get(attempt.job.id).phase))
    await Performer(claims.directory, rendering())(attempt)
    phases = ["snapshot", "waiting_for_worker", "rendering", "collecting"]
    assert seen == [(phase, phase) for phase in phases]


async def test_a_still_is_rendered_as_asked_and_its_result_tells_how(claims, tmp_path):
    file = blend(tmp_path / "a.blend")
    claims.submit("render.still", blend=str(file), frame=7, format="jpg", width=64, samples=16, threads=2)
    attempt, blender = claims.claim(), rendering()
    result = await Performer(claims.directory, blender)(attempt)
    directory = claims.directory / attempt.job.id
    assert blender.file == file
    assert blender.calls == [
        ("render.set", {"properties": {"threads_mode": "FIXED", "threads": 2}}),
        ("animation.set", {"frame": 7}),
        ("render.save", {"width": 64, "samples": 16, "path": str(directory / ".1" / "still.jpg")}),
    ]
    assert [file["name"] for file in result["files"]] == ["still.jpg"]
    assert (result["width"], result["engine"], result["camera"]) == (64, "CYCLES", "C")
    progress = claims.store.get(attempt.job.id).progress
    assert (progress["done"], progress["total"], progress["message"]) == (1, 1, "rendered")


async def test_the_copy_of_the_scene_is_no_output_and_goes_when_the_job_is_done(claims):
    job = claims.submit("render.still")
    scene = blend(claims.directory / job.id / "scene.blend")
    result = await Performer(claims.directory, rendering())(claims.claim())
    assert [file["name"] for file in result["files"]] == ["still.png"]
    assert not scene.exists()


async def test_the_copy_stays_while_the_job_can_be_tried_again(claims):
    job = claims.submit("render.still")
    scene = blend(claims.directory / job.id / "scene.blend")

    def die(*_):
        raise JobFailed("blender_died", "killed by signal 9")

    with pytest.raises(JobFailed):
        await Performer(claims.directory, FakeBlender(render_save=die))(claims.claim())
    assert scene.exists()
    assert not (claims.directory / job.id / ".1").exists(), "what was unfinished is gone"


async def test_work_whose_bridge_died_before_it_could_say_so_is_not_done_again(claims):
    job = claims.submit("render.still")
    blend(claims.directory / job.id / "scene.blend")
    blender = rendering()
    result = await Performer(claims.directory, blender)(claims.claim())
    assert await Performer(claims.directory, blender)(claims.rescued()) == result
    assert [method for method, _ in blender.calls] == ["render.save"]


async def test_an_attempt_that_has_lost_its_job_writes_no_manifest(claims, tmp_path):
    job = claims.submit("render.still", blend=str(blend(tmp_path / "a.blend")))
    attempt, blender = claims.claim(), rendering()
    save = blender.answers["render.save"]

    def lose(*arguments):
        claims.rescued()
        return save(*arguments)

    blender.answers["render.save"] = lose
    with pytest.raises(Lost):
        await Performer(claims.directory, blender)(attempt)
    assert not (claims.directory / job.id / "manifest.json").exists()
    assert list((claims.directory / job.id / "outputs").iterdir()) == []


async def test_a_job_that_goes_on_in_a_phase_does_not_go_back(claims, tmp_path):
    """So that its time-out goes on counting."""
    job = claims.submit("render.still", blend=str(blend(tmp_path / "a.blend")), timeout=60)
    first = claims.claim()
    claims.store.set_phase(job.id, first.job.fence, "rendering", 60.0)
    await Performer(claims.directory, rendering())(claims.rescued())
    assert claims.phases() == ["rendering", "collecting"]


async def test_a_file_that_went_away_is_an_error_for_good(claims, tmp_path):
    file = blend(tmp_path / "a.blend")
    claims.submit("render.still", blend=str(file))
    file.unlink()
    with pytest.raises(JobFailed, match=r"there is no file .*a\.blend") as caught:
        await Performer(claims.directory, rendering())(claims.claim())
    assert (caught.value.code, caught.value.final) == ("no_file", True)


async def test_a_full_disk_is_an_error_that_may_pass(claims, tmp_path):
    claims.submit("render.still", blend=str(blend(tmp_path / "a.blend")))
    attempt = claims.claim()
    (claims.directory / attempt.job.id / "outputs").write_text("no directory")
    with pytest.raises(JobFailed) as caught:
        await Performer(claims.directory, rendering())(attempt)
    assert (caught.value.code, caught.value.final) == ("files", False)


async def test_parameters_of_another_version_are_an_error_for_good(claims):
    claims.submit("render.still", sparkle=True)
    with pytest.raises(JobFailed, match="sparkle") as caught:
        await Performer(claims.directory, rendering())(claims.claim())
    assert caught.value.final


async def test_each_phase_that_has_ended_is_told_with_its_time(claims, tmp_path):
    claims.submit("render.still", blend=str(blend(tmp_path / "a.blend")))
    await Performer(claims.directory, rendering())(claims.claim())
    told = [event for event in claims.events if isinstance(event, events.JobPhaseEnded)]
    assert {event.kind for event in told} == {"render.still"}
    assert all(event.seconds >= 0 for event in told)
