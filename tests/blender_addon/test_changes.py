"""Whether a Blender without a window knows that there is something to save, in a real one."""

from __future__ import annotations

import importlib.util

import pytest

from tests.blender_addon.serving import PATIENCE, Client
from tests.blender_addon.test_headless import Worker

pytestmark = [
    pytest.mark.blender,
    pytest.mark.skipif(importlib.util.find_spec("bpy") is None, reason="needs the bpy wheel"),
]


@pytest.fixture
def client(tmp_path):
    worker = Worker(f"unix:{tmp_path}/w.sock")
    yield worker.client()
    worker.close()


def dirty(client: Client) -> bool:
    """What the pong says once the last command is over in every respect."""
    while (pong := client.ping())["busy"] or pong["last_tick_age"] > 0:
        assert pong["last_tick_age"] < PATIENCE
    return pong["dirty"]


def run(client: Client, code: str) -> None:
    body = client.call("r", "code.execute", {"code": "import bpy\n" + code})
    assert "result" in body, body


def test_what_only_looks_and_what_renders_leaves_nothing_to_save(client):
    assert not dirty(client)
    client.call("r", "scene.summary")
    client.call("r", "render.still", {"width": 16, "height": 16, "engine": "cycles", "samples": 1})
    assert not dirty(client)
    assert client.ping()["runs"] == 2


def test_a_change_is_unsaved_until_it_is_saved_or_thrown_away(client, tmp_path):
    for settle in (("file.save", {"path": str(tmp_path / "a.blend")}), ("file.new", {}), ("file.open", None)):
        client.call("r", "object.create", {"type": "empty", "name": "New"})
        assert dirty(client)
        client.call("r", settle[0], {"path": str(tmp_path / "a.blend")} if settle[1] is None else settle[1])
        assert not dirty(client)


def test_a_copy_saves_nothing(client, tmp_path):
    for saved in (None, str(tmp_path / "own.blend")):
        if saved is not None:
            client.call("r", "file.save", {"path": saved})
        client.call("r", "object.create", {"type": "empty", "name": "New"})
        client.call("r", "file.save", {"path": str(tmp_path / "copy.blend"), "copy": True})
        assert dirty(client)


def test_saving_again_under_the_same_name_saves(client, tmp_path):
    for _ in range(2):
        client.call("r", "object.create", {"type": "empty", "name": "New"})
        client.call("r", "file.save", {"path": str(tmp_path / "own.blend")})
        assert not dirty(client)


def test_python_is_taken_to_have_changed_something(client):
    run(client, "result = 1")
    assert dirty(client)


def test_python_that_saves_or_loads_and_then_does_no_more_has_not(client, tmp_path):
    path = str(tmp_path / "a.blend")
    save = f"bpy.ops.wm.save_as_mainfile(filepath={path!r})\nresult = 1\n"
    move = "bpy.data.objects['Cube'].location.x = 5\n"
    run(client, move + save)
    assert not dirty(client)
    run(client, f"bpy.ops.wm.open_mainfile(filepath={path!r})\n{move}result = 1")
    assert dirty(client)


def test_a_command_that_fails_may_have_changed_something(client):
    client.call("r", "code.execute", {"code": "raise ValueError"})
    assert dirty(client)
