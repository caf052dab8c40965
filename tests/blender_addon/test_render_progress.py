"""Blender's render statistics become progress that only goes up."""

import pytest

from blender_addon.call import Call
from blender_addon.commands.render_animation import Pattern
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


def test_the_pictures_of_an_animation_are_steps_of_one_whole():
    told = []
    call = Call("1", "render.animation", emit=lambda done, total, message: told.append((done, total, message)))
    rising = RisingProgress(call, 2)
    for frame in (5, 6):
        call._next_progress = 0
        rising.begin(f"frame {frame}: ")
        call._next_progress = 0
        rising.hear("Sample 1/4")
        call._next_progress = 0
        rising.end()

    assert told == [
        (0, 2, "frame 5: rendering"),
        (0.25, 2, "frame 5: Sample 1/4"),
        (1, 2, "frame 5: rendered"),
        (1, 2, "frame 6: rendering"),
        (1.25, 2, "frame 6: Sample 1/4"),
        (2, 2, "frame 6: rendered"),
    ]


@pytest.mark.parametrize(
    ("given", "frame", "name"),
    [
        ("f_###.png", 7, "f_007.png"),
        ("f_#.png", 1234, "f_1234.png"),
        ("f.png", 7, "f_0007.png"),
        ("####_a.exr", -3, "-0003_a.exr"),
        ("a#b##.png", 5, "a#b05.png"),
    ],
)
def test_a_frames_number_takes_the_place_of_the_signs(given, frame, name):
    assert Pattern.of(given).name(frame) == name
