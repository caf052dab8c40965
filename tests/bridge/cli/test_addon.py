"""bpy-bridge addon."""

from __future__ import annotations

import json

import pytest

from bridge import __version__
from bridge.addon import Row
from bridge.cli import addon
from bridge.errors import AddonError, NoBlender

BLENDERS = [addon.Program("/a/blender", (4, 2)), addon.Program("/b/blender", (3, 4))]
ROWS = [
    Row("/a/blender", "4.2", "0.0.1", "/x", True, False, "install it"),
    Row("/b/blender", "3.4", None, None, None, None, ""),
]


@pytest.fixture
def act(monkeypatch):
    """act(failing): two Blenders, of which the failing ones fail."""
    monkeypatch.setattr(addon, "find", lambda chosen: [one for one in BLENDERS if chosen in (None, one.path)])

    def act(*failing):
        def done(program):
            if program.path in failing:
                raise AddonError(f"{program.path}: install failed")
            return "a.module"

        monkeypatch.setattr(addon, "install", done)
        monkeypatch.setattr(addon, "uninstall", lambda program: program.path == "/a/blender")

    return act


def test_both_zips_are_written_and_told_apart(run, tmp_path):
    code, out, _ = run("addon", "build", "--out", str(tmp_path / "out"))
    assert code == 0
    assert out.splitlines() == [
        f"{tmp_path}/out/bpy_bridge-{__version__}.zip  for Blender 4.2 and later",
        f"{tmp_path}/out/bpy_bridge-{__version__}-legacy.zip  for Blender 3.4 to 4.1",
    ]
    told = json.loads(run("addon", "build", "--out", str(tmp_path), "--json")[1])
    assert told[0] == {"path": f"{tmp_path}/bpy_bridge-{__version__}.zip", "for": "Blender 4.2 and later"}


def test_it_is_installed_in_every_blender_and_each_is_told(run, act):
    act()
    code, out, _ = run("addon", "install")
    assert code == 0
    assert [line.split(":")[0] for line in out.splitlines()] == ["/a/blender", "/b/blender"]
    assert f"the add-on {__version__} is installed as a.module; where Blender is open, restart it" in out


def test_or_in_the_one_that_is_named(run, act):
    act()
    assert [one["blender"] for one in json.loads(run("addon", "install", "--blender", "/b/blender", "--json")[1])] == [
        "/b/blender"
    ]


def test_one_that_fails_does_not_keep_the_others_from_it(run, act):
    act("/a/blender")
    code, out, err = run("addon", "install")
    assert (code, err) == (4, "bpy-bridge: /a/blender: install failed\n")
    assert out.startswith("/b/blender: ")


def test_removing_says_who_had_it(run, act):
    act()
    assert run("addon", "uninstall")[1].splitlines() == [
        "/a/blender: the add-on is removed; where Blender is open, restart it",
        "/b/blender: it did not have the add-on",
    ]


def test_the_list_is_a_table_for_people_and_json_for_programs(run, monkeypatch):
    monkeypatch.setattr(addon, "list_blenders", lambda chosen: ROWS)
    lines = run("addon", "list")[1].splitlines()
    assert lines[0].split() == ["Blender", "version", "add-on", "enabled", "matches", "to", "do"]
    assert lines[1].split() == ["/a/blender", "4.2", "0.0.1", "yes", "no", "install", "it"]
    assert lines[2].split() == ["/b/blender", "3.4", "-", "-", "-"]
    told = json.loads(run("addon", "list", "--json")[1])
    assert told == [row.as_object() for row in ROWS]


def test_that_there_is_no_blender_is_exit_code_3(run, monkeypatch):
    def nothing(chosen):
        raise NoBlender("there is no Blender")

    monkeypatch.setattr(addon, "find", nothing)
    assert run("addon", "install")[::2] == (3, "bpy-bridge: there is no Blender\n")
