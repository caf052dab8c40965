"""Which Blenders there are, and which of them have our add-on, of which version."""

from __future__ import annotations

import pytest

from bridge import __version__
from bridge.doctor.addons import addons


@pytest.fixture
def resources(tmp_path, monkeypatch):
    """Where Blender's user keeps things; no program is on PATH."""
    for variable in ("SCRIPTS", "EXTENSIONS"):
        monkeypatch.delenv(f"BLENDER_USER_{variable}", raising=False)
    monkeypatch.setenv("BLENDER_USER_RESOURCES", str(tmp_path / "blender"))
    monkeypatch.setattr("bridge.doctor.addons.executables", lambda: iter(()))
    return tmp_path / "blender"


def install(directory, version):
    directory.mkdir(parents=True)
    (directory / "blender_manifest.toml").write_text(f'version = "{version}"')
    return directory


def found(place):
    return [(finding.level, finding.what) for finding in addons(place())]


def test_that_it_is_nowhere_is_fine(place, resources):
    assert found(place) == [("ok", "the add-on is installed in no Blender, and no worker needs it")]


def test_an_extension_of_our_version_is_fine(place, resources):
    path = install(resources / "extensions/user_default/bpy_bridge", __version__)
    assert found(place) == [("ok", f"the add-on in {path} is version {__version__}")]


def test_one_of_another_version_is_found(place, resources):
    path = install(resources / "scripts/addons/blender_addon", "0.0.9")
    [(level, what)] = found(place)
    assert (level, what) == ("warning", f"the add-on in {path} is version 0.0.9, and this is {__version__}")


def test_an_add_on_of_the_old_kind_says_its_version_too(place, resources):
    path = resources / "scripts/addons/bpy_bridge"
    path.mkdir(parents=True)
    (path / "__init__.py").write_text("bl_info = {'name': 'x', 'version': (0, 0, 9)}\nimport nothing_like_this")
    assert "is version 0.0.9" in found(place)[0][1]


@pytest.mark.parametrize("text", ["(", "bl_info = {}", "bl_info = f()", ""])
def test_one_that_does_not_say_its_version_is_found(place, resources, text):
    path = resources / "scripts/addons/bpy_bridge"
    path.mkdir(parents=True)
    (path / "__init__.py").write_text(text)
    assert found(place) == [("warning", f"the add-on in {path} does not say its version")]


def test_every_version_of_blender_is_looked_at(place, resources, monkeypatch, tmp_path):
    monkeypatch.delenv("BLENDER_USER_RESOURCES")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    for version in ("3.4", "5.0"):
        install(resources / version / "scripts/addons/bpy_bridge", __version__)
    assert len(found(place)) == 2


def test_blenders_own_variables_are_followed(place, resources, monkeypatch, tmp_path):
    monkeypatch.setenv("BLENDER_USER_EXTENSIONS", str(tmp_path / "mine"))
    install(tmp_path / "mine/user_default/bpy_bridge", __version__)
    monkeypatch.setenv("BLENDER_USER_SCRIPTS", str(tmp_path / "others"))
    install(tmp_path / "others/addons/bpy_bridge", __version__)
    assert len(found(place)) == 2


def test_a_blender_is_reported_with_its_version(place, resources, tmp_path, monkeypatch):
    program = tmp_path / "program"
    program.write_text("#!/bin/sh\necho Blender 4.5.1")
    program.chmod(0o755)
    monkeypatch.setattr("bridge.doctor.addons.executables", lambda: iter([str(program)]))
    assert found(place)[0] == ("ok", f"Blender 4.5 is at {program}")
    program.write_text("#!/bin/sh\nexit 1")
    assert found(place)[0] == ("warning", f"{program} does not say its version")
    assert len(found(place)) == 2
