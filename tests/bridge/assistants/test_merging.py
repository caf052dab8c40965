"""Our entry into an assistant's file: everything else in it stays as it was."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from bridge.assistants import Assistant, write
from bridge.errors import ConfigurationError

OURS = {"command": "/opt/bin/bpy-bridge-mcp", "args": []}
OTHER = {"command": "npx", "args": ["-y", "something"]}


@pytest.fixture
def assistant(tmp_path):
    return Assistant("Some", tmp_path / "some" / "config.json", "mcpServers", typed=False, afterwards="look")


@pytest.fixture
def file(assistant):
    assistant.file.parent.mkdir()
    return assistant.file


def others(file: Path) -> list[str]:
    """What lies beside the file."""
    return sorted(name for name in os.listdir(file.parent) if name != file.name)


def test_where_there_is_no_file_there_is_one_then_for_its_owner_alone(assistant):
    written = write(assistant, "blender", OURS)
    assert (written.changed, written.backup) == (True, None)
    assert json.loads(assistant.file.read_text()) == {"mcpServers": {"blender": OURS}}
    assert stat.S_IMODE(assistant.file.stat().st_mode) == 0o600
    assert others(assistant.file) == []


@pytest.mark.parametrize("text", ["", "\n", "{}", '{"mcpServers": {}}'])
def test_an_empty_one_is_filled(assistant, file, text):
    file.write_text(text)
    write(assistant, "blender", OURS)
    assert json.loads(file.read_text()) == {"mcpServers": {"blender": OURS}}


def test_everything_else_stays_in_its_order(assistant, file):
    before = {"zoom": 1.5, "mcpServers": {"z": OTHER, "a": OTHER}, "ü": [1, None, {"x": "é\u2028"}], "alpha": True}
    file.write_text(json.dumps(before))
    write(assistant, "blender", OURS)
    after = json.loads(file.read_text())
    assert after.pop("mcpServers") == {"z": OTHER, "a": OTHER, "blender": OURS}
    assert list(after) == ["zoom", "ü", "alpha"]
    assert after == {name: value for name, value in before.items() if name != "mcpServers"}
    assert list(json.loads(file.read_text())["mcpServers"]) == ["z", "a", "blender"]


def test_a_copy_of_what_was_is_kept_each_time(assistant, file):
    file.write_text('{"a":1}')
    first = write(assistant, "blender", OURS)
    between = file.read_bytes()
    second = write(assistant, "blender", {**OURS, "args": ["--tools", "full"]})
    assert first.backup.read_text() == '{"a":1}'
    assert second.backup.read_bytes() == between
    assert first.backup != second.backup


def test_a_file_that_says_so_already_is_not_touched(assistant, file):
    file.write_text(json.dumps({"mcpServers": {"blender": OURS}}))
    before = file.stat()
    written = write(assistant, "blender", OURS)
    assert (written.changed, written.backup) == (False, None)
    after = file.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)
    assert others(file) == []


def test_our_former_entry_is_replaced_where_it_stands(assistant, file):
    former = {"type": "stdio", "command": "C:\\venv\\Scripts\\bpy-bridge-mcp.exe"}
    file.write_text(json.dumps({"mcpServers": {"blender": former, "z": OTHER}}))
    write(assistant, "blender", OURS)
    assert list(json.loads(file.read_text())["mcpServers"].items()) == [("blender", OURS), ("z", OTHER)]


@pytest.mark.parametrize("server", [OTHER, {"url": "http://localhost/mcp"}, "?", {"command": None}])
def test_another_server_of_that_name_stays_and_ours_has_another(assistant, file, server):
    file.write_text(json.dumps({"mcpServers": {"blender": server}}))
    assert write(assistant, "blender", OURS).name == "bpy-bridge"
    assert write(assistant, "blender-studio", OURS).name == "blender-studio"
    assert not write(assistant, "blender", OURS).changed
    kept = {"blender": server, "bpy-bridge": OURS, "blender-studio": OURS}
    assert json.loads(file.read_text()) == {"mcpServers": kept}


@pytest.mark.parametrize(
    "content",
    [
        b'{"a": 1,}',
        b'{\n  // a comment\n  "a": 1\n}',
        b'{"a": 1',
        b"[]",
        b'"text"',
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": 1, "a": 2}',
        '{"a": 1}'.encode("utf-16"),
        b"\xff",
        b"[" * 100_000,
        b'{"mcpServers": []}',
        b'{"mcpServers": null}',
    ],
)
def test_what_cannot_be_kept_as_it_is_is_left_alone(assistant, file, content):
    file.write_bytes(content)
    with pytest.raises(ConfigurationError, match="by hand") as error:
        write(assistant, "blender", OURS)
    assert str(file) in str(error.value)
    assert file.read_bytes() == content
    assert others(file) == []


@pytest.mark.parametrize("indent", [2, 4, "\t"])
def test_it_is_indented_as_it_was(assistant, file, indent):
    file.write_text(json.dumps({"a": {"b": 1}}, indent=indent))
    write(assistant, "blender", OURS)
    text = file.read_text()
    assert text == json.dumps(json.loads(text), indent=indent) + "\n"


def test_lines_end_as_they_did(assistant, file):
    file.write_bytes(b'{\r\n  "a": 1\r\n}\r\n')
    write(assistant, "blender", OURS)
    data = file.read_bytes()
    assert data.count(b"\n") == data.count(b"\r\n") > 3


def test_a_byte_order_mark_is_no_obstacle(assistant, file):
    file.write_bytes(b'\xef\xbb\xbf{"a": 1}')
    write(assistant, "blender", OURS)
    assert json.loads(file.read_bytes())["a"] == 1


def test_half_a_character_stays_as_it_was(assistant, file):
    file.write_text('{"a": "\\ud83d", "b": "é"}')
    write(assistant, "blender", OURS)
    after = json.loads(file.read_text())
    assert (after["a"], after["b"]) == ("\ud83d", "é")


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o644])
def test_its_mode_stays(assistant, file, mode):
    file.write_text("{}")
    file.chmod(mode)
    written = write(assistant, "blender", OURS)
    assert stat.S_IMODE(file.stat().st_mode) == mode
    assert stat.S_IMODE(written.backup.stat().st_mode) == mode


def test_a_link_stays_a_link_and_what_it_points_to_is_written(assistant, file, tmp_path):
    kept = tmp_path / "dotfiles" / "real.json"
    kept.parent.mkdir()
    kept.write_text('{"a": 1}')
    file.symlink_to(kept)
    written = write(assistant, "blender", OURS)
    assert file.is_symlink()
    assert written.file == kept
    assert written.backup.parent == kept.parent
    assert json.loads(kept.read_text()) == {"a": 1, "mcpServers": {"blender": OURS}}


def test_a_link_to_what_is_not_there_yet_is_followed(assistant, file, tmp_path):
    file.symlink_to(tmp_path / "later" / "real.json")
    write(assistant, "blender", OURS)
    assert file.is_symlink()
    assert json.loads(file.read_text())["mcpServers"] == {"blender": OURS}


def test_a_link_in_a_circle_is_an_error_in_words(assistant, file):
    file.symlink_to(file)
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write(assistant, "blender", OURS)


def test_a_directory_in_its_place_is_an_error_in_words(assistant, file):
    file.mkdir()
    with pytest.raises(ConfigurationError, match="cannot be written: Is a directory"):
        write(assistant, "blender", OURS)


def test_a_file_in_the_place_of_its_directory_is_an_error_in_words(assistant):
    assistant.file.parent.write_text("")
    with pytest.raises(ConfigurationError, match="cannot be written"):
        write(assistant, "blender", OURS)


def test_what_may_not_be_written_is_left_as_it_is(assistant, file, monkeypatch):
    def refused(*_, **__):
        raise PermissionError(13, "Permission denied")

    file.write_text("{}")
    monkeypatch.setattr("tempfile.mkstemp", refused)
    with pytest.raises(ConfigurationError, match="Permission denied"):
        write(assistant, "blender", OURS)
    assert file.read_text() == "{}"
    assert others(file) == []


def test_what_cannot_be_put_in_place_leaves_nothing_behind(assistant, file, monkeypatch):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    file.write_text("{}")
    monkeypatch.setattr("shutil.copy2", full)
    with pytest.raises(ConfigurationError, match="No space left"):
        write(assistant, "blender", OURS)
    assert file.read_text() == "{}"
    assert others(file) == []


def test_what_somebody_else_writes_meanwhile_is_not_lost(assistant, file, monkeypatch):
    file.write_text("{}")
    make = __import__("tempfile").mkstemp

    def meanwhile(**options):
        file.write_text('{"theirs": 1}')
        return make(**options)

    monkeypatch.setattr("tempfile.mkstemp", meanwhile)
    with pytest.raises(ConfigurationError, match="try again"):
        write(assistant, "blender", OURS)
    assert file.read_text() == '{"theirs": 1}'
    assert others(file) == []
