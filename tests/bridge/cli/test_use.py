"""bpy-bridge use."""

from __future__ import annotations

import json

import pytest

from blender_addon.wire import Fault


def test_it_chooses_the_one_that_is_named(bridge, run):
    bridge.answers["bridge.use"] = {"chosen": "shot", "name": "shot"}
    assert run("use", "shot") == (0, "requests that name no Blender go to shot now\n", "")
    assert bridge.requests.get_nowait()[:2] == ("bridge.use", {"name": "shot"})


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("studio", "no Blender is chosen; requests that name none go to studio\n"),
        (None, "no Blender is chosen; requests have to name one\n"),
    ],
)
def test_clear_chooses_nobody_and_says_who_is_meant_then(bridge, run, name, said):
    bridge.answers["bridge.use"] = {"chosen": None, "name": name}
    assert run("use", "--clear") == (0, said, "")
    assert bridge.requests.get_nowait()[:2] == ("bridge.use", {"name": None})


def test_with_json_it_is_what_the_bridge_answers(bridge, run):
    bridge.answers["bridge.use"] = {"chosen": "shot", "name": "shot"}
    code, out, _ = run("use", "shot", "--json")
    assert (code, json.loads(out)) == (0, bridge.answers["bridge.use"])


def test_a_name_that_there_is_not_fails(bridge, run):
    bridge.answers["bridge.use"] = Fault("unknown_instance", "there is no instance 'sht'", data={"nearest": ["shot"]})
    code, _, err = run("use", "sht")
    assert code == 4
    assert "there is no instance 'sht'" in err


@pytest.mark.parametrize("arguments", [[], ["shot", "--clear"]])
def test_it_wants_a_name_or_clear_and_not_both(run, arguments):
    assert run("use", *arguments)[0] == 2
