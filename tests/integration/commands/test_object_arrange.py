"""object.snap_to_floor, align and distribute against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def box(blender, name):
    return blender.get("object.bounds", names=[name])["objects"][0]


@pytest.mark.parametrize("rotation", [[0, 0, 0], [0.3, 0.5, 0.7]])
def test_an_object_stands_on_the_floor(blender, rotation):
    blender.get("object.update", name="Cube", location=[1, 2, 3], rotation=rotation)

    placed = blender.get("object.snap_to_floor", names=["Cube"], height=0.5)["objects"][0]

    assert box(blender, "Cube")["min"][2] == pytest.approx(0.5, abs=1e-5)
    assert placed["location"][:2] == [1, 2]
    assert placed["on"] is None


def test_an_object_below_the_floor_comes_up(blender):
    moved = blender.get("object.snap_to_floor", names=["Cube"])["objects"][0]["moved"]

    assert moved == [0, 0, 1]


def test_it_stands_there_already_the_second_time(blender):
    blender.get("object.snap_to_floor", names=["Cube"])

    assert blender.get("object.snap_to_floor", names=["Cube"])["objects"][0]["moved"] == [0, 0, 0]


def test_modifiers_and_children_count(blender):
    blender.get("object.create", type="cube", name="Foot", location=[0, 0, -3], size=1)
    blender.get("object.parent", names=["Foot"], parent="Cube")
    blender.get("modifier.add", object="Foot", type="ARRAY", properties={"relative_offset_displace": [0, 0, -1]})

    blender.get("object.snap_to_floor", names=["Cube"])

    assert box(blender, "Foot")["min"][2] == pytest.approx(0, abs=1e-5)


def test_several_move_each_for_itself_or_together(blender):
    blender.get("object.create", type="cube", name="High", location=[5, 0, 9])

    blender.get("object.snap_to_floor", names=["Cube", "High"], together=True)
    assert [box(blender, name)["min"][2] for name in ("Cube", "High")] == pytest.approx([0, 9])

    blender.get("object.snap_to_floor", names=["Cube", "High"])
    assert [box(blender, name)["min"][2] for name in ("Cube", "High")] == pytest.approx([0, 0])


def test_an_object_comes_down_onto_what_is_below(blender):
    blender.get("object.create", type="uv_sphere", name="Ball", location=[0.5, 0, 6])

    placed = blender.get("object.snap_to_floor", names=["Ball"], onto_objects=True, height=-10)["objects"][0]

    assert placed["on"] == "Cube"
    assert box(blender, "Ball")["min"][2] == pytest.approx(1, abs=1e-4)


def test_a_wide_object_rests_on_a_thin_one(blender):
    blender.get("object.create", type="plane", name="Board", size=10, location=[0, 0, 6])

    blender.get("object.snap_to_floor", names=["Board"], onto_objects=True, height=-10)

    assert box(blender, "Board")["min"][2] == pytest.approx(1, abs=1e-4)


def test_what_has_nothing_below_it_falls_to_the_floor(blender):
    blender.get("object.create", type="cube", name="Alone", location=[9, 9, 6])

    placed = blender.get("object.snap_to_floor", names=["Alone"], onto_objects=True)["objects"][0]

    assert (placed["on"], placed["moved"]) == (None, [0, 0, -5])


def test_a_light_has_its_origin_on_the_floor(blender):
    blender.get("object.snap_to_floor", names=["Light"], height=2)

    assert blender.get("object.get", name="Light")["location"][2] == pytest.approx(2)


@pytest.mark.parametrize(("by", "height"), [("min", 0), ("center", -0.5), ("max", -1), ("origin", -0.5)])
def test_objects_are_lined_up_with_the_first(blender, by, height):
    blender.get("object.create", type="cube", name="Small", size=1, location=[5, 0, 7])

    blender.get("object.align", names=["Cube", "Small"], axis="z", by=by)

    # A cube from -1 to 1, and one of half its size.
    assert box(blender, "Small")["min"][2] == pytest.approx({"min": -1, "max": 0}.get(by, height), abs=1e-5)
    assert box(blender, "Small")["center"][:2] == pytest.approx([5, 0])


def test_objects_are_lined_up_with_a_coordinate_or_another_object(blender):
    blender.get("object.create", type="cube", name="Other", location=[5, 5, 5])

    blender.get("object.align", names=["Cube"], axis="x", by="max", to=3)
    assert box(blender, "Cube")["max"][0] == pytest.approx(3)
    blender.get("object.align", names=["Cube"], axis="y", target="Other")
    assert box(blender, "Cube")["center"] == pytest.approx([2, 5, 0])
    assert blender.refuses("object.align", names=["Cube"], axis="y", target="Other", to=1)


def test_a_parent_and_its_child_are_both_lined_up(blender):
    blender.get("object.create", type="cube", name="Child", location=[5, 5, 5])
    blender.get("object.parent", names=["Child"], parent="Cube")

    blender.get("object.align", names=["Child", "Cube"], axis="z", to=2)

    assert [box(blender, name)["center"][2] for name in ("Cube", "Child")] == pytest.approx([2, 2])


def test_objects_are_spread_with_a_gap(blender):
    for name, x in (("B", 0.5), ("C", 0.7)):
        blender.get("object.create", type="cube", name=name, location=[x, 0, 0])

    blender.get("object.distribute", names=["C", "Cube", "B"], axis="x", gap=0.5)

    assert [box(blender, name)["min"][0] for name in ("Cube", "B", "C")] == pytest.approx([-1, 1.5, 4])


def test_objects_are_spread_evenly_between_the_outer_two(blender):
    for name, x in (("B", 3), ("C", 10)):
        blender.get("object.create", type="cube", name=name, location=[x, 0, 0])

    blender.get("object.distribute", names=["Cube", "B", "C"], axis="x")

    assert [box(blender, name)["center"][0] for name in ("Cube", "B", "C")] == pytest.approx([0, 5, 10])


def test_an_object_outside_of_the_view_layer_is_refused(blender):
    blender.python("bpy.data.objects.new('Away', bpy.data.meshes[0])")

    assert "view layer" in blender.refuses("object.snap_to_floor", names=["Cube", "Away"]).message
