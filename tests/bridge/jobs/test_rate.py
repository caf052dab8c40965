"""How fast work goes."""

from __future__ import annotations

from bridge.jobs.rate import Rate


def test_the_first_word_says_nothing_of_the_pace():
    told = Rate().told(0, 24, "frame 1", 100.0)
    assert told == {"done": 0, "total": 24, "message": "frame 1", "rate": None, "left": None}


def test_what_was_done_before_the_attempt_does_not_count():
    rate = Rate()
    rate.told(10, 24, "", 100.0)
    told = rate.told(12, 24, "", 104.0)
    assert (told["rate"], told["left"]) == (0.5, 24.0)


def test_another_count_begins_anew():
    rate = Rate()
    rate.told(0, 24, "", 100.0)
    rate.told(24, 24, "", 200.0)
    assert rate.told(1, 24, "video", 200.0)["rate"] is None
    assert rate.told(3, 24, "video", 202.0)["rate"] == 1.0
    assert rate.told(3, 7, "other", 203.0)["rate"] is None


def test_at_the_end_nothing_is_left():
    rate = Rate()
    rate.told(0, 1, "", 100.0)
    assert rate.told(1, 1, "", 103.0)["left"] == 0.0
