"""render.animation: each frame is kept as it is finished, and none of those is rendered again."""

from __future__ import annotations

from pathlib import Path

import pytest
import trio

from bridge.errors import Lost
from bridge.jobs.attempt import JobFailed
from bridge.jobs.kinds.frames import missing
from bridge.jobs.performing import Performer
from tests.bridge.jobs.claims import FakeBlender, blend, claims_in

OWN = {"frame": 1, "start": 1, "end": 6, "step": 1, "fps": 24.0, "seconds": 0.25}


@pytest.fixture
def claims(tmp_path):
    with claims_in(tmp_path / "jobs") as claims:
        yield claims


class Renderer(FakeBlender):
    """Renders as the add-on does: each frame under another name first. `stop_at` is the frame at which it dies."""

    def __init__(self, *, stop_at: int | None = None, **own: int) -> None:
        super().__init__(animation_get={**OWN, **own}, render_animation=self.render)
        self.stop_at = stop_at
        self.rendered: list[int] = []

    async def render(self, _blender, params, progress):
        directory, name = Path(params["path"]).parent, Path(params["path"]).name
        frames = range(params["start"], params["end"] + 1, params["step"])
        for number, frame in enumerate(frames):
            sign = "-" if frame < 0 else ""
            made = directory / name.replace("#####", f"{sign}{abs(frame):05}")
            half = directory / f".{made.name}.1.part"
            half.write_text("half")
            progress(number + 0.5, len(frames), f"frame {frame}: Sample 1/2")
            if frame == self.stop_at:
                raise JobFailed("blender_died", "Blender ended during render.animation, killed by signal 9")
            half.rename(made)
            self.rendered.append(frame)
            progress(number + 1, len(frames), f"frame {frame}: rendered")
            await trio.lowlevel.checkpoint()
        return {"width": 64, "height": 36, "engine": "CYCLES", "samples": 16, "camera": "C", "files": []}


def kept(claims, job) -> list[str]:
    return sorted(path.name for path in (claims.directory / job.id / "outputs").iterdir())


def names(*frames: int) -> list[str]:
    return [f"frame_{frame:05}.png" for frame in frames]


def submit(claims, tmp_path, **params):
    return claims.submit("render.animation", blend=str(blend(tmp_path / "a.blend")), **params)


async def test_every_frame_of_the_scene_is_rendered_and_kept(claims, tmp_path):
    job = submit(claims, tmp_path)
    blender = Renderer()
    result = await Performer(claims.directory, blender)(claims.claim())
    assert blender.rendered == [1, 2, 3, 4, 5, 6]
    assert kept(claims, job) == names(1, 2, 3, 4, 5, 6)
    assert (result["frames"], result["first"], result["last"], result["file_count"]) == (6, 1, 6, 6)
    assert result["engine"] == "CYCLES"


@pytest.mark.parametrize(
    ("asked", "own", "frames"),
    [
        ({"start": 3}, {}, [3, 4, 5, 6]),
        ({"end": 2}, {}, [1, 2]),
        ({}, {"step": 4}, [1, 5]),
        ({"step": 3}, {"step": 4}, [1, 4]),
        ({"start": -2, "end": 0}, {}, [-2, -1, 0]),
    ],
)
async def test_what_is_asked_for_goes_before_what_the_scene_says(claims, tmp_path, asked, own, frames):
    submit(claims, tmp_path, **asked)
    blender = Renderer(**own)
    await Performer(claims.directory, blender)(claims.claim())
    assert blender.rendered == frames


async def test_a_scene_that_ends_before_the_first_frame_is_an_error_for_good(claims, tmp_path):
    submit(claims, tmp_path, start=10)
    with pytest.raises(JobFailed, match="before the first") as caught:
        await Performer(claims.directory, Renderer())(claims.claim())
    assert caught.value.final


async def test_after_an_error_it_goes_on_behind_the_last_finished_frame(claims, tmp_path):
    job = submit(claims, tmp_path)
    first = Renderer(stop_at=4)
    with pytest.raises(JobFailed, match="signal 9"):
        await Performer(claims.directory, first)(claims.claim())
    assert kept(claims, job) == names(1, 2, 3), "what was whole when it died is kept, what was half is not"
    second = Renderer()
    attempt = claims.rescued()
    result = await Performer(claims.directory, second)(attempt)
    assert (first.rendered, second.rendered) == ([1, 2, 3], [4, 5, 6])
    assert kept(claims, job) == names(1, 2, 3, 4, 5, 6)
    assert result["file_count"] == 6
    progress = claims.store.get(job.id).progress
    assert (progress["done"], progress["total"]) == (6, 6)


async def test_frames_are_kept_while_the_next_ones_are_rendered(claims, tmp_path):
    job = submit(claims, tmp_path)
    blender = Renderer()
    render, seen = blender.render, []

    async def slowly(*arguments):
        told = arguments[2]

        def look(*progress):
            told(*progress)

        result = await render(arguments[0], arguments[1] | {"end": 3}, look)
        while len(kept(claims, job)) < 3:
            await trio.sleep(0.01)
        seen.extend(kept(claims, job))
        await render(arguments[0], arguments[1] | {"start": 4}, look)
        return result

    blender.answers["render.animation"] = slowly
    with trio.fail_after(30):
        await Performer(claims.directory, blender)(claims.claim())
    assert seen == names(1, 2, 3)


async def test_an_attempt_that_has_lost_its_job_keeps_no_frame_more(claims, tmp_path):
    job = submit(claims, tmp_path)
    attempt, blender = claims.claim(), Renderer()
    render = blender.render

    async def lose(*arguments):
        claims.rescued()
        return await render(*arguments)

    blender.answers["render.animation"] = lose
    with attempt.scope, pytest.raises(Lost):
        await Performer(claims.directory, blender)(attempt)
    assert kept(claims, job) == []


def test_frames_that_are_missing_side_by_side_are_rendered_together():
    assert missing(range(1, 7), [False] * 6) == [range(1, 7)]
    assert missing(range(1, 7), [True, True, False, False, True, False]) == [range(3, 5), range(6, 7)]
    assert missing(range(0, 50, 10), [True, False, False, True, False]) == [range(10, 21, 10), range(40, 41, 10)]
    assert missing(range(1, 3), [True, True]) == []
