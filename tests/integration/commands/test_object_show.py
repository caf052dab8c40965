"""object.select, visibility, shade and custom properties against a real Blender."""

import math

import pytest

pytestmark = pytest.mark.blender


def test_objects_are_selected_added_and_removed(blender):
    chosen = blender.get("object.select", names=["Light", "Camera"])
    assert (sorted(chosen["selected"]), chosen["active"]) == (["Camera", "Light"], "Camera")

    chosen = blender.get("object.select", names=["Cube"], mode="add", active="Light")
    assert (chosen["total"], chosen["active"]) == (3, "Light")

    chosen = blender.get("object.select", names=["Light"], mode="remove")
    assert sorted(chosen["selected"]) == ["Camera", "Cube"]
    assert blender.get("object.select", names=[])["selected"] == []


def test_a_hidden_object_is_not_selected_and_told(blender):
    blender.get("object.visibility", names=["Cube"], eye=False)

    chosen = blender.get("object.select", names=["Cube", "Light"])

    assert (chosen["selected"], chosen["refused"]) == (["Light"], ["Cube"])


def test_an_object_is_hidden_in_each_way(blender):
    (state,) = blender.get("object.visibility", names=["Cube"], render=False, selectable=False)["objects"]
    assert state == {
        "name": "Cube", "viewport": True, "render": False, "eye": True, "selectable": False, "seen": True
    }  # fmt: skip

    (state,) = blender.get("object.visibility", names=["Cube"], viewport=False)["objects"]
    assert (state["viewport"], state["seen"]) == (False, False)

    (state,) = blender.get("object.visibility", names=["Cube"], viewport=True, eye=False)["objects"]
    assert (state["eye"], state["seen"]) == (False, False)


def test_a_mesh_is_shaded_smooth_and_flat(blender):
    smooth = "result = {face.use_smooth for face in bpy.data.objects['Cube'].data.polygons}"

    blender.get("object.shade", names=["Cube"], mode="smooth")
    assert blender.python(smooth) == [True]
    blender.get("object.shade", names=["Cube"], mode="flat")
    assert blender.python(smooth) == [False]


@pytest.mark.parametrize(("angle", "sharp"), [(math.radians(30), True), (math.radians(100), False)])
def test_edges_sharper_than_the_angle_stay_sharp(blender, angle, sharp):
    blender.get("object.shade", names=["Cube"], mode="auto", angle=angle)

    normals = blender.python(
        "mesh = bpy.data.objects['Cube'].data\n"
        "if hasattr(mesh, 'calc_normals_split'): mesh.calc_normals_split()\n"
        "result = [max(abs(x) for x in loop.normal) for loop in mesh.loops]"
    )
    assert (min(normals) > 0.99) is sharp


def test_only_meshes_are_shaded(blender):
    assert "no mesh" in blender.refuses("object.shade", names=["Cube", "Light"], mode="smooth").message


def test_custom_properties_are_noted_and_read(blender):
    values = {
        "price": 12.5,
        "count": 3,
        "sold": True,
        "maker": "Ü",
        "size": [1, 2, 3],
        "more": {"a": 1, "b": ["x", "y"]},
    }

    blender.get("object.set_properties", name="Cube", properties=values)

    assert blender.get("object.properties", name="Cube") == {"object": "Cube", "properties": values}


def test_a_custom_property_is_removed_with_null(blender):
    blender.get("object.set_properties", name="Cube", properties={"a": 1, "b": 2})

    left = blender.get("object.set_properties", name="Cube", properties={"a": None})

    assert left["properties"] == {"b": 2}
    assert blender.refuses("object.set_properties", name="Cube", properties={"bb": None}).data["nearest"] == ["b"]


@pytest.mark.parametrize(
    "wrong", [{"": 1}, {"x" * 64: 1}, {"x": 2**40}, {"x": [1, "a"]}, {"x": []}, {"x": {"y": [[1]]}}]
)
def test_what_blender_cannot_keep_is_refused_before_anything_is_noted(blender, wrong):
    blender.refuses("object.set_properties", name="Cube", properties={"fine": 1, **wrong})

    assert blender.get("object.properties", name="Cube")["properties"] == {}
