"""Who listens at the port of the Blender bridges, and in which language."""

from __future__ import annotations

import json
import os
import threading

import pytest

from blender_addon.wire import Fault, FrameDecoder, head
from bridge.doctor.neighbours import dialect_at, neighbours

PING = b'{"type":"ping"}'


def bare(data):
    """As the add-on of blender-mcp: parse until it is JSON; no end mark."""
    try:
        return json.dumps({"status": "success", "result": {"pong": json.loads(data)["type"]}}).encode()
    except ValueError:
        return None


def terminated(data):
    """As the official Lab add-on."""
    if not data.endswith(b"\0"):
        return None
    return b'{"status": "error", "message": "Unknown request type: \'ping\'"}\0'


def ours(data):
    """As our add-on: what is no frame is answered with a frame, once there is a frame's head."""
    decoder = FrameDecoder()
    decoder.feed(data)
    try:
        decoder.next_frame()
    except Fault as fault:
        payload = json.dumps(fault.as_object()).encode()
        return head(b'{"kind":"response"}', len(payload)) + payload
    return None


def slowly(answer):
    """After as long as the official add-on takes at most, in the GUI."""

    def answers(data):
        found = answer(data)
        if found is not None:
            threading.Event().wait(0.9)
        return found

    return answers


@pytest.mark.parametrize(
    ("answer", "dialect"),
    [
        (bare, "bare JSON"),
        (terminated, "NUL-terminated JSON"),
        (slowly(terminated), "NUL-terminated JSON"),
        (ours, "ours"),
        (lambda _data: None, "unknown"),
        (lambda _data: b"HTTP/1.1 400 Bad Request\r\n\r\n", "unknown"),
        (lambda _data: b"[1]", "unknown"),
    ],
    ids=["bare", "terminated", "terminated, slowly", "ours", "silent", "HTTP", "no object"],
)
def test_each_dialect_is_known_by_its_answer(squatter, answer, dialect):
    assert dialect_at("127.0.0.1", squatter(answer).port) == dialect


def test_nothing_is_sent_but_a_ping_whole_in_each_language(squatter):
    one = squatter()
    dialect_at("127.0.0.1", one.port)
    assert one.heard == [PING, PING + b"\0"]


def test_one_that_answers_is_not_asked_again(squatter):
    one = squatter(bare)
    dialect_at("127.0.0.1", one.port)
    assert one.heard == [PING]


def test_one_that_hangs_up_is_something_else(squatter):
    def hang_up(_data):
        raise ConnectionError

    assert dialect_at("127.0.0.1", squatter(hang_up).port) == "unknown"


@pytest.mark.parametrize(
    ("answer", "level", "said"),
    [
        (bare, "warning", 'the add-on "blender-mcp" (bare JSON)'),
        (terminated, "warning", "the official Blender Lab add-on (NUL-terminated JSON)"),
        (ours, "ok", "speaks our protocol"),
        (lambda _data: b"hello", "warning", "something that is no add-on for Blender, or is busy"),
    ],
    ids=["bare", "terminated", "ours", "something else"],
)
def test_it_is_named_with_its_process(place, squatter, answer, level, said):
    port = squatter(answer).port
    [finding] = neighbours(place()._replace(blender_port=port))
    assert finding.level == level
    assert finding.what.startswith(f"at 127.0.0.1:{port} process {os.getpid()} (")
    assert said in finding.what


def test_that_nobody_is_there_is_fine(place, squatter):
    one = squatter()
    one.close()
    one.close = lambda: None
    [finding] = neighbours(place()._replace(blender_port=one.port))
    assert (finding.level, finding.what) == ("ok", f"nobody listens at 127.0.0.1:{one.port}")
