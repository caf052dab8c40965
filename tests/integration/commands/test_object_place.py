"""object.transform, parent, apply_transform and set_origin against a real Blender."""

import math

import pytest

pytestmark = pytest.mark.blender


def corners(blender, name):
    """Where the vertices are in the world, sorted."""
    return sorted(
        blender.python(
            f"item = bpy.data.objects['{name}']; bpy.context.view_layer.update()\n"
            "result = [[round(x, 4) + 0.0 for x in item.matrix_world @ v.co] for v in item.data.vertices]"
        )
    )


def near(places):
    return [pytest.approx(place, abs=1e-3) for place in places]


def world(blender, name):
    return blender.python(
        f"bpy.context.view_layer.update()\nresult = list(bpy.data.objects['{name}'].matrix_world.translation)"
    )


def test_an_object_moves_by_an_amount(blender):
    blender.get("object.update", name="Cube", location=[1, 1, 1])

    moved = blender.get("object.transform", names=["Cube"], move=[1, 0, -1])

    assert moved["objects"][0]["location"] == [2, 1, 0]


def test_an_object_moves_along_its_own_axes(blender):
    blender.get("object.update", name="Cube", rotation=[0, 0, math.pi / 2])

    blender.get("object.transform", names=["Cube"], move=[1, 0, 0], space="local")

    assert world(blender, "Cube") == pytest.approx([0, 1, 0], abs=1e-6)


@pytest.mark.parametrize(
    ("pivot", "places"),
    [("origins", [[0, 0, 0], [4, 0, 0]]), ("center", [[2, -2, 0], [2, 2, 0]]), ([0, 0, 0], [[0, 0, 0], [0, 4, 0]])],
)
def test_objects_turn_around_a_pivot(blender, pivot, places):
    blender.get("object.create", type="cube", name="Other", location=[4, 0, 0])

    blender.get("object.transform", names=["Cube", "Other"], rotate=[0, 0, math.pi / 2], pivot=pivot)

    for name, place in zip(("Cube", "Other"), places, strict=True):
        assert world(blender, name) == pytest.approx(place, abs=1e-5)
        assert blender.get("object.get", name=name)["rotation"] == pytest.approx([0, 0, math.pi / 2], abs=1e-5)


def test_objects_are_scaled_by_a_factor(blender):
    scaled = blender.get("object.transform", names=["Cube"], scale=[2, 2, 3], pivot=[1, 0, 0])

    assert scaled["objects"][0]["scale"] == [2, 2, 3]
    assert scaled["objects"][0]["location"] == [-1, 0, 0]
    assert blender.refuses("object.transform", names=["Cube"], scale=[0, 1, 1])


def test_a_child_that_is_named_too_moves_once(blender):
    blender.get("object.create", type="cube", name="Child", location=[4, 0, 0])
    blender.get("object.parent", names=["Child"], parent="Cube")

    blender.get("object.transform", names=["Child", "Cube"], move=[1, 0, 0])

    assert world(blender, "Child") == pytest.approx([5, 0, 0])


@pytest.mark.parametrize(("keep", "place"), [(True, [1, 0, 0]), (False, [1, 5, 0])])
def test_objects_get_a_parent(blender, keep, place):
    blender.get("object.create", type="empty", name="Top", location=[0, 5, 0])
    blender.get("object.update", name="Cube", location=[1, 0, 0])

    blender.get("object.parent", names=["Cube"], parent="Top", keep_transform=keep)
    assert world(blender, "Cube") == pytest.approx(place)

    assert blender.get("object.parent", names=["Cube"])["objects"][0]["parent"] is None
    assert world(blender, "Cube") == pytest.approx(place)


def test_an_object_hangs_on_a_bone(blender):
    blender.python(
        "rig = bpy.data.objects.new('Rig', bpy.data.armatures.new('Rig')); bpy.context.collection.objects.link(rig)\n"
        "bpy.context.view_layer.objects.active = rig; bpy.ops.object.mode_set(mode='EDIT')\n"
        "bone = rig.data.edit_bones.new('Hand'); bone.tail = (0, 0, 2); bpy.ops.object.mode_set(mode='OBJECT')"
    )
    assert blender.refuses("object.parent", names=["Cube"], parent="Rig", bone="Hnad").data["nearest"] == ["Hand"]

    blender.get("object.parent", names=["Cube"], parent="Rig", bone="Hand")

    assert world(blender, "Cube") == pytest.approx([0, 0, 0], abs=1e-5)
    assert blender.python("result = bpy.data.objects['Cube'].parent_bone") == "Hand"
    assert "no armature" in blender.refuses("object.parent", names=["Light"], parent="Cube", bone="Hand").message


