"""Loading files, undo and the like leave the connection as it was."""

from __future__ import annotations

import pytest

from tests.integration.serving import until

pytestmark = pytest.mark.gui


def test_the_same_connection_goes_on_after_a_file_is_opened(tool, tmp_path):
    path = str(tmp_path / "a.blend")
    tool.get("object.update", name="Cube", new_name="Kept")
    tool.get("file.save", path=path)
    tool.get("file.new")

    tool.get("file.open", path=path)

    assert tool.get("object.get", name="Kept")["type"] == "MESH"


def test_the_bridge_is_told_which_file_is_open(desk, tool, tmp_path):
    path = str(tmp_path / "shot-020.blend")
    tool.get("file.save", path=path)

    until(lambda: desk.window.descriptor().file == path)


@pytest.mark.parametrize("way", ["use_factory_startup=True", "use_empty=True", ""])
def test_a_new_file_by_hand_disturbs_nothing(desk, tool, way):
    desk.window.by_hand(f"bpy.ops.wm.read_homefile({way})")

    assert tool.get("scene.summary")["scene"] == "Scene"


def test_a_file_that_code_opens_leaves_its_caller_its_answer(tool):
    told = tool.python("""
bpy.ops.wm.read_homefile(use_factory_startup=True, use_empty=True)
result = len(bpy.data.objects)
""")

    assert told == 0


def test_a_command_is_one_undo_step_of_the_persons(desk, tool):
    tool.get("object.create", type="monkey", name="Suzanne")

    # A person's undo happens in a window: the timer of a hand has none.
    undo = "with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]): bpy.ops.ed.undo()"
    desk.window.by_hand(undo)

    assert "Suzanne" not in desk.window.by_hand("result = [item.name for item in bpy.data.objects]")
    assert tool.get("scene.summary")["object_count"] == 3


def test_undo_and_redo_by_command(tool):
    tool.get("object.create", type="monkey", name="Suzanne")

    assert tool.get("history.undo")["names"] == ["object.create"]
    assert tool.get("scene.summary")["object_count"] == 3
    assert tool.get("history.redo")["names"] == ["object.create"]
    assert tool.get("object.get", name="Suzanne")["type"] == "MESH"


def test_what_is_undone_is_the_command_and_not_what_the_person_did_before(desk, tool):
    desk.window.by_hand("""
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.ops.mesh.primitive_cube_add("EXEC_DEFAULT", True)
""")
    tool.get("object.create", type="empty", name="Mark")

    tool.get("history.undo")

    assert tool.get("scene.summary")["object_count"] == 4


def test_commands_work_in_edit_mode_and_leave_it(desk, tool):
    desk.window.by_hand("""
with bpy.context.temp_override(window=bpy.context.window_manager.windows[0]):
    bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
    bpy.ops.object.mode_set(mode="EDIT")
""")

    tool.get("object.update", name="Light", location=[1, 2, 3])

    assert desk.window.by_hand("result = bpy.data.objects['Cube'].mode") == "EDIT"
    assert tool.get("object.get", name="Light")["location"] == [1, 2, 3]
