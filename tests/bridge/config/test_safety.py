"""The table `safety`: what tools may do in Blenders, all of them or one."""

from __future__ import annotations

import os

from bridge.config import list_settings

FOLDERS = ["/srv/renders", "/srv/more"]


def test_by_default_everything_is_allowed(load):
    safety = load().safety
    assert (safety.code, safety.write_folders) == (True, None)


def test_from_the_environment(load):
    safety = load(SAFETY__CODE="false", SAFETY__WRITE_FOLDERS=os.pathsep.join(FOLDERS)).safety
    assert (safety.code, [str(folder) for folder in safety.write_folders]) == (False, FOLDERS)


def test_an_empty_list_is_no_folder_at_all(load):
    assert load(SAFETY__WRITE_FOLDERS="").safety.write_folders == []
    assert load(toml="safety.write_folders = []").safety.write_folders == []


def test_one_blender_may_differ(load):
    settings = load(toml="[safety]\ncode = false\n[workers.a]\ncount = 2\n[workers.a.safety]\ncode = true\n[workers.b]")
    assert settings.safety_for("a-2").code
    assert not settings.safety_for("b").code
    assert not settings.safety_for("anybody").code


def test_a_folder_that_is_relative_is_refused_with_an_example(refusal):
    said = refusal(SAFETY__WRITE_FOLDERS="renders")
    assert "safety.write_folders" in said
    assert "must be absolute folders, and renders is not" in said
    assert "BPY_BRIDGE_SAFETY__WRITE_FOLDERS=/home/me/renders" in said


def test_an_instance_has_no_folders_for_the_bridge_to_guard(refusal):
    said = refusal(toml="[instances.a]\naddress = 'unix:/x'\nsafety.write_folders = ['/x']")
    assert "instances.a.safety.write_folders" in said
    assert "no setting" in said


def test_they_are_listed(load):
    listed = {setting.name: setting for setting in list_settings(load(SAFETY__WRITE_FOLDERS="/a"), ())}
    assert (listed["safety.code"].text, listed["safety.write_folders"].value) == ("true", ["/a"])
    assert all(listed[f"safety.{name}"].meaning for name in ("code", "write_folders"))
