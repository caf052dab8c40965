"""Which events become lines, at which level, and what they say."""

from __future__ import annotations

import pytest
import structlog
from structlog.contextvars import bound_contextvars
from structlog.testing import capture_logs

from bridge import event_log, events
from bridge.supervised import dispatcher

LEAKED = events.LeaseLeaked("studio", 900.12345, "service.py:200", "client")
VIOLATED = events.ExclusivityViolated("studio")
FAILED = events.ConnectFailed("studio", "unix:/b.sock: nobody listens", 3)
OPENED = events.ConnectionOpened("studio", 0.0123456789)
DISCARDED = events.ConnectionDiscarded("studio", "poisoned")
FINISHED = events.RequestFinished("studio", "object.list", "timeout", 0.0001234567, "c7", "r1")
OF_THE_POOL = [LEAKED, FAILED, OPENED, DISCARDED]


def logged(*seen, level="debug"):
    emit = dispatcher(event_log.handlers(level))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        for event in seen:
            emit(event)
    return lines


def test_a_lease_that_is_held_for_too_long_says_who_took_it_and_where():
    (line,) = logged(LEAKED)
    assert line.pop("event")
    assert line == {
        "log_level": "warning",
        "instance": "studio",
        "held": 900.123,
        "taken_at": "service.py:200",
        "task": "client",
    }


def test_a_connection_about_to_be_lent_twice_is_an_error():
    (line,) = logged(VIOLATED)
    assert (line["log_level"], line["instance"]) == ("error", "studio")


def test_a_failed_connect_says_why_and_for_how_often():
    (line,) = logged(FAILED)
    assert line.pop("event")
    assert line == {
        "log_level": "warning",
        "instance": "studio",
        "attempt": 3,
        "error": "unix:/b.sock: nobody listens",
    }


def test_a_request_is_found_by_the_ids_of_its_client_and_its_own():
    (line,) = logged(FINISHED)
    assert line.pop("event")
    assert line == {
        "log_level": "debug",
        "instance": "studio",
        "connection": "c7",
        "request": "r1",
        "method": "object.list",
        "outcome": "timeout",
        "seconds": 0.000123,
    }


@pytest.mark.parametrize(
    ("level", "expected"),
    [
        ("error", {"error"}),
        ("warning", {"error", "warning"}),
        ("info", {"error", "warning"}),
        ("debug", {"error", "warning", "debug"}),
    ],
)
def test_an_event_below_the_level_has_no_handler(level, expected):
    lines = logged(VIOLATED, FINISHED, *OF_THE_POOL, level=level)
    assert {line["log_level"] for line in lines} == expected
    assert len(event_log.handlers(level)) == len(lines)


@pytest.mark.parametrize("event", OF_THE_POOL, ids=lambda event: type(event).__name__)
def test_a_line_about_the_pool_does_not_blame_the_client_in_whose_task_it_came_up(event):
    with bound_contextvars(connection="c1"):
        (line,) = logged(event)
    assert "connection" not in line


@pytest.mark.parametrize(
    "event",
    [
        events.BackgroundError("probe", "OSError()"),
        events.WorkerStarted("studio", 1, 2.0),
        events.WorkerEnded("studio", 1, "0"),
        events.ProbeFinished("studio", "healthy", "", 0.1, 0, 0.0),
    ],
    ids=lambda event: type(event).__name__,
)
def test_what_is_logged_where_it_happens_is_not_logged_again(event):
    assert logged(event) == []
