"""Who logs never waits for who reads, and nothing is lost in silence."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import threading
from contextlib import suppress

import pytest
import structlog

from bridge import log
from bridge.log import writing
from bridge.log.repetition import THROUGH, WINDOW, Repetitions
from bridge.log.writing import LineWriter

PATIENCE = 20.0
PIPE = 65_536


@pytest.fixture
def pipe():
    """Both ends, as files; nobody reads."""
    read, write = os.pipe()
    with os.fdopen(read, encoding="utf-8") as reader, os.fdopen(write, "w") as writer:
        yield reader, writer
        # What is stuck in a write comes free when the reader goes.


@pytest.fixture
def stuck(pipe, logging_restored, monkeypatch):
    """Logging to a pipe that nobody reads; the read end."""
    monkeypatch.setattr(writing, "MOST_WAITING", 2 * PIPE)
    reader, writer = pipe
    log.configure("info", "json", stream=writer)
    yield reader
    with suppress(OSError):
        reader.close()


def log_many(count):
    """Log them; a log call that waits for the reader fails the test."""

    def run():
        for number in range(count):
            structlog.get_logger().info("event", number=number, text="x" * 1000)

    assert ends(run), "it waits for the reader"


def ends(function):
    thread = threading.Thread(target=function, daemon=True)
    thread.start()
    thread.join(PATIENCE)
    return not thread.is_alive()


def read_until(reader, condition):
    """The events up to the one that meets the condition."""
    events = []
    while not (events and condition(events[-1])):
        events.append(json.loads(reader.readline()))
    return events


def test_a_reader_that_stands_still_stops_nobody_and_takes_no_more_memory_than_allowed(stuck):
    log_many(2000)
    handler = logging.getLogger().handlers[0]
    assert handler._waiting < 3 * PIPE


def test_the_first_line_that_gets_through_again_says_how_many_were_dropped(stuck):
    log_many(2000)
    dropped = logging.getLogger().handlers[0]._dropped
    before = read_until(stuck, lambda event: event["number"] == 2000 - dropped - 1)
    assert [event["number"] for event in before] == list(range(2000 - dropped)), "the first ones, in their order"
    log.flush()
    structlog.get_logger().info("again")
    structlog.get_logger().info("and again")
    again, and_again = read_until(stuck, lambda event: event["event"] == "and again")
    assert again["dropped"] == dropped > 0
    assert "dropped" not in and_again


def test_where_no_line_comes_after_the_dropped_ones_the_last_line_says_how_many(stuck):
    log_many(2000)
    handler = logging.getLogger().handlers[0]
    dropped = handler._dropped
    read_until(stuck, lambda event: event["number"] == 2000 - dropped - 1)
    log.flush()
    handler.close()
    assert json.loads(stuck.readline())["dropped"] == dropped > 0


def test_a_flush_does_not_wait_for_ever_and_not_twice(stuck, monkeypatch):
    monkeypatch.setattr(writing, "PATIENCE", 0.01)
    log_many(2000)
    log.flush()
    monkeypatch.setattr(writing, "PATIENCE", 100 * PATIENCE)
    assert ends(log.flush)


def test_a_reader_that_has_gone_is_nobodys_error(stuck):
    stuck.close()
    log_many(100)
    log.flush()
    assert logging.getLogger().handlers[0]._waiting == 0


def test_a_pipe_that_does_not_block_loses_nothing(pipe, logging_restored):
    reader, writer = pipe
    os.set_blocking(writer.fileno(), False)
    log.configure("info", "json", stream=writer)
    log_many(1000)
    events = read_until(reader, lambda event: event["number"] == 999)
    assert [event["number"] for event in events] == list(range(1000))


def test_failures_that_have_stopped_repeating_are_said_while_nobody_logs(pipe, monkeypatch):
    monkeypatch.setattr(writing, "_TICK", 0.01)
    reader, writer = pipe
    now = 0.0
    handler = LineWriter(writer.fileno(), Repetitions(lambda: now))
    handler.setFormatter(log.rendering.formatter("json", ()))
    for _ in range(THROUGH + 4):
        handler.handle(logging.makeLogRecord({"levelno": logging.ERROR, "levelname": "ERROR", "msg": "failed"}))
    now = WINDOW
    *_, last = read_until(reader, lambda event: "repeated" in event)
    assert (last["event"], last["level"], last["repeated"]) == ("failed", "error", 4)
    handler.close()


PROGRAM = """
import sys, structlog
from bridge import log
log.configure("info", "json")
for number in range(int(sys.argv[1])):
    structlog.get_logger().info("event", number=number, text="x" * 1000)
for _ in range(10):
    structlog.get_logger().warning("failed")
"""
ENDS = {
    "at the end": ("", 0),
    "by sys.exit": ("sys.exit(3)", 3),
    # Python's own words about it would stand among the lines.
    "by an exception": ("sys.excepthook = lambda *_: None; raise RuntimeError", 1),
}


@pytest.mark.parametrize("end", ENDS)
def test_all_is_written_when_the_process_ends(end):
    text, code = ENDS[end]
    ended = subprocess.run([sys.executable, "-c", PROGRAM + text, "1000"], stderr=subprocess.PIPE, check=False)
    events = [json.loads(each) for each in ended.stderr.splitlines() if each.startswith(b"{")]
    assert ended.returncode == code
    assert [event["number"] for event in events[:1000]] == list(range(1000))
    assert events[-1]["repeated"] == 10 - THROUGH, "also what is held back"


def test_the_process_ends_as_it_should_where_nobody_reads(pipe):
    _, writer = pipe
    process = subprocess.Popen([sys.executable, "-c", PROGRAM + "sys.exit(3)", "10000"], stderr=writer)
    try:
        assert process.wait(PATIENCE) == 3
    finally:
        process.kill()
        process.wait()


def test_a_process_without_standard_error_logs_into_nothing(tmp_path):
    program = f"import os; os.close(2); os.execv({sys.executable!r}, [{sys.executable!r}, '-c', {PROGRAM!r}, '10'])"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
