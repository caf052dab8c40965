"""Where each assistant keeps its file, and what our entry in it says."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.assistants import assistants, entry, entry_name
from bridge.errors import ConfigurationError


@pytest.fixture
def person(home, tmp_path, monkeypatch):
    """Somebody's directory."""
    for name in ("XDG_CONFIG_HOME", "CLAUDE_CONFIG_DIR", "APPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def relay(tmp_path, monkeypatch):
    """The installed relay, beside the Python that runs."""
    place = tmp_path / "bin" / "bpy-bridge-mcp"
    place.parent.mkdir()
    place.write_text("")
    monkeypatch.setattr(sys, "executable", str(place.with_name("python")))
    return str(place)


@pytest.mark.parametrize(
    ("platform", "client", "place"),
    [
        ("linux", "claude-desktop", ".config/Claude/claude_desktop_config.json"),
        ("linux", "claude-code", ".claude.json"),
        ("linux", "cursor", ".cursor/mcp.json"),
        ("linux", "vscode", ".config/Code/User/mcp.json"),
        ("darwin", "claude-desktop", "Library/Application Support/Claude/claude_desktop_config.json"),
        ("darwin", "vscode", "Library/Application Support/Code/User/mcp.json"),
        ("win32", "claude-desktop", "AppData/Roaming/Claude/claude_desktop_config.json"),
        ("win32", "vscode", "AppData/Roaming/Code/User/mcp.json"),
    ],
)
def test_each_has_its_place(person, monkeypatch, platform, client, place):
    monkeypatch.setattr(sys, "platform", platform)
    assert assistants()[client].file == person / place


@pytest.mark.parametrize(
    ("variable", "client", "place"),
    [
        ("XDG_CONFIG_HOME", "vscode", "Code/User/mcp.json"),
        ("CLAUDE_CONFIG_DIR", "claude-code", ".claude.json"),
    ],
)
def test_who_keeps_them_elsewhere_is_asked(person, monkeypatch, variable, client, place):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setenv(variable, str(person / "elsewhere"))
    assert assistants()[client].file == person / "elsewhere" / place


def test_vs_code_calls_its_table_otherwise(person):
    tables = {name: assistant.table for name, assistant in assistants().items()}
    assert tables == {name: "servers" if name == "vscode" else "mcpServers" for name in tables}


def test_the_entry_starts_the_relay_of_this_installation_by_its_whole_path(home, relay):
    found = entry(typed=False)
    assert (found["command"], found["args"]) == (relay, [])
    assert Path(found["command"]).is_absolute()
    assert "type" not in found


def test_the_transport_is_named_where_it_is_wanted(home, relay):
    assert entry(typed=True)["type"] == "stdio"


def test_it_says_which_tools_which_blender_and_which_bridge(home, relay, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_NAME", "farm")
    found = entry(typed=False, tools="scene,object", instance="studio")
    assert found["args"] == ["--tools", "scene,object", "--instance", "studio", "--name", "farm"]


def test_assistants_start_it_without_our_variables_so_it_has_them(home, relay):
    assert entry(typed=False)["env"] == {"BPY_BRIDGE_HOME": str(home)}


def test_without_a_directory_of_our_own_nothing_is_said_of_it(relay, monkeypatch):
    monkeypatch.delenv("BPY_BRIDGE_HOME", raising=False)
    assert "env" not in entry(typed=False)


def test_a_relay_elsewhere_is_found_on_path(home, tmp_path, monkeypatch):
    other = tmp_path / "other"
    other.mkdir()
    (other / "bpy-bridge-mcp").touch(mode=0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(other))
    assert entry(typed=False)["command"] == str(other / "bpy-bridge-mcp")


def test_without_a_relay_it_says_what_is_missing(home, tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ConfigurationError, match="pip install bpy-bridge"):
        entry(typed=False)


@pytest.mark.parametrize(
    ("bridge", "instance", "name"),
    [
        ("default", None, "blender"),
        ("default", "studio", "blender-studio"),
        ("farm", None, "blender-farm"),
        ("farm", "studio", "blender-farm-studio"),
    ],
)
def test_entries_for_several_blenders_stand_side_by_side(home, monkeypatch, bridge, instance, name):
    monkeypatch.setenv("BPY_BRIDGE_NAME", bridge)
    assert entry_name(instance) == name
