"""Blender is started to install and to remove; what comes of it, or what it said last, is told."""

from __future__ import annotations

import pytest

from bridge.addon import install, uninstall
from bridge.addon.build import extension, legacy
from bridge.errors import EXIT_FAILED, EXIT_NO_BLENDER, AddonError, NoBlender

DONE = """echo noise; printf '\\nbpy-bridge add-on: {"module": "some.module"}\\n'; echo quits"""
KEEPS = 'for last; do :; done; cp "$last" "$0.zip"; echo "$@" > "$0.said"\n'


@pytest.mark.parametrize(("version", "archive"), [((4, 2), extension), ((4, 1), legacy), ((3, 4), legacy)])
def test_it_gets_the_zip_that_its_version_takes(program, version, archive):
    blender = program(KEEPS + DONE, version)
    assert install(blender) == "some.module"
    with open(f"{blender.path}.zip", "rb") as file:
        assert file.read() == archive()


def test_the_user_s_preferences_are_the_ones_that_are_saved(program):
    blender = program(KEEPS + DONE)
    install(blender)
    with open(f"{blender.path}.said", encoding="utf-8") as file:
        said = file.read()
    assert "--factory-startup" not in said
    assert said.startswith("-b ")


def test_removing_says_whether_there_was_one(program):
    assert uninstall(program(DONE))
    assert not uninstall(program("""echo 'bpy-bridge add-on: {"module": null}'"""))


def test_what_blender_refuses_is_one_line_with_what_it_said_last(program):
    said = r'bpy-bridge add-on: {"error": "Traceback\n  x\nValueError: no room\n"}'
    lines = f"echo first; echo second; printf '%s\\n' '{said}'"
    with pytest.raises(AddonError) as caught:
        install(program(lines))
    head, *tail = str(caught.value).splitlines()
    assert head.endswith("blender: install failed: ValueError: no room; it said last:")
    assert tail == ["first", "second"]
    assert caught.value.exit_code == EXIT_FAILED


def test_one_that_dies_is_told_with_its_last_words(program):
    with pytest.raises(AddonError, match=r"ended with 3; it said last:\nno display"):
        install(program("echo no display; exit 3"))


def test_one_that_does_not_end_is_ended(program):
    with pytest.raises(AddonError, match=r"did not end within 0\.3 s"):
        install(program("sleep 60"), seconds=0.3)


def test_what_is_too_old_or_no_blender_is_refused_before_it_is_started(program):
    with pytest.raises(NoBlender, match=r"is Blender 3.3: the add-on needs 3.4 or later") as caught:
        install(program(version=(3, 3)))
    assert caught.value.exit_code == EXIT_NO_BLENDER
    with pytest.raises(NoBlender, match="is no Blender, or does not start"):
        uninstall(program(version=None))
