"""bpy-bridge status."""

from __future__ import annotations

import contextlib
import copy
import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from blender_addon.wire import Fault
from bridge.cli import status
from bridge.cli.tables import duration

from .conftest import STATUS, Bridge


def test_json_is_the_bridges_own_object(bridge, run):
    code, out, err = run("status", "--json")
    assert (code, json.loads(out), err) == (0, STATUS, "")


def test_without_json_it_is_a_table_for_people(bridge, run):
    code, out, _ = run("status")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == (
        "bpy-bridge 9.9, process 4242, up 1 h 2 min, 2 clients, doors unix:/run/bridge.sock http://127.0.0.1:9871"
    )
    assert lines[1].split() == [
        "instance", "health", "pool", "blender", "add-on", "leased", "idle", "waiting", "oldest", "address",
    ]  # fmt: skip
    assert lines[2].split() == [
        "studio", "healthy", "paused", "5.0.1", "0.1.0", "1/4", "2", "3", "0.2", "s", "unix:/run/studio.sock",
    ]  # fmt: skip


def test_each_instance_that_cannot_serve_has_a_line_that_says_why(bridge, run):
    assert run("status")[1].splitlines()[4:] == ["studio: its pool is paused", "[red]other: [Errno 2]"]


def test_a_bridge_that_says_less_is_shown_all_the_same(bridge, run):
    bridge.answers["bridge.status"] = {"pid": 1, "version": "1", "uptime": 1, "instances": [{"name": "studio"}]}
    code, out, _ = run("status")
    assert code == 0
    assert out.splitlines()[0] == "bpy-bridge 1, process 1, up 1 s"
    assert out.splitlines()[2].split() == ["studio", "-", "-", "-", "-", "0/-", "-", "-", "0", "s"]
    assert len(out.splitlines()) == 3


def test_who_was_chosen_is_said(bridge, run):
    bridge.answers["bridge.status"] = {**STATUS, "chosen": "studio"}
    assert ", studio is chosen, " in run("status")[1].splitlines()[0]


def test_a_bridge_that_is_ending_says_so(bridge, run):
    bridge.answers["bridge.status"] = {**STATUS, "state": "draining", "clients": 1, "http": None}
    head = run("status")[1].splitlines()[0]
    assert "up 1 h 2 min, shutting down, 1 client, doors unix:/run/bridge.sock" in head


@pytest.mark.parametrize(
    ("obstacle", "health", "said"),
    [
        (None, {"state": "healthy", "reason": "it answers"}, None),
        (None, None, None),
        (None, {"state": "busy", "reason": "renders for 12 s"}, "busy: renders for 12 s"),
        (
            "nobody listens",
            {"state": "unreachable", "reason": "nobody listens", "failures": 3, "unhealthy": True},
            "unreachable: nobody listens (3 failures in a row, unhealthy)",
        ),
        (
            "its pool is drained",
            {"state": "unresponsive", "reason": "silent for 70 s", "failures": 1},
            "its pool is drained; unresponsive: silent for 70 s (1 failure in a row)",
        ),
        (None, {"state": "unknown"}, "unknown: no reason is known"),
        ("its worker is importing", {"state": "unknown", "reason": "it was spawning"}, "its worker is importing"),
        (
            "its worker is failed: no room",
            {"state": "unreachable", "reason": "unix:/s: its worker is failed: no room", "failures": 1},
            "unreachable: unix:/s: its worker is failed: no room (1 failure in a row)",
        ),
    ],
)
def test_what_is_not_healthy_is_said_with_its_reason(bridge, run, obstacle, health, said):
    instance = {"name": "studio", "obstacle": obstacle, "health": health}
    bridge.answers["bridge.status"] = {**STATUS, "instances": [instance]}
    assert run("status")[1].splitlines()[3:] == ([] if said is None else [f"studio: {said}"])


@pytest.mark.parametrize(
    ("version", "shown", "said"),
    [
        ("0.2.0", "0.2.0 (!)", "its add-on is version 0.2.0, and the bridge is 9.9: do that"),
        (None, "? (!)", "its add-on speaks otherwise, and the bridge is 9.9: do that"),
    ],
)
def test_an_add_on_of_another_version_is_marked_and_what_to_do_is_said(bridge, run, version, shown, said):
    addon = {"version": version, "matches": False, "fix": "do that"}
    bridge.answers["bridge.status"] = {**STATUS, "instances": [{"name": "studio", "addon": addon}]}
    lines = run("status")[1].splitlines()
    assert shown in lines[2]
    assert lines[3:] == [f"studio: {said}"]


def test_how_old_a_diagnosis_is_is_said_too(bridge, run, monkeypatch):
    monkeypatch.setattr(status.time, "time", lambda: 1300.0)
    health = {"state": "busy", "reason": "renders", "checked_at": 1000.0}
    bridge.answers["bridge.status"] = {**STATUS, "instances": [{"name": "studio", "health": health}]}
    assert run("status")[1].splitlines()[-1] == "studio: busy: renders (checked 5 min 0 s ago)"


