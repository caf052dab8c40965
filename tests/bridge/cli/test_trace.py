"""bpy-bridge trace."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from typing import Any

import pytest

from blender_addon.wire import STANDARD_CODEC, Request, head
from bridge.cli import trace
from bridge.cli.trace import describe, milliseconds, size

from .conftest import Bridge

ASKED = {
    "time": 1_700_000_000.25,
    "hop": "client",
    "direction": "in",
    "connection": "c1",
    "envelope": {"kind": "request", "id": "17", "method": "scene.summary"},
    "envelope_length": 96,
    "payload_length": 2,
    "method": "scene.summary",
}
FAILED = {
    **ASKED,
    "direction": "out",
    "envelope": {"kind": "response", "id": "17", "ok": False},
    "payload_length": 1_234_567,
    "seconds": 0.0123,
    "code": "execution_failed",
    "payload": '{"message": "\u001b[31mred\nnext"}',
    "dropped": 3,
}


class Traced(Bridge):
    """Shows `records`, then goes on as `then` says: a reason that the trace ends for, gone, or silence."""

    def __init__(self, path: str) -> None:
        self.records: list[dict[str, Any]] = [ASKED, FAILED]
        self.then: list[str] = ["deadline", "shutdown"]
        super().__init__(path)

    def _answer(self, sock: Any, session: Any, event: object, payload: Any) -> None:
        if not isinstance(event, Request):
            super()._answer(sock, session, event, payload)
            return
        self.requests.put((event.method, STANDARD_CODEC.loads(payload), event))
        for record in [{"time": 1.0, "watching": True}, *self.records]:
            data = STANDARD_CODEC.dumps(record)
            sock.sendall(head(session.event(event.id, "log"), len(data)) + data)
        self.records = []
        then = self.then.pop(0)
        if then == "gone":
            raise ConnectionError
        if then != "silence":
            result = STANDARD_CODEC.dumps({"frames": 2, "dropped": 5, "reason": then})
            sock.sendall(head(session.respond(event.id, ok=True), len(result)) + result)


@pytest.fixture
def traced(home):
    """A bridge where `bpy-bridge` looks for one."""
    home.mkdir(mode=0o700)
    running = Traced(str(home / "bridge.sock"))
    yield running
    running.close()


def test_each_frame_is_one_line_and_what_was_lost_is_told_before_it(traced, run):
    code, out, err = run("trace")
    lines = out.splitlines()
    assert code == 6
    assert words(lines[0]) == "client → bridge c1 request 17 scene.summary 96 B + 2 B"
    assert lines[1] == "3 frames came too quickly to be shown"
    assert words(lines[2]) == "client ← bridge c1 response 17 scene.summary execution_failed 96 B + 1.2 MB 12.3 ms"
    assert lines[3] == '    {"message": "\\x1b[31mred\\nnext"}'
    assert len(lines) == 4
    assert err.splitlines() == [
        "bpy-bridge: watching; Ctrl-C ends it",
        "bpy-bridge: the bridge is shutting down: the trace has ended",
    ]


@pytest.mark.parametrize("plain", [False, True])
def test_colours_are_for_a_terminal_whose_owner_wants_them(plain, traced, run, monkeypatch):
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("NO_COLOR", "1" if plain else "")
    _, out, _ = run("trace")
    assert ("\x1b[31m" in out) is not plain


def words(line: str) -> str:
    """All but the time."""
    return " ".join(line.split()[1:])


def test_json_is_one_object_a_line(traced, run):
    _, out, _ = run("trace", "--json")
    assert [json.loads(line) for line in out.splitlines()] == [ASKED, FAILED]


def test_ctrl_c_is_how_it_ends(traced):
    traced.then = ["silence"]
    command = [sys.executable, "-m", "bridge", "trace", "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert [process.stdout.readline() for _ in range(2)]
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert (process.returncode, out, err) == (0, "", "bpy-bridge: watching; Ctrl-C ends it\n")
    assert traced.requests.get(timeout=10)[0] == "bridge.trace"
    assert traced.requests.get(timeout=10) == "cancel"


def test_by_default_no_payloads_are_asked_for(traced, run):
    run("trace")
    assert traced.requests.get(timeout=10)[1] == {
        "payloads": False,
        "errors_only": False,
        "instance": None,
        "connection": None,
        "method": None,
    }


def test_what_is_asked_for_is_passed_on(traced, run):
    traced.then = ["shutdown"]
    run("trace", "--payloads", "--errors", "--instance", "a", "--connection", "c1", "--method", "m")
    assert traced.requests.get(timeout=10)[1] == {
        "payloads": True,
        "errors_only": True,
        "instance": "a",
        "connection": "c1",
        "method": "m",
    }


def test_at_the_deadline_it_watches_on(traced, run):
    traced.then = ["deadline", "deadline", "unread", "shutdown"]
    _, _, err = run("trace")
    assert [traced.requests.get(timeout=10)[0] for _ in range(4)] == ["bridge.trace"] * 4
    assert "5 frames were not read in time" in err


def test_a_bridge_that_goes_away_is_exit_code_6(traced, run):
    traced.then = ["gone"]
    code, _, err = run("trace")
    assert code == 6
    assert "the bridge has gone away" in err


def test_a_lost_connection_to_a_bridge_that_is_there_is_made_again(traced, run, monkeypatch):
    monkeypatch.setattr(trace, "_SOON", 0.0)
    traced.then = ["gone", "shutdown"]
    _, _, err = run("trace")
    assert "the connection was lost: frames may be missing" in err
    assert "shutting down" in err


def test_no_bridge_is_exit_code_6(run):
    code, out, err = run("trace")
    assert (code, out) == (6, "")
    assert "no bridge is running" in err


@pytest.mark.parametrize(
    ("envelope", "said"),
    [
        (None, "no frame - bad_frame"),
        ({"kind": "hello", "peer": {"name": "tool", "version": "1"}}, "hello - tool 1"),
        ({"kind": "goodbye", "reason": "a\nb"}, "goodbye - a\\nb"),
        ({"kind": "event", "id": "r", "name": "progress"}, "event r scene.summary progress"),
        ({"kind": "response", "id": "r", "ok": True}, "response r scene.summary ok"),
        ({"kind": "\u001b[2J"}, "\\x1b[2J"),
    ],
)
def test_every_kind_of_frame_has_its_words(envelope, said):
    code = {"code": "bad_frame", "envelope_length": 0} if envelope is None else {}
    assert said in words(describe({**ASKED, **code, "envelope": envelope}))


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (12_345, "12 kB"), (999_600, "1.0 MB"), (5_000_000_000, "5.0 GB")],
)
def test_sizes_are_said_as_people_say_them(count, said):
    assert size(count) == said


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.0004121, "0.412 ms"), (0.01234, "12.3 ms"), (2.5, "2500 ms")]
)  # fmt: skip
def test_times_are_in_milliseconds(seconds, said):
    assert milliseconds(seconds) == said
