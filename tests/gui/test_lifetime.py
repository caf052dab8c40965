"""The add-on comes and goes while Blender stays, and leaves nothing."""

from __future__ import annotations

import pytest

from bridge.errors import BridgeError
from tests.integration.serving import environment, until

from . import desktop
from .conftest import Tool, known

pytestmark = pytest.mark.gui

DISABLE = 'bpy.ops.preferences.addon_disable(module="bpy_bridge")'
ENABLE = 'bpy.ops.preferences.addon_enable(module="bpy_bridge")'

TRACES = """
import gc, os, signal, threading, types

def ours(item):
    return str(getattr(item, "__module__", "")).startswith("bpy_bridge")

def opened():
    for descriptor in os.listdir("/proc/self/fd"):
        try:
            yield os.readlink(f"/proc/self/fd/{descriptor}").partition(":[")[0]
        except OSError:
            pass  # the one of listdir itself

gc.collect()
callables = [item for item in gc.get_objects() if isinstance(item, (types.FunctionType, types.MethodType))]
handlers = [getattr(bpy.app.handlers, name) for name in dir(bpy.app.handlers)]
result = {
    "threads": [thread.name for thread in threading.enumerate()],
    "timers": [item.__qualname__ for item in callables if ours(item) and bpy.app.timers.is_registered(item)],
    "handlers": [item.__qualname__ for known in handlers if isinstance(known, list) for item in known if ours(item)],
    "classes": [name for name in dir(bpy.types) if name.upper().startswith(("BPYBRIDGE", "BPY_BRIDGE"))],
    "signal": ours(signal.getsignal(signal.SIGUSR1)),
    "opened": sorted(kind for kind in opened() if kind in ("socket", "pipe", "anon_inode")),
}
"""


@pytest.fixture
def enabled(desk, tool):
    """Whatever the test does, the add-on is enabled and found again at its end."""
    yield desk
    desk.window.by_hand(ENABLE)
    ask(desk)


def traces(desk):
    return desk.window.by_hand(TRACES)


def test_while_it_is_enabled_the_traces_are_seen(desk, tool):
    found = traces(desk)

    assert len(found["threads"]) > 1
    assert found["timers"]
    assert found["handlers"]
    assert found["classes"]
    assert found["signal"] is True
    assert len(desk.window.files()) == 2


def test_disabled_it_leaves_nothing_and_enabled_it_serves_again(enabled):
    enabled.window.by_hand(DISABLE)
    first = traces(enabled)
    assert {**first, "opened": None} == {
        "threads": ["MainThread"],
        "timers": [],
        "handlers": [],
        "classes": [],
        "signal": False,
        "opened": None,
    }
    assert enabled.window.files() == []

    for _ in range(3):
        enabled.window.by_hand(ENABLE)
        ask(enabled)
        enabled.window.by_hand(DISABLE)

    assert traces(enabled) == first
    assert enabled.window.files() == []


def test_a_client_that_switches_it_off_has_its_answer(enabled):
    with enabled.client() as client:
        assert Tool(client).python("bpy.ops.bpy_bridge.stop()\nresult = 'stopped'") == "stopped"

    until(lambda: traces(enabled)["threads"] == ["MainThread"])
    assert traces(enabled)["timers"] == []
    assert enabled.window.files() == []
    enabled.window.by_hand("bpy.ops.bpy_bridge.start()")


@pytest.mark.parametrize(
    "way",
    [
        "bpy.ops.script.reload()",
        "bpy.ops.wm.read_userpref()",
        "bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)",
    ],
)
def test_it_serves_after(enabled, way):
    enabled.window.by_hand(way)

    ask(enabled)
    assert len(enabled.window.files()) == 2


@pytest.mark.parametrize("way", ["bpy.ops.wm.read_factory_settings()", "bpy.ops.wm.read_factory_userpref()"])
def test_factory_settings_disable_it_as_every_add_on(enabled, way):
    enabled.window.by_hand(way)

    until(lambda: enabled.window.files() == [])
    enabled.window.by_hand(ENABLE)
    ask(enabled)


def test_stopped_and_started_by_its_buttons(enabled):
    enabled.window.by_hand("bpy.ops.bpy_bridge.stop()")
    assert enabled.window.files() == []
    assert traces(enabled)["threads"] == ["MainThread"]

    enabled.window.by_hand("bpy.ops.bpy_bridge.start()")

    ask(enabled)


def test_a_blender_that_is_quit_takes_its_files_along(screen, archive, tmp_path):
    variables = environment(tmp_path / "home")
    desktop.install(archive, variables)
    with desktop.window(screen, variables, tmp_path) as window:
        window.descriptor()
        assert len(window.files()) == 2

        window.by_hand("bpy.ops.wm.quit_blender()")

        assert window.process.wait(60) == 0
        assert window.files() == []


def test_another_add_ons_commands_come_and_go_with_it(desk, tool):
    source = '''
def bpy_bridge_commands(command):
    @command("trees.plant")
    def plant(*, kind: str, count: int = 1) -> dict[str, int]:
        """Plant trees of that kind."""
        import bpy
        for _ in range(count):
            bpy.context.scene.collection.objects.link(bpy.data.objects.new(kind, None))
        return {"planted": count}

def register(): pass
def unregister(): pass
'''
    desk.window.by_hand(f"""
import os
place = bpy.utils.user_resource("SCRIPTS", path="addons", create=True)
open(os.path.join(place, "trees.py"), "w").write('bl_info = {{"name": "Trees", "blender": (3, 4, 0)}}' + {source!r})
bpy.ops.preferences.addon_refresh()
bpy.ops.preferences.addon_enable(module="trees")
""")
    with desk.client() as client:
        until(lambda: "trees.plant" in methods(client))
        assert client.call("trees.plant", {"kind": "oak", "count": 2}).value == {"planted": 2}
        assert Tool(client).get("history.undo")["names"] == ["trees.plant"]

        desk.window.by_hand('bpy.ops.preferences.addon_disable(module="trees")')

        until(lambda: "trees.plant" not in methods(client))
        with pytest.raises(BridgeError):
            client.call("trees.plant", {"kind": "oak"})


def methods(client):
    return [entry["name"] for entry in client.call("addon.describe").value["methods"]]


def ask(desk):
    """It is announced, the bridge finds it, and it answers."""
    found = desk.window.descriptor()
    with desk.client() as client:
        until(lambda: "blender" in known(client))
        until(lambda: found.address in [entry["address"] for entry in client.call("bridge.instances").value])
        assert Tool(client).python("result = 'here'") == "here"