def test_a_loop_of_parents_is_refused(blender):
    blender.get("object.parent", names=["Cube"], parent="Light")

    assert "below it" in blender.refuses("object.parent", names=["Camera", "Light"], parent="Cube").message


def test_a_transform_becomes_part_of_the_mesh(blender):
    blender.get("object.update", name="Cube", location=[1, 2, 3], rotation=[0.1, 0.2, 0.3], scale=[1, 2, -3])
    blender.get("object.create", type="cube", name="Child", location=[5, 0, 0])
    blender.get("object.parent", names=["Child"], parent="Cube")
    before, child = corners(blender, "Cube"), corners(blender, "Child")

    applied = blender.get("object.apply_transform", names=["Cube"])["objects"][0]

    assert (applied["rotation"], applied["scale"], applied["location"]) == ([0, 0, 0], [1, 1, 1], [1, 2, 3])
    assert corners(blender, "Cube") == near(before)
    assert corners(blender, "Child") == near(child)


def test_a_mirrored_mesh_is_not_inside_out_once_its_scale_is_applied(blender):
    blender.get("object.update", name="Cube", scale=[-1, 1, 1])

    blender.get("object.apply_transform", names=["Cube"])

    volume = (
        "import bmesh; b = bmesh.new(); b.from_mesh(bpy.data.objects['Cube'].data); result = b.calc_volume(signed=True)"
    )
    assert blender.python(volume) == pytest.approx(8)


def test_a_location_is_applied_where_it_is_asked_for(blender):
    blender.get("object.update", name="Cube", location=[1, 2, 3])

    blender.get("object.apply_transform", names=["Cube"], location=True)

    assert world(blender, "Cube") == [0, 0, 0]
    assert corners(blender, "Cube")[0] == [0, 1, 2]


def test_what_has_no_geometry_cannot_take_a_transform_up(blender):
    blender.get("object.create", type="text", name="Words")

    assert "no geometry" in blender.refuses("object.apply_transform", names=["Cube", "Camera"]).message
    assert "object.convert" in blender.refuses("object.apply_transform", names=["Words"]).message


def test_shared_geometry_takes_a_transform_up_only_when_it_may_be_copied(blender):
    blender.get("object.duplicate", names=["Cube"], linked=True)
    blender.get("object.update", name="Cube", scale=[2, 2, 2])

    assert "single_user" in blender.refuses("object.apply_transform", names=["Cube"]).message
    blender.get("object.apply_transform", names=["Cube"], single_user=True)

    assert blender.get("object.get", name="Cube")["dimensions"] == [4, 4, 4]
    assert blender.get("object.get", name="Cube.001")["dimensions"] == [2, 2, 2]


@pytest.mark.parametrize(
    ("to", "place"), [("bottom", [1, 0, -2]), ("center", [1, 0, 0]), ("median", [1, 0, 0]), ([9, 9, 9], [9, 9, 9])]
)
def test_an_origin_moves_without_the_object(blender, to, place):
    blender.get("object.update", name="Cube", location=[1, 0, 0], rotation=[0, 0, math.pi / 2], scale=[1, 1, 2])
    before = corners(blender, "Cube")

    origin = blender.get("object.set_origin", name="Cube", to=to)

    assert origin["world"] == pytest.approx(place, abs=1e-5)
    assert corners(blender, "Cube") == near(before)


def test_a_curve_has_its_origin_moved_too(blender):
    blender.python(
        "data = bpy.data.curves.new('Path', 'CURVE'); spline = data.splines.new('POLY'); spline.points.add(1)\n"
        "spline.points[1].co = (4, 0, 0, 1); item = bpy.data.objects.new('Path', data)\n"
        "bpy.context.collection.objects.link(item)"
    )

    assert blender.get("object.set_origin", name="Path")["world"] == pytest.approx([2, 0, 0], abs=1e-5)
    assert blender.get("object.get", name="Path")["bounds"]["max"] == pytest.approx([4, 0, 0], abs=1e-5)


def test_a_curve_stands_on_its_origin(blender):
    blender.python(
        "data = bpy.data.curves.new('Path', 'CURVE'); data.dimensions = '3D'; spline = data.splines.new('POLY')\n"
        "spline.points.add(1); spline.points[1].co = (0, 0, 4, 1); item = bpy.data.objects.new('Path', data)\n"
        "item.location = (0, 0, 1); bpy.context.collection.objects.link(item)"
    )

    assert blender.get("object.set_origin", name="Path", to="bottom")["world"] == pytest.approx([0, 0, 1], abs=1e-5)
    assert blender.get("object.set_origin", name="Path", to="median")["world"] == pytest.approx([0, 0, 3], abs=1e-5)
