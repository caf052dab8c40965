"""bpy-bridge status."""

from __future__ import annotations

import json

import pytest

from bridge.cli.status import duration

from .conftest import STATUS


def test_json_is_the_bridges_own_object(bridge, run):
    code, out, err = run("status", "--json")
    assert (code, json.loads(out), err) == (0, STATUS, "")


def test_without_json_it_is_a_table_for_people(bridge, run):
    code, out, _ = run("status")
    lines = out.splitlines()
    assert code == 0
    assert lines[0] == "bpy-bridge 9.9, process 4242, up 1 h 2 min"
    assert lines[1].split() == ["instance", "state", "blender", "leased", "idle", "waiting", "oldest", "address"]
    assert lines[2].split() == ["studio", "connected", "5.0.1", "1/4", "2", "3", "0.2", "s", "unix:/run/studio.sock"]
    assert lines[3].startswith("[red]other  not connected")
    assert lines[4] == "[red]other: [Errno 2]"


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
