"""Which Blender is started."""

from __future__ import annotations

import os
import sys

import pytest

from bridge.errors import NoBlender
from bridge.supervisor.executable import find_blender


def test_the_wheel_is_preferred(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())
    assert find_blender("bpy") == [sys.executable, "-m", "blender_addon.headless"]


def test_without_the_wheel_the_blender_on_path_is_taken(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    blender = tmp_path / "blender"
    blender.write_text("#!/bin/sh\n")
    blender.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    command = find_blender("bpy")
    assert command[0] == str(blender)
    assert command[-1] == "--"
    assert os.path.isfile(command[-2])
    assert find_blender(str(blender))[0] == str(blender)


def test_without_any_it_says_what_to_install(monkeypatch, tmp_path):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NoBlender, match="pip install"):
        find_blender("bpy")
