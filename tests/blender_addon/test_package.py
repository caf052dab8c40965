"""The package as Blender loads it: enabled, disabled, and reloaded in its own way."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

import blender_addon
from blender_addon.version import VERSION

SOURCE = Path(blender_addon.__file__)


@pytest.fixture
def events():
    return []


@pytest.fixture
def addon(events, monkeypatch):
    """The package under another name, as an extension has it, with its windows' parts replaced."""
    spec = importlib.util.spec_from_file_location("trial", SOURCE, submodule_search_locations=[])
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "trial", module)
    spec.loader.exec_module(module)

    def provide(generation):
        def say(what):
            return lambda: events.append(f"{generation} {what}")

        gui = SimpleNamespace(start_if_wanted=say("start"), stop=say("stop"))
        ui = SimpleNamespace(register=say("show"), unregister=say("hide"))
        monkeypatch.setitem(sys.modules, "trial.gui", gui)
        monkeypatch.setitem(sys.modules, "trial.ui", ui)

    provide("old")
    module.provide, module.reload = provide, lambda: spec.loader.exec_module(module)
    return module


def test_what_it_says_of_itself_can_be_read_without_running_it():
    tree = ast.parse(SOURCE.read_text(encoding="utf-8"))
    (value,) = [node.value for node in tree.body if isinstance(node, ast.Assign) and node.targets[0].id == "bl_info"]
    info = ast.literal_eval(value)
    assert ".".join(map(str, info["version"])) == VERSION
    assert info["blender"] == (3, 4, 0)


def test_importing_it_needs_no_blender():
    code = "import sys, blender_addon; assert 'bpy' not in sys.modules; assert 'blender_addon.gui' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=SOURCE.parents[1], check=True)


def test_enabled_it_shows_itself_and_starts(addon, events):
    addon.register()
    assert events == ["old show", "old start"]


def test_disabled_it_stops_first(addon, events):
    addon.register()
    events.clear()
    addon.unregister()
    assert events == ["old stop", "old hide"]


def test_what_is_not_enabled_needs_no_disabling(addon, events):
    addon.unregister()
    addon.register()
    addon.unregister()
    events.clear()
    addon.unregister()
    assert events == []


def test_a_reload_ends_what_the_old_code_began_and_forgets_that_code(addon, events):
    addon.register()
    events.clear()
    addon.reload()
    assert events == ["old stop", "old hide"]
    assert "trial.gui" not in sys.modules
    addon.provide("new")
    addon.register()
    assert events[2:] == ["new show", "new start"]


def test_a_reload_of_what_is_disabled_only_forgets(addon, events):
    addon.reload()
    assert events == []
    assert "trial.gui" not in sys.modules
