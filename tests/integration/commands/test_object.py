"""object.* against a real Blender."""

import math

import pytest

pytestmark = pytest.mark.blender

SHAPES = ["cube", "uv_sphere", "cylinder", "cone", "plane", "torus"]


@pytest.mark.parametrize("kind", SHAPES)
def test_a_shape_is_as_wide_as_its_size(blender, kind):
    made = blender.get("object.create", type=kind, name="New", size=3)

    width, depth, _height = blender.get("object.get", name=made["name"])["dimensions"]
    assert (width, depth) == pytest.approx((3, 3), rel=1e-3)


@pytest.mark.parametrize(
    ("kind", "type_"),
    [
        ("ico_sphere", "MESH"),
        ("monkey", "MESH"),
        ("empty", "EMPTY"),
        ("camera", "CAMERA"),
        ("light_point", "LIGHT"),
        ("light_sun", "LIGHT"),
        ("light_area", "LIGHT"),
        ("light_spot", "LIGHT"),
        ("text", "FONT"),
    ],
)
def test_every_other_kind_can_be_made(blender, kind, type_):
    made = blender.get("object.create", type=kind, size=2)

    assert made["type"] == type_
    assert blender.get("object.get", name=made["name"])["collections"] == ["Collection"]


@pytest.mark.parametrize("kind", [*SHAPES, "ico_sphere", "monkey"])
def test_the_faces_of_a_shape_look_outward(blender, kind):
    blender.get("object.create", type=kind, name="New")

    volume = blender.python(
        "import bmesh; shape = bmesh.new(); shape.from_mesh(bpy.data.objects['New'].data)\n"
        "result = shape.calc_volume(signed=True)"
    )

    assert volume >= 0


def test_an_object_stands_where_it_was_put(blender):
    blender.get(
        "object.create", type="cube", name="Put", location=[1, 2, 3], rotation=[0, 0, math.pi / 2], scale=[2, 1, 1]
    )

    found = blender.get("object.get", name="Put")
    assert found["location"] == [1, 2, 3]
    assert found["rotation"] == pytest.approx([0, 0, math.pi / 2])
    assert found["bounds"]["min"] == pytest.approx([0, 0, 2], abs=1e-5)
    assert found["bounds"]["max"] == pytest.approx([2, 4, 4], abs=1e-5)


def test_the_answer_has_the_name_that_blender_gave(blender):
    assert blender.get("object.create", type="cube", name="Cube")["name"] == "Cube.001"


def test_the_first_camera_becomes_the_scenes(blender):
    blender.call("file.new", empty=True)

    blender.get("object.create", type="camera", name="View")
    blender.get("object.create", type="camera", name="Other")

    assert blender.get("object.get", name="View")["camera"]["active"]
    assert not blender.get("object.get", name="Other")["camera"]["active"]


def test_a_wrong_kind_comes_with_the_nearest(blender):
    fault = blender.refuses("object.create", type="cub", lcation=[1, 2])

    assert "did you mean 'cube'" in fault.message
    assert {problem["param"] for problem in fault.data["problems"]} == {"type", "lcation"}
    assert fault.data["nearest"][0] == "location"


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("object.get", {"name": "Cub"}),
        ("object.update", {"name": "Cub"}),
        ("object.update", {"name": "Light", "parent": "Cub"}),
        ("object.delete", {"names": ["Light", "Cub"]}),
        ("material.set", {"object": "Cub"}),
        ("mesh.read", {"object": "Cub"}),
    ],
)
def test_a_missing_object_comes_with_the_nearest_and_nothing_happens(blender, method, params):
    assert blender.refuses(method, **params).data["nearest"] == ["Cube"]
    assert blender.get("scene.summary")["object_count"] == 3


def test_an_update_changes_what_is_given_alone(blender):
    before = blender.get("object.get", name="Cube")

    after = blender.get("object.update", name="Cube", scale=[1, 2, 3])

    assert after["scale"] == [1, 2, 3]
    assert after["location"] == before["location"]
    assert after["rotation"] == before["rotation"]


def test_an_object_is_renamed(blender):
    assert blender.get("object.update", name="Cube", new_name="Box")["name"] == "Box"
    assert blender.refuses("object.get", name="Cube")


def test_a_hidden_object_is_shown_again(blender):
    assert blender.get("object.update", name="Cube", visible=False)["visible"] is False
    assert blender.get("object.update", name="Cube", visible=True)["visible"] is True


def test_an_object_stays_in_place_under_a_new_parent(blender):
    blender.get("object.create", type="empty", name="Above", location=[5, 0, 0], rotation=[0, 0, 1])
    before = blender.get("object.get", name="Cube")["bounds"]

    assert blender.get("object.update", name="Cube", parent="Above")["parent"] == "Above"
    assert blender.get("object.get", name="Above")["children"] == ["Cube"]
    below = blender.get("object.get", name="Cube")["bounds"]
    assert blender.get("object.update", name="Cube", parent="")["parent"] is None
    again = blender.get("object.get", name="Cube")["bounds"]

    for bounds in (below, again):
        assert bounds["min"] == pytest.approx(before["min"], abs=1e-5)


