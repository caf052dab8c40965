"""text.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_a_text_says_what_it_was_given(blender):
    state = blender.get("text.create", body="Hällo\nWorld", name="Sign", size=0.5, extrude=0.1, align_x="CENTER")

    assert (state["object"], state["body"], state["size"], state["align_x"]) == ("Sign", "Hällo\nWorld", 0.5, "CENTER")
    assert state["dimensions"][2] == pytest.approx(0.2)
    assert blender.get("object.get", name="Sign")["type"] == "FONT"


def test_a_text_is_placed(blender):
    blender.get("text.create", body="A", name="Up", location=[1, 2, 3], rotation=[1.5708, 0, 0])

    assert blender.get("object.get", name="Up")["location"] == [1, 2, 3]
    assert blender.get("object.get", name="Up")["rotation"] == pytest.approx([1.5708, 0, 0])


def test_a_text_is_changed_and_what_is_not_given_stays(blender):
    blender.get("text.create", body="One", name="Sign", size=2)

    state = blender.get("text.update", object="Sign", body="Two", properties={"bevel_depth": 0.05, "shear": 0.2})

    assert (state["body"], state["size"]) == ("Two", 2)
    assert blender.python("result = round(bpy.data.objects['Sign'].data.bevel_depth, 3)") == 0.05


def test_a_text_may_be_empty(blender):
    assert blender.get("text.create", body="")["body"] == ""


def test_a_file_that_is_no_font_is_refused(blender, tmp_path):
    fake = tmp_path / "fake.ttf"
    fake.write_text("no font")
    before = blender.python("result = len(bpy.data.curves)")

    assert "there is no file" in blender.refuses("text.create", body="A", font=str(tmp_path / "none.ttf")).message
    assert "no font" in blender.refuses("text.create", body="A", font=str(fake)).message
    assert "absolute" in blender.refuses("text.create", body="A", font="fake.ttf").message
    assert blender.python("result = len(bpy.data.curves)") == before


def test_wrong_properties_are_refused_and_leave_nothing(blender):
    fault = blender.refuses("text.create", body="A", properties={"sheer": 1})

    assert "shear" in fault.data["nearest"]
    assert blender.python("result = len(bpy.data.curves)") == 0


def test_what_is_no_text_is_refused(blender):
    assert "is no text but a mesh" in blender.refuses("text.update", object="Cube", body="A").message
