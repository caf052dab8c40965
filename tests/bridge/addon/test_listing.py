"""Each Blender, what it has, and what is to be done about it."""

from __future__ import annotations

import pytest

from bridge import __version__
from bridge.addon import list_blenders, listing
from bridge.errors import NoBlender


@pytest.fixture
def row(script, resources, monkeypatch):
    """row(version): the one Blender there is, as it is listed."""
    monkeypatch.setattr(listing, "WHEEL", "no_such_module")

    def row(version="4.2.0"):
        [found] = list_blenders(script(version=version))
        return found

    return row


def enable(resources, module):
    (resources / "config").mkdir()
    (resources / "config/userpref.blend").write_bytes(b"\0" + module.encode() + b"\0")


def test_one_without_the_add_on_is_told_how_to_get_it(row):
    found = row()
    assert (found.version, found.addon, found.enabled, found.matches) == ("4.2", None, None, None)
    assert found.todo == f"`bpy-bridge addon install --blender {found.blender}` installs the add-on"


def test_where_all_is_well_nothing_is_to_be_done(row, resources, installed):
    installed(resources / "extensions/user_default/bpy_bridge", __version__)
    enable(resources, "bl_ext.user_default.bpy_bridge")
    found = row()
    assert (found.addon, found.enabled, found.matches, found.todo) == (__version__, True, True, "")


def test_another_version_is_to_be_replaced(row, resources, installed):
    installed(resources / "extensions/user_default/bpy_bridge", "77.0.0")
    found = row()
    assert (found.addon, found.matches) == ("77.0.0", False)
    assert found.todo == f"`bpy-bridge addon install --blender {found.blender}`, then restart Blender"


def test_one_that_is_not_enabled_is_to_be(row, resources, installed):
    installed(resources / "scripts/addons/bpy_bridge", __version__)
    found = row()
    assert (found.enabled, found.matches) == (False, True)
    assert found.todo.startswith("enable it in Blender's preferences")


def test_of_two_the_enabled_one_counts(row, resources, installed):
    installed(resources / "scripts/addons/bpy_bridge", "0.0.1")
    installed(resources / "extensions/user_default/bpy_bridge", __version__)
    enable(resources, "bpy_bridge")
    assert row().addon == "0.0.1"


def test_an_extension_is_nothing_to_a_blender_that_has_none(row, resources, installed):
    installed(resources / "extensions/user_default/bpy_bridge", __version__)
    assert row("3.4.1").addon is None


def test_what_is_too_old_or_says_nothing_is_said(row):
    assert row("3.3.0").todo == "it is too old: install Blender 3.4 or later"
    assert row("nonsense").todo.startswith("it does not say its version")


def test_the_wheel_brings_the_bridges_own(monkeypatch):
    monkeypatch.setattr(listing, "find", lambda chosen: iter(()))
    monkeypatch.setattr(listing.importlib.util, "find_spec", lambda name: name)
    monkeypatch.setattr(listing.importlib.metadata, "version", lambda name: "5.0.1")
    [found] = list_blenders()
    assert (found.blender, found.version, found.addon, found.todo) == ("the bpy wheel", "5.0.1", __version__, "")


def test_that_there_is_none_at_all_is_an_error(row, monkeypatch):
    def nothing(chosen):
        raise NoBlender("none")

    monkeypatch.setattr(listing, "find", nothing)
    with pytest.raises(NoBlender):
        list_blenders()