def test_an_objects_numbers_stay_those_of_the_world_under_a_new_parent(blender):
    blender.get("object.create", type="empty", name="Above", location=[5, 0, 0], rotation=[0, 0, 1])

    assert blender.get("object.update", name="Cube", parent="Above")["location"] == pytest.approx([0, 0, 0], abs=1e-5)


def test_an_object_stays_in_place_when_it_goes_from_one_parent_to_another(blender):
    for name, place in (("First", [5, 0, 0]), ("Second", [0, 7, 0])):
        blender.get("object.create", type="empty", name=name, location=place, rotation=[0, 0, 1])
    blender.python("bpy.data.objects['Cube'].parent = bpy.data.objects['First']")
    before = blender.get("object.get", name="Cube")["bounds"]

    blender.get("object.update", name="Cube", parent="Second")

    assert blender.get("object.get", name="Cube")["bounds"]["min"] == pytest.approx(before["min"], abs=1e-5)


def test_a_loop_of_parents_is_refused(blender):
    blender.get("object.update", name="Cube", parent="Light")

    assert "below it" in blender.refuses("object.update", name="Light", parent="Cube").message
    assert blender.refuses("object.update", name="Light", parent="Light")


@pytest.mark.parametrize("mode", ["QUATERNION", "AXIS_ANGLE", "ZYX"])
def test_a_rotation_is_euler_xyz_whatever_the_objects_mode_is(blender, mode):
    blender.python(f"bpy.data.objects['Cube'].rotation_mode = '{mode}'")

    blender.get("object.update", name="Cube", rotation=[0.1, 0.2, 0.3])

    assert blender.get("object.get", name="Cube")["rotation"] == pytest.approx([0.1, 0.2, 0.3], abs=1e-5)


def test_a_light_takes_energy_and_colour(blender):
    blender.get("object.update", name="Light", energy=50, color="#ff0000")

    assert blender.get("object.get", name="Light")["light"] == {"type": "POINT", "energy": 50, "color": [1, 0, 0]}


def test_a_camera_takes_a_lens_and_a_text_its_words(blender):
    blender.get("object.create", type="text", name="Words")

    blender.get("object.update", name="Camera", lens=85)
    blender.get("object.update", name="Words", text="Grüße")

    assert blender.get("object.get", name="Camera")["camera"]["lens"] == 85
    assert blender.get("object.get", name="Words")["text"] == "Grüße"


def test_a_mesh_is_shaded_smooth(blender):
    blender.get("object.update", name="Cube", smooth=True)

    assert blender.python("result = all(face.use_smooth for face in bpy.data.objects['Cube'].data.polygons)") is True


def test_what_an_object_does_not_have_is_refused_before_anything_changes(blender):
    fault = blender.refuses("object.update", name="Cube", energy=50, location=[9, 9, 9])

    assert fault.data["problems"][0]["param"] == "energy"
    assert blender.get("object.get", name="Cube")["location"] == [0, 0, 0]


def test_a_deleted_object_takes_its_own_mesh_with_it(blender):
    assert blender.get("object.delete", names=["Cube", "Cube"]) == {"deleted": ["Cube"], "total": 1}
    assert blender.python("result = bpy.data.meshes.keys()") == []


def test_a_mesh_that_another_object_uses_stays(blender):
    blender.python("bpy.data.objects.new('Twin', bpy.data.objects['Cube'].data)")

    blender.get("object.delete", names=["Cube"])

    assert blender.python("result = bpy.data.meshes.keys()") == ["Cube"]


def test_objects_below_a_deleted_one_stay_or_go_with_it(blender):
    blender.get("object.update", name="Light", parent="Cube")
    blender.get("object.update", name="Camera", parent="Light")

    assert blender.get("object.delete", names=["Light"])["total"] == 1
    blender.python("bpy.data.objects['Camera'].parent = bpy.data.objects['Cube']")

    assert blender.get("object.delete", names=["Cube"], children=True) == {"deleted": ["Cube", "Camera"], "total": 2}


def test_blenders_own_properties_are_set_by_name(blender):
    blender.get(
        "object.update",
        name="Light",
        properties={"display_type": "WIRE", "lock_location": [True, False, False], "data": {"shadow_soft_size": 2}},
    )

    assert blender.python(
        "light = bpy.data.objects['Light']\n"
        "result = [light.display_type, light.lock_location, light.data.shadow_soft_size]"
    ) == ["WIRE", [True, False, False], 2]


def test_a_wrong_property_is_refused_before_anything_changes(blender):
    fault = blender.refuses(
        "object.update", name="Cube", location=[9, 9, 9], properties={"display_tipe": "WIRE", "color": "#ff000"}
    )

    assert fault.data["nearest"][0] == "display_type"
    assert fault.data["problems"][1]["param"] == "properties.color"
    assert blender.get("object.get", name="Cube")["location"] == [0, 0, 0]


def test_the_box_of_a_turned_object_is_as_tight_as_its_vertices(blender):
    blender.get("object.create", type="uv_sphere", name="Ball", rotation=[0.3, 0.5, 0.7], scale=[1.0001, 1, 1])

    bounds = blender.get("object.get", name="Ball")["bounds"]

    assert bounds["max"] == pytest.approx([1, 1, 1], abs=0.02)
