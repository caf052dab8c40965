"""Where the relay looks first is where the bridge is, or nowhere."""

from __future__ import annotations

import sys

import pytest

from bridge import paths
from bridge.relay import usual_place

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere `paths` is asked at once")


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch):
    for name in ("BPY_BRIDGE_HOME", "BPY_BRIDGE_NAME", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("name", [None, "", "default", "studio", "a.b-c_1"])
@pytest.mark.parametrize("variable", ["BPY_BRIDGE_HOME", "XDG_RUNTIME_DIR"])
def test_it_is_where_the_bridge_opens_its_door(tmp_path, monkeypatch, name, variable):
    directory = tmp_path / "r"
    (directory / "bpy-bridge").mkdir(mode=0o700, parents=True)
    directory.chmod(0o700)
    monkeypatch.setenv(variable, str(directory))
    if name is not None:
        monkeypatch.setenv("BPY_BRIDGE_NAME", name)
    assert f"unix:{usual_place()}" == paths.default_mcp()


def test_a_home_below_the_users_is_found(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "b").mkdir(mode=0o700)
    monkeypatch.setenv("BPY_BRIDGE_HOME", "~/b")
    assert f"unix:{usual_place()}" == paths.default_mcp()


def test_a_directory_that_others_may_use_is_left_to_be_judged(tmp_path, monkeypatch):
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path))
    tmp_path.chmod(0o755)
    assert usual_place() is None
    tmp_path.chmod(0o700)
    assert usual_place() is not None


@pytest.mark.parametrize("name", ["../x", "a/b", "/x"])
def test_a_name_that_leads_elsewhere_is_left_to_be_judged(tmp_path, monkeypatch, name):
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path))
    monkeypatch.setenv("BPY_BRIDGE_NAME", name)
    assert usual_place() is None


def test_where_nothing_is_set_or_nothing_is_there_it_is_not_known(tmp_path, monkeypatch):
    assert usual_place() is None
    monkeypatch.setenv("BPY_BRIDGE_HOME", str(tmp_path / "nowhere"))
    assert usual_place() is None
