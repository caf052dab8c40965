"""history.* against a real Blender: what was done is taken back, and brought back."""

import pytest

from blender_addon.wire import Fault

pytestmark = pytest.mark.blender


@pytest.fixture
def three(blender):
    """Three commands have each added an empty."""
    for name in ("one", "two", "three"):
        blender.call("object.create", type="empty", name=name)
    return blender


def added(blender):
    objects = blender.get("scene.objects", type="EMPTY")["objects"]
    return {item["name"] for item in objects}


def test_a_command_is_one_step_of_its_name(three):
    answer = three.get("history.undo")

    assert answer == {"steps": 1, "names": ["object.create"], "can_undo": 2, "can_redo": 1}
    assert added(three) == {"one", "two"}


def test_two_of_three_are_undone_and_one_comes_back(three):
    three.call("history.undo", steps=2)
    answer = three.get("history.redo")

    assert answer == {"steps": 1, "names": ["object.create"], "can_undo": 2, "can_redo": 1}
    assert added(three) == {"one", "two"}


def test_undo_after_undo_goes_on_backwards(three):
    three.call("history.undo")
    three.call("history.undo")

    assert added(three) == {"one"}


def test_more_steps_than_there_are_undo_all_of_them(three):
    answer = three.get("history.undo", steps=100)

    assert (answer["steps"], answer["can_undo"], answer["can_redo"]) == (3, 0, 3)
    assert added(three) == set()
    assert len(three.get("scene.objects")["objects"]) == 3


def test_where_there_is_nothing_to_undo_nothing_is_undone(blender):
    nothing = {"steps": 0, "names": [], "can_undo": 0, "can_redo": 0}

    assert blender.get("history.undo") == nothing
    assert blender.get("history.redo") == nothing


def test_what_was_undone_is_gone_once_something_else_is_done(three):
    three.call("history.undo")
    three.call("object.create", type="empty", name="four")

    assert three.get("history.redo")["steps"] == 0
    assert added(three) == {"one", "two", "four"}


def test_a_command_that_only_reads_is_no_step(three):
    three.call("scene.summary")

    assert three.get("history.list")["can_undo"] == 3


def test_a_refused_command_is_no_step(three):
    three.refuses("object.delete", names=["nobody"])

    assert three.get("history.list")["can_undo"] == 3


def test_sent_code_is_a_step_too(blender):
    blender.python("bpy.data.objects['Cube'].location.x = 5")

    assert blender.get("history.undo")["names"] == ["code.execute"]
    assert blender.get("object.get", name="Cube")["location"][0] == 0


def test_the_list_tells_where_blender_is_the_newest_first(three):
    three.call("history.undo")

    listed = three.get("history.list")
    assert [(step["name"], step["state"]) for step in listed["steps"]] == [
        ("object.create", "undone"),
        ("object.create", "current"),
        ("object.create", "done"),
        ("Original", "done"),
    ]
    assert (listed["can_undo"], listed["can_redo"], listed["total"]) == (2, 1, 4)


def test_the_list_is_bounded(three):
    listed = three.get("history.list", limit=1)

    assert (len(listed["steps"]), listed["total"]) == (1, 4)


def test_a_checkpoint_is_gone_back_to(blender):
    blender.call("object.create", type="empty", name="before")
    blender.call("history.checkpoint", name="as it was")
    blender.call("object.create", type="empty", name="after")
    blender.call("object.create", type="empty", name="later")

    answer = blender.get("history.restore", name="as it was")

    assert answer == {"steps": 2, "names": ["object.create"] * 2, "can_undo": 2, "can_redo": 2}
    assert added(blender) == {"before"}


def test_restoring_goes_forward_as_well(blender):
    blender.call("object.create", type="empty", name="one")
    blender.call("history.checkpoint", name="here")
    blender.call("history.undo", steps=2)

    answer = blender.get("history.restore", name="here")

    assert answer["names"] == ["object.create", "here"]
    assert added(blender) == {"one"}


def test_restoring_where_one_is_changes_nothing(blender):
    blender.call("history.checkpoint", name="here")

    assert blender.get("history.restore", name="here")["steps"] == 0


def test_of_two_checkpoints_of_a_name_the_later_counts(blender):
    blender.call("history.checkpoint", name="here")
    blender.call("object.create", type="empty", name="one")
    blender.call("history.checkpoint", name="here")
    blender.call("object.create", type="empty", name="two")

    blender.call("history.restore", name="here")

    assert added(blender) == {"one"}


def test_an_unknown_checkpoint_comes_with_the_nearest(blender):
    blender.call("history.checkpoint", name="rough shape")

    assert blender.refuses("history.restore", name="rough shap").data["nearest"] == ["rough shape"]


def test_a_name_that_blender_would_cut_is_refused(blender):
    assert "64 bytes" in blender.refuses("history.checkpoint", name="ä" * 32).message
    blender.refuses("history.checkpoint", name="two\nlines")


def test_a_loaded_file_begins_with_no_history_and_can_be_undone(three, tmp_path):
    three.call("file.save", path=str(tmp_path / "x.blend"))
    three.call("file.open", path=str(tmp_path / "x.blend"))
    assert three.get("history.list")["can_undo"] == 0

    three.call("object.create", type="empty", name="four")
    three.call("history.undo")

    assert added(three) == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("mode", "context"), [("EDIT", "EDIT_MESH"), ("SCULPT", "SCULPT"), ("WEIGHT_PAINT", "PAINT_WEIGHT")]
)
def test_each_command_can_be_undone_in_every_mode(blender, mode, context):
    blender.python(f"bpy.ops.object.mode_set(mode={mode!r})")
    blender.call("object.update", name="Light", location=[1, 0, 0])
    blender.call("object.update", name="Light", location=[2, 0, 0])
    blender.call("object.create", type="empty", name="one")

    places = []
    for _ in range(3):
        blender.call("history.undo")
        places.append((blender.get("object.get", name="Light")["location"][0], added(blender)))

    assert [round(place, 2) for place, _ in places] == [2, 1, 4.08]
    assert all(not names for _, names in places)
    assert blender.python("result = bpy.context.mode") == context


def test_nothing_is_undone_where_the_user_has_switched_undo_off(blender):
    blender.python("bpy.context.preferences.edit.use_global_undo = False")
    try:
        with pytest.raises(Fault, match="Global Undo is switched off") as caught:
            blender.call("history.undo")
    finally:
        blender.python("bpy.context.preferences.edit.use_global_undo = True")
    assert (caught.value.code, caught.value.outcome) == ("forbidden", "not_executed")
