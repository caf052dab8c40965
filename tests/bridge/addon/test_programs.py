"""Which Blenders there are."""

from __future__ import annotations

import os

import pytest

from bridge.addon import executables, find, programs
from bridge.errors import EXIT_NO_BLENDER, NoBlender


@pytest.fixture
def alone(monkeypatch, tmp_path):
    """Nothing is on PATH, and home is empty."""
    monkeypatch.setenv("PATH", str(tmp_path / "path"))
    monkeypatch.setattr(programs, "_USUAL", {"linux": (("~", ("blender*/blender",)),)})
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


def test_those_on_path_and_in_the_usual_places_are_found(alone, script, tmp_path):
    found = [script(name="path/blender"), script(name="home/blender-4.5/blender")]
    assert list(executables()) == found


def test_each_is_found_once_whatever_leads_to_it(alone, script, tmp_path):
    path = script(name="home/blender-4.5/blender")
    (tmp_path / "path").mkdir()
    (tmp_path / "path/blender").symlink_to(path)
    assert list(executables()) == [str(tmp_path / "path/blender")]


def test_what_is_no_program_is_not_found(alone, script):
    os.chmod(script(name="home/blender-4.5/blender"), 0o644)
    assert list(executables()) == []


def test_that_there_is_none_is_exit_code_3(alone):
    with pytest.raises(NoBlender, match="name one with --blender PATH") as caught:
        find()
    assert caught.value.exit_code == EXIT_NO_BLENDER


def test_the_one_that_was_named_is_found_by_its_path_or_its_name(alone, script):
    assert [program.path for program in find(script(name="other/mine"))] == [script(name="other/mine")]
    path = script(name="path/blender-4.5")
    assert [program.path for program in find("blender-4.5")] == [path]


def test_one_that_is_not_there_is_refused(alone):
    with pytest.raises(NoBlender, match="there is no executable 'nothing'"):
        find("nothing")


@pytest.mark.parametrize(
    ("version", "found", "extensions"),
    [("3.4.1", (3, 4), False), ("4.1.1", (4, 1), False), ("4.2.1 LTS", (4, 2), True), ("10.0.0 Alpha", (10, 0), True)],
)
def test_each_says_its_version_and_with_it_what_it_takes(script, version, found, extensions):
    [program] = find(script(version=version))
    assert (program.version, program.takes_extensions) == (found, extensions)


def test_of_what_is_no_blender_it_is_known_what_it_says(tmp_path, script):
    path = script(version="is what I am not")
    [program] = find(path)
    assert (program.version, program.said) == (None, "Blender is what I am not")
