"""object.duplicate, join, separate and convert against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def located(blender, name):
    return blender.python(
        f"bpy.context.view_layer.update()\nresult = list(bpy.data.objects['{name}'].matrix_world.translation)"
    )


def test_copies_stand_in_a_row_with_data_of_their_own(blender):
    made = blender.get("object.duplicate", names=["Cube"], count=3, offset=[0, 3, 0])

    assert made == {"names": ["Cube.001", "Cube.002", "Cube.003"], "total": 3}
    assert [located(blender, name) for name in made["names"]] == [[0, 3, 0], [0, 6, 0], [0, 9, 0]]
    assert blender.python("result = len({item.data.name for item in bpy.data.objects if item.type == 'MESH'})") == 4


def test_linked_copies_share_the_mesh(blender):
    blender.get("object.duplicate", names=["Cube"], count=2, linked=True)

    assert blender.python("result = bpy.data.objects['Cube'].data.users") == 3


def test_a_copy_brings_copies_of_what_is_below(blender):
    blender.get("object.create", type="empty", name="Top", location=[1, 0, 0])
    blender.get("object.parent", names=["Cube"], parent="Top")
    blender.get("modifier.add", object="Cube", type="MIRROR", properties={"mirror_object": "Top"})

    made = blender.get("object.duplicate", names=["Top"], offset=[5, 0, 0])["names"]

    assert sorted(made) == ["Cube.001", "Top.001"]
    assert blender.get("object.get", name="Cube.001")["parent"] == "Top.001"
    assert located(blender, "Cube.001") == [5, 0, 0]
    modifier = blender.get("modifier.list", object="Cube.001")["modifiers"][0]
    assert modifier["properties"]["mirror_object"] == "Top.001"


def test_a_copy_alone_keeps_the_originals_parent(blender):
    blender.get("object.parent", names=["Cube"], parent="Light")

    blender.get("object.duplicate", names=["Cube"], children=False, offset=[1, 0, 0])

    assert blender.get("object.get", name="Cube.001")["parent"] == "Light"
    assert located(blender, "Cube.001") == pytest.approx([1, 0, 0], abs=1e-5)


def test_copies_go_where_they_are_sent(blender):
    blender.get("collection.create", name="Copies")

    blender.get("object.duplicate", names=["Cube"], collection="Copies")

    assert blender.get("collection.get", name="Copies")["objects"] == ["Cube.001"]


def test_too_many_copies_are_refused(blender):
    names = blender.get("object.duplicate", names=["Cube"], count=19, linked=True)["names"]

    assert "more than" in blender.refuses("object.duplicate", names=names, count=1000).message


def test_meshes_become_one_in_place(blender):
    blender.get("object.create", type="cube", name="Other", location=[3, 0, 0])

    joined = blender.get("object.join", names=["Cube", "Other"])

    assert (joined["name"], joined["joined"]) == ("Cube", ["Other"])
    found = blender.get("object.get", name="Cube")
    assert found["mesh"]["vertices"] == 16
    assert found["bounds"] == {"min": [-1, -1, -1], "max": [4, 1, 1]}
    assert blender.refuses("object.get", name="Other")


def test_another_object_keeps_the_mesh_that_it_shares_with_a_joined_one(blender):
    blender.get("object.duplicate", names=["Cube"], linked=True)
    blender.get("object.create", type="cube", name="Other")

    blender.get("object.join", names=["Cube", "Other"])

    assert blender.get("object.get", name="Cube.001")["mesh"]["vertices"] == 8


def test_only_objects_of_one_type_are_joined(blender):
    assert "object.convert" in blender.refuses("object.join", names=["Cube", "Light"]).message
    assert "two objects" in blender.refuses("object.join", names=["Cube", "Cube"]).message
    assert "cannot be joined" in blender.refuses("object.join", names=["Light", "Camera"]).message


def test_a_mesh_is_taken_apart(blender):
    blender.get("object.create", type="cube", name="Other", location=[3, 0, 0])
    blender.get("object.join", names=["Cube", "Other"])

    made = blender.get("object.separate", name="Cube")

    assert made == {"names": ["Cube.001"], "total": 1}
    assert {blender.get("object.get", name=name)["mesh"]["vertices"] for name in ("Cube", "Cube.001")} == {8}


def test_a_mesh_is_taken_apart_by_materials(blender):
    blender.python(
        "mesh = bpy.data.objects['Cube'].data; mesh.materials.append(bpy.data.materials.new('Second'))\n"
        "mesh.polygons[0].material_index = 1"
    )

    made = blender.get("object.separate", name="Cube", by="material")["names"]

    assert sorted(blender.get("object.get", name=name)["mesh"]["faces"] for name in ["Cube", *made]) == [1, 5]


def test_a_text_becomes_a_mesh_in_its_place(blender):
    blender.get("object.create", type="text", name="Words", location=[1, 2, 3], rotation=[0.1, 0.2, 0.3])
    blender.get("object.parent", names=["Cube"], parent="Words")
    before = blender.get("object.get", name="Words")

    made = blender.get("object.convert", name="Words")

    after = blender.get("object.get", name="Words")
    assert (made["name"], made["type"]) == ("Words", "MESH")
    assert after["mesh"]["vertices"] > 50
    for key in ("min", "max"):
        assert after["bounds"][key] == pytest.approx(before["bounds"][key], abs=1e-5)
    assert after["children"] == ["Cube"]
    assert after["collections"] == before["collections"]
    assert blender.python("result = len(bpy.data.curves)") == 0


def test_a_mesh_takes_up_its_modifiers(blender):
    blender.get("modifier.add", object="Cube", type="SUBSURF")

    blender.get("object.convert", name="Cube")

    found = blender.get("object.get", name="Cube")
    assert (found["mesh"]["vertices"], found["modifiers"], found["materials"]) == (26, [], ["Material"])
    assert found["mesh"]["name"] == "Cube"


def test_what_has_no_surface_becomes_no_mesh(blender):
    assert "cannot become" in blender.refuses("object.convert", name="Camera").message
