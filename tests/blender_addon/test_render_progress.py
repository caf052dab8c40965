"""Blender's render statistics become progress that only goes up."""

import pytest

from blender_addon.call import Call
from blender_addon.commands.render_progress import RisingProgress, fraction_done


@pytest.mark.parametrize(
    ("text", "done"),
    [
        ("Fra:1 Mem:12.80M (Peak 12.94M) | Time:00:00.06 | Scene, ViewLayer | Sample 3/16", 3 / 16),
        ("Remaining: 00:12 | Mem: 20M | Sample 1/16", 1 / 16),
        ("Mem: 20M | Rendered 3/4 Tiles, Sample 8/16", 3.5 / 4),
        ("Rendering 1 / 4 samples", 1 / 4),
        ("Sample 16/16", 1.0),
        ("Sample 17/16", 1.0),
        ("Sample 1/0", None),
        ("Updating Scene BVH | Building BVH 0%", None),
        ("", None),
    ],
)
def test_a_statistics_text_tells_how_far_a_render_is(text, done):
    assert fraction_done(text) == done


def heard(*texts):
    told = []
    rising = RisingProgress(Call("1", "render.still", emit=lambda done, total, message: told.append((done, message))))
    rising._call._next_progress = 0
    for text in texts:
        rising.hear(text)
        rising._call._next_progress = 0
    return told


def test_progress_never_goes_back():
    assert [done for done, _ in heard("Sample 2/4", "Sample 1/4", "Sample 2/4", "Sample 3/4")] == [0.5, 0.75]


def test_the_message_is_what_blender_is_doing():
    assert heard("Mem: 20M | Scene | Sample 1/4") == [(0.25, "Sample 1/4")]


def test_the_end_is_not_told_before_the_picture_is_there():
    assert heard("Sample 4/4", "Finished") == []


def test_a_blender_that_tells_nothing_is_heard_in_silence():
    assert heard(None, object()) == []