def test_what_blender_says_does_not_drive_the_terminal(bridge, run):
    bridge.answers["bridge.status"] = {**STATUS, "instances": [{"name": "a\x1b[31mb", "obstacle": "\x1b[2J[bold]"}]}
    out = run("status")[1]
    assert "\x1b" not in out
    assert "[bold]" in out


def test_no_bridge_is_exit_code_6(run):
    code, out, err = run("status", "--json")
    assert (code, out) == (6, "")
    assert "no bridge is running" in err


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.24, "0.2 s"), (59, "59 s"), (185, "3 min 5 s"), (7800, "2 h 10 min"), (4 * 86400 + 3 * 3600, "4 d 3 h")],
)
def test_times_are_said_as_people_say_them(seconds, said):
    assert duration(seconds) == said


@pytest.fixture
def between(monkeypatch) -> Callable[..., list[float]]:
    """between(*acts): what happens between one look and the next; then Ctrl-C. Returns the pauses that were made."""

    def between(*acts: Callable[[], Any]) -> list[float]:
        pauses: list[float] = []
        left = list(acts)

        def pause(seconds: float) -> None:
            pauses.append(seconds)
            if not left:
                raise KeyboardInterrupt
            left.pop(0)()

        monkeypatch.setattr(status, "pause", pause)
        return pauses

    return between


def test_watched_it_is_a_block_per_interval_until_ctrl_c(bridge, run, between):
    busy = copy.deepcopy(STATUS)
    busy["instances"][0]["pool"]["waiting"] = 17
    pauses = between(lambda: bridge.answers.update({"bridge.status": busy}))
    code, out, err = run("status", "--watch")
    first, second = out.strip().split("\n\n")
    assert (code, err, pauses) == (0, "", [1.0, 1.0])
    assert first.splitlines()[2].split()[7] == "3"
    assert second.splitlines()[2].split()[7] == "17"


def test_the_interval_can_be_chosen(bridge, run, between):
    pauses = between()
    assert run("status", "--watch", "0.25")[0] == 0
    assert pauses == [0.25]
    assert run("status", "--watch", "0")[0] == 2


def test_watched_with_json_it_is_one_compact_object_a_line(bridge, run, between):
    between(lambda: None, lambda: None)
    code, out, _ = run("status", "--watch", "--json")
    assert code == 0
    assert out.splitlines() == [json.dumps(STATUS, separators=(",", ":"))] * 3


def test_it_goes_on_where_the_bridge_goes_and_comes_back(bridge, home, run, between):
    comes = []

    def goes() -> None:
        bridge.close()
        (home / "bridge.sock").unlink()

    between(goes, lambda: None, lambda: comes.append(Bridge(str(home / "bridge.sock"))))
    code, out, err = run("status", "--watch")
    comes[0].close()
    blocks = out.strip().split("\n\n")
    assert (code, err) == (0, "")
    assert [block.splitlines()[0][:14] for block in (blocks[0], blocks[3])] == ["bpy-bridge 9.9"] * 2
    assert blocks[1:3] == [f"no bridge runs at unix:{home / 'bridge.sock'}; waiting"] * 2


def test_it_waits_for_a_bridge_that_was_never_there(home, run, between):
    between()
    code, out, _ = run("status", "--watch", "--bridge", "unix:/nowhere/at.all")
    assert (code, out.strip()) == (0, "no bridge runs at unix:/nowhere/at.all; waiting")


def test_with_json_what_is_no_object_is_on_standard_error_and_said_once(bridge, home, run, between):
    def goes() -> None:
        bridge.close()
        (home / "bridge.sock").unlink()

    between(goes, lambda: None, lambda: None)
    code, out, err = run("status", "--watch", "--json")
    assert (code, len(out.splitlines()), len(err.splitlines())) == (0, 1, 1)
    assert "no bridge runs at" in err


def test_a_refusal_is_no_absence_and_ends_the_watch(bridge, run, between):
    bridge.answers["bridge.status"] = Fault("unknown_method", "there is no method 'bridge.status'")
    between()
    code, _, err = run("status", "--watch")
    assert code == 4
    assert "unknown_method" in err


def test_at_a_terminal_it_is_redrawn_in_place_and_ctrl_c_is_exit_code_0(bridge, home):
    terminal, other = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "200"}
    command = [sys.executable, "-m", "bridge", "status", "--watch", "0.01"]
    with subprocess.Popen(
        command, stdout=other, stderr=other, stdin=other, env=environment, cwd=Path(__file__).parents[3]
    ) as process:
        os.close(other)
        shown = b""
        end = time.monotonic() + 60
        while shown.count(b"bpy-bridge 9.9") < 3:
            shown += os.read(terminal, 65536)
            assert time.monotonic() < end
        process.send_signal(signal.SIGINT)
        with contextlib.suppress(OSError):  # that is how a terminal ends
            while os.read(terminal, 65536):
                pass
        assert process.wait(60) == 0
    os.close(terminal)
    assert b"\x1b[1A" in shown, "the cursor never went up to draw over what was there"
