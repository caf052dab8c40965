"""A failure that repeats is said a few times, then counted."""

from __future__ import annotations

import json
import logging

import pytest
import structlog

from bridge.log import repetition
from bridge.log.repetition import MOST_KINDS, THROUGH, WINDOW, Repetitions, line


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def repetitions(clock):
    return Repetitions(clock)


def failure(**particulars):
    return line("bridge.x", logging.WARNING, "no connection", **{"instance": "default", **particulars})


def through(repetitions, count, **particulars):
    return sum(repetitions.filter(failure(**particulars)) for _ in range(count))


def said(records):
    return [(record.msg, record.instance, record.repeated) for record in records]


def test_the_first_ones_come_through_and_the_rest_is_held_back(repetitions):
    assert through(repetitions, 100) == THROUGH


def test_the_first_after_the_window_says_how_many_were_held_back(repetitions, clock):
    through(repetitions, THROUGH + 4)
    clock.now += WINDOW
    next_one = failure()
    assert repetitions.filter(next_one)
    assert next_one.repeated == 4
    assert through(repetitions, 100) == THROUGH - 1, "it begins a window of its own"


def test_one_that_none_was_held_back_of_says_nothing(repetitions, clock):
    through(repetitions, THROUGH)
    clock.now += WINDOW
    next_one = failure()
    assert repetitions.filter(next_one)
    assert not hasattr(next_one, "repeated")


def test_where_none_comes_after_the_window_a_line_says_it_once(repetitions, clock):
    through(repetitions, THROUGH + 4)
    through(repetitions, THROUGH, instance="other")
    clock.now += WINDOW - 0.1
    assert repetitions.ended() == []
    clock.now += 0.1
    assert said(repetitions.ended()) == [("no connection", "default", 4)]
    assert repetitions.ended() == []


def test_what_is_held_back_can_be_had_before_the_window_is_over(repetitions):
    through(repetitions, THROUGH + 4)
    assert said(repetitions.all()) == [("no connection", "default", 4)]


@pytest.mark.parametrize("name", ["instance", "worker", "task", "address"])
def test_each_thing_that_fails_is_counted_by_itself(name, repetitions):
    assert through(repetitions, 10, **{name: "a"}) == THROUGH
    assert through(repetitions, 10, **{name: "b"}) == THROUGH


def test_each_type_of_error_is_counted_by_itself(repetitions):
    for error in (OSError("one"), KeyError("two")):
        assert through(repetitions, 10, exc_info=(type(error), error, None)) == THROUGH


def test_what_differs_from_time_to_time_is_the_same_failure(repetitions):
    came = [repetitions.filter(failure(attempt=attempt, error=f"at {attempt}")) for attempt in range(10)]
    assert sum(came) == THROUGH


def test_what_is_no_failure_always_comes_through(repetitions):
    assert all(repetitions.filter(line("bridge.x", logging.INFO, "request finished")) for _ in range(10))


def test_more_kinds_than_are_kept_come_through(repetitions, clock):
    for number in range(3 * MOST_KINDS):
        assert repetitions.filter(failure(instance=f"i{number}"))
    assert len(repetitions._windows) == MOST_KINDS
    clock.now += WINDOW
    repetitions.ended()
    assert len(repetitions._windows) == 0


@pytest.mark.parametrize("logger", [structlog.get_logger("a"), logging.getLogger("b")])
def test_it_holds_for_both_ways_to_log(logger, lines, monkeypatch):
    lines("json")

    def fail():
        try:
            int("no number")
        except ValueError:
            logger.exception("failed")

    for _ in range(10):
        fail()
    assert len(lines()) == THROUGH
    monkeypatch.setattr(repetition, "WINDOW", -1.0)
    logging.getLogger().handlers[0]._repetitions._clock = lambda: float("inf")
    fail()
    (written,) = lines()
    assert json.loads(written)["repeated"] == 10 - THROUGH
