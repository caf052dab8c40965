"""Logs: one line an event, whoever logs it, and never a secret."""

from __future__ import annotations

import json
import logging
import threading

import pytest
import structlog

from bridge import log


def fail():
    raise ValueError("first\nsecond")


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_event_is_one_line_with_its_particulars(lines, form):
    lines(form)
    structlog.get_logger().info("connected", instance="studio", text="a b\nc")
    (line,) = lines()
    assert "connected" in line
    assert "studio" in line
    assert r"a b\nc" in line


def test_json_is_json(lines):
    lines("json")
    structlog.get_logger().warning("late", seconds=2.5, what=b"\0")
    event = json.loads(lines()[0])
    assert list(event) == ["time", "level", "event", "seconds", "what"]
    assert (event["level"], event["event"], event["seconds"]) == ("warning", "late", 2.5)


def test_the_standard_library_logs_the_same_way(lines):
    lines("json")
    logging.getLogger("somewhere").warning("two\nlines of %s", "it", extra={"instance": "studio"})
    event = json.loads(lines()[0])
    assert (event["event"], event["instance"]) == ("two\nlines of it", "studio")


def test_less_than_the_level_is_not_written(lines):
    lines("console", "warning")
    structlog.get_logger().info("quiet")
    logging.getLogger("somewhere").info("quiet")
    assert lines() == []


@pytest.mark.parametrize("form", ["console", "json"])
def test_an_exception_stays_on_its_events_line_and_says_where(lines, form):
    lines(form)
    try:
        try:
            fail()
        except ValueError as error:
            raise ExceptionGroup("several", [error, KeyError("k")]) from error
    except ExceptionGroup as error:
        structlog.get_logger().exception("failed", task="probe")
        structlog.get_logger().error("failed", exc_info=error)
        logging.getLogger("somewhere").exception("failed")
    written = lines()
    assert len(written) == 3
    for line in written:
        assert all(
            part in line for part in ("several", "ValueError", "KeyError", "test_lines.py", "fail", r"first\nsecond")
        )


@pytest.mark.parametrize("form", ["console", "json"])
def test_secrets_are_blackened_by_name_and_by_value(lines, form):
    lines(form, secrets=['hunter"22'])
    structlog.get_logger().info("hello", auth_token="abcdef", text='it is hunter"22!')
    structlog.get_logger().error("failed", exc_info=RuntimeError('hunter"22'))
    written = "".join(lines())
    assert "abcdef" not in written
    assert "hunter" not in written
    assert written.count(log.HIDDEN) >= 3


def test_a_long_text_is_cut(lines):
    lines("console")
    structlog.get_logger().info("long", text="x" * 1_000_000)
    assert len(lines()[0]) < 10_000


def test_an_event_without_an_exception_says_so_by_saying_nothing(lines):
    lines("console")
    structlog.get_logger().error("failed", exc_info=True)
    assert "exception" not in lines()[0]


def test_a_value_that_cannot_be_rendered_costs_its_line_and_not_the_caller(lines):
    class Broken:
        def __repr__(self):
            raise ZeroDivisionError

    lines("console")
    structlog.get_logger("here").info("first", what=Broken())
    logging.getLogger("there").warning("%d", "no number")
    structlog.get_logger().info("second")
    first, there, second = lines()
    assert "could not be rendered" in first
    assert "ZeroDivisionError" in first
    assert "test_lines.py" in there
    assert "second" in second


def test_a_line_below_the_level_is_not_even_rendered(lines):
    class Untouchable:
        def __repr__(self):
            raise AssertionError

    lines("json", "info")
    structlog.get_logger().debug("quiet", what=Untouchable())
    assert lines() == []


def test_setting_up_again_loses_nothing_that_was_logged_before_and_leaves_no_thread(lines):
    lines("console")
    structlog.get_logger().info("before")
    assert "before" in lines("json")[0]
    assert [thread.name for thread in threading.enumerate()].count("log") == 1
