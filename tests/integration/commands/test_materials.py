"""The materials of the file, and who wears them, against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_materials_are_listed_by_page_and_search(blender):
    for name in ("Gold", "Gold leaf", "Silver"):
        blender.get("material.create", name=name)

    assert blender.get("material.list", search="gold", fields=["name"]) == {
        "materials": [{"name": "Gold"}, {"name": "Gold leaf"}],
        "total": 2,
        "next_offset": None,
    }
    assert blender.get("material.list", limit=1)["next_offset"] == 1


def test_a_material_is_made_with_its_surface(blender):
    inputs = {"Transmission": 1, "Emission Color": [0, 1, 0], "IOR": 1.5}

    made = blender.get("material.create", name="Glass", base_color="#ffffff", roughness=0, inputs=inputs)

    assert made == {"material": "Glass", "base_color": [1, 1, 1, 1], "metallic": 0, "roughness": 0}
    told = blender.get("material.get", name="Glass")["inputs"]
    later = blender.version >= (4, 0)
    assert told["Transmission Weight" if later else "Transmission"] == 1
    assert told["Emission Color" if later else "Emission"] == [0, 1, 0, 1]


def test_a_material_whose_inputs_are_refused_is_not_made(blender):
    fault = blender.refuses("material.create", name="Glass", inputs={"Transmision": 1, "IOR": "high"})

    assert [problem["param"] for problem in fault.data["problems"]] == ["inputs.Transmision", "inputs.IOR"]
    blender.refuses("material.set", object="Cube", name="Glass", inputs={"Transmision": 1})
    assert blender.get("material.list", search="glass")["total"] == 0


def test_more_inputs_of_a_worn_material_are_set(blender):
    blender.get("material.set", object="Cube", inputs={"Emission Strength": 5})

    assert blender.get("material.get", name="Material")["inputs"]["Emission Strength"] == 5


def test_all_about_a_material_is_told(blender):
    told = blender.get("material.get", name="Material")

    assert (told["name"], told["users"], told["objects"], told["nodes"]) == ("Material", 1, ["Cube"], 2)
    assert "Material" in blender.refuses("material.get", name="Materiel").data["nearest"]


def test_a_material_is_given_to_several_objects(blender):
    blender.get("object.create", type="cube", name="Other")
    blender.get("material.create", name="Gold")

    worn = blender.get("material.assign", objects=["Cube", "Other"], material="Gold")

    assert [item["slots"] for item in worn["objects"]] == [["Gold"], ["Gold"]]
    assert blender.get("material.get", name="Gold")["users"] == 2


def test_a_slot_is_filled_or_added(blender):
    blender.get("material.create", name="Gold")

    worn = blender.get("material.assign", objects=["Cube"], material="Gold", slot=1)

    assert worn["objects"][0]["slots"] == ["Material", "Gold"]
    assert "2 slots" in blender.refuses("material.assign", objects=["Cube"], material="Gold", slot=3).message


def test_some_faces_wear_another_material(blender):
    blender.get("material.create", name="Gold")

    for _repeated in range(2):
        worn = blender.get("material.assign", objects=["Cube"], material="Gold", faces={"facing": [0, 0, 1]})
        assert worn["objects"] == [{"object": "Cube", "slots": ["Material", "Gold"], "slot": 1, "faces": 1}]

    top = "result = [face.material_index for face in bpy.data.meshes['Cube'].polygons if face.normal.z > 0.5]"
    assert blender.python(top) == [1]


def test_faces_of_a_bare_mesh_are_told_apart_from_the_others(blender):
    blender.get("object.create", type="cube", name="Bare")
    blender.get("material.create", name="Gold")

    worn = blender.get("material.assign", objects=["Bare"], material="Gold", faces={"indices": [0, 1]})

    assert worn["objects"][0] == {"object": "Bare", "slots": [None, "Gold"], "slot": 1, "faces": 2}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"objects": ["Cube", "Camera"]}, "takes no material"),
        ({"objects": ["Cube", "Cub"]}, "there is no object named 'Cub'"),
        ({"material": "Gold"}, "there is no material named 'Gold'"),
        ({"faces": {"indices": [9]}}, "there is no face 9"),
    ],
)
def test_what_cannot_be_worn_changes_nothing(blender, wrong, message):
    blender.get("material.create", name="Silver")

    fault = blender.refuses("material.assign", **{"objects": ["Cube"], "material": "Silver", **wrong})

    assert message in fault.message
    assert blender.get("object.get", name="Cube")["materials"] == ["Material"]


def test_a_copy_is_a_material_of_its_own(blender):
    assert blender.get("material.duplicate", name="Material", new_name="Copy")["material"] == "Copy"

    blender.get("node.set", tree={"material": "Copy"}, node="Principled BSDF", inputs={"Metallic": 1})

    assert blender.get("material.get", name="Material")["inputs"]["Metallic"] == 0


def test_materials_are_removed_all_or_none(blender):
    blender.get("material.create", name="Gold")

    blender.refuses("material.remove", names=["Gold", "Silver"])
    assert blender.get("material.list", search="Gold")["total"] == 1

    assert blender.get("material.remove", names=["Gold", "Material"])["removed"] == ["Gold", "Material"]
    assert blender.get("object.get", name="Cube")["materials"] == [None]
