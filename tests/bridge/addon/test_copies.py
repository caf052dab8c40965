"""What is installed is read from the user's files."""

from __future__ import annotations

import pytest

from bridge.addon import Program, copies_in, user_directories
from bridge.addon.places import user_directory


def prefer(resources, *modules, before=b"\0"):
    """Preferences in which these are enabled."""
    (resources / "config").mkdir(parents=True)
    records = b"".join(before + module.encode() + b"\0\0" for module in modules)
    (resources / "config/userpref.blend").write_bytes(b"BLENDER-v402" + records)


def test_an_extension_and_an_add_on_of_the_old_kind(resources, installed):
    old = installed(resources / "scripts/addons/bpy_bridge", "0.1.0")
    new = installed(resources / "extensions/user_default/bpy_bridge", "0.2.0")
    assert [(copy.path, copy.module, copy.version) for copy in copies_in(resources)] == [
        (old, "bpy_bridge", "0.1.0"),
        (new, "bl_ext.user_default.bpy_bridge", "0.2.0"),
    ]


def test_which_of_them_is_enabled_is_in_the_preferences(resources, installed):
    installed(resources / "scripts/addons/bpy_bridge", "0.1.0")
    installed(resources / "extensions/user_default/bpy_bridge", "0.2.0")
    assert [copy.enabled for copy in copies_in(resources)] == [False, False]
    prefer(resources, "bl_ext.user_default.bpy_bridge", "bpy_bridge_too")
    assert [copy.enabled for copy in copies_in(resources)] == [False, True]
    (resources / "config/userpref.blend").write_bytes(b"\0bpy_bridge\0")
    assert [copy.enabled for copy in copies_in(resources)] == [True, False]


def test_where_nothing_was_ever_installed_there_is_nothing(resources):
    assert list(copies_in(resources)) == []


@pytest.mark.parametrize("text", ["(", "bl_info = {}", "bl_info = f()", ""])
def test_one_that_does_not_say_its_version_has_none(resources, text):
    path = resources / "scripts/addons/bpy_bridge"
    path.mkdir(parents=True)
    (path / "__init__.py").write_text(text)
    assert [copy.version for copy in copies_in(resources)] == [None]


class TestWhere:
    @pytest.fixture(autouse=True)
    def standard(self, resources, monkeypatch, tmp_path):
        monkeypatch.delenv("BLENDER_USER_RESOURCES")
        monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
        monkeypatch.setattr("sys.platform", "linux")

    def test_each_version_has_a_directory_of_its_own(self, program, tmp_path):
        assert user_directory(program()) == tmp_path / "config/blender/4.2"
        assert user_directory(Program("/blender", None)) is None
        (tmp_path / "config/blender/3.4").mkdir(parents=True)
        assert user_directories() == [tmp_path / "config/blender/3.4"]

    def test_one_that_can_be_carried_about_has_it_beside_itself(self, program, tmp_path):
        (tmp_path / "portable").mkdir()
        assert user_directory(program()) == tmp_path / "portable"
        (tmp_path / "3.6/config").mkdir(parents=True)
        assert user_directory(program(version=(3, 6))) == tmp_path / "3.6"

    def test_on_other_systems_it_is_elsewhere(self, program, monkeypatch, tmp_path):
        monkeypatch.setattr("sys.platform", "win32")
        monkeypatch.setenv("APPDATA", "/roaming")
        assert str(user_directory(program())) == "/roaming/Blender Foundation/Blender/4.2"
        monkeypatch.setattr("sys.platform", "darwin")
        monkeypatch.setenv("HOME", "/Users/me")
        assert str(user_directory(program())) == "/Users/me/Library/Application Support/Blender/4.2"
