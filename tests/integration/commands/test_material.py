"""material.set against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_an_objects_own_material_is_changed(blender):
    state = blender.get("material.set", object="Cube", base_color=[0.1, 0.2, 0.3], metallic=1, roughness=0.25)

    assert state == {
        "object": "Cube",
        "material": "Material",
        "base_color": [0.1, 0.2, 0.3, 1.0],
        "metallic": 1.0,
        "roughness": 0.25,
    }


def test_what_is_not_given_stays(blender):
    blender.get("material.set", object="Cube", roughness=0.25)

    assert blender.get("material.set", object="Cube", metallic=1)["roughness"] == 0.25


def test_a_hexadecimal_colour_is_srgb_and_becomes_linear(blender):
    color = blender.get("material.set", object="Cube", base_color="#ff8000")["base_color"]

    assert color == pytest.approx([1.0, 0.2158605, 0.0, 1.0], abs=1e-6)


def test_a_fourth_number_is_the_alpha(blender):
    blender.get("material.set", object="Cube", base_color=[1, 1, 1, 0.5])

    assert blender.python("""
nodes = bpy.data.materials["Material"].node_tree.nodes
result = next(node for node in nodes if node.type == "BSDF_PRINCIPLED").inputs["Alpha"].default_value
""") == pytest.approx(0.5)


def test_a_named_material_is_made_once_and_worn_by_many(blender):
    blender.get("object.create", type="cube", name="Other")

    for name in ("Cube", "Other"):
        assert blender.get("material.set", object=name, name="Gold", metallic=1)["material"] == "Gold"

    assert blender.get("object.get", name="Cube")["materials"] == ["Gold"]
    assert blender.python("result = bpy.data.materials['Gold'].users") == 2


def test_an_object_without_a_material_gets_one(blender):
    blender.get("object.create", type="cube", name="Bare")

    blender.get("material.set", object="Bare", roughness=1)

    assert blender.get("object.get", name="Bare")["materials"] == ["Bare"]


def test_a_texture_gives_way_to_a_value(blender):
    links = """
tree = bpy.data.materials["Material"].node_tree
shader = next(node for node in tree.nodes if node.type == "BSDF_PRINCIPLED")
"""
    blender.python(
        links + "tree.links.new(tree.nodes.new('ShaderNodeTexNoise').outputs['Color'], shader.inputs['Base Color'])"
    )

    blender.get("material.set", object="Cube", base_color=[1, 0, 0])

    assert blender.python(links + "result = shader.inputs['Base Color'].is_linked") is False


def test_a_material_without_the_principled_shader_gets_it(blender):
    blender.python("bpy.data.materials['Material'].node_tree.nodes.clear()")

    blender.get("material.set", object="Cube", base_color=[1, 0, 0])

    assert blender.python("result = len(bpy.data.materials['Material'].node_tree.links)") == 1


def test_a_camera_wears_no_material(blender):
    assert "takes no material" in blender.refuses("material.set", object="Camera", roughness=1).message


@pytest.mark.parametrize("color", [[1, 0], [1, 0, 2], "red", "#ff80", 7])
def test_what_is_no_colour_is_refused(blender, color):
    fault = blender.refuses("material.set", object="Cube", base_color=color)

    assert fault.data["problems"][0]["param"].startswith("base_color")
