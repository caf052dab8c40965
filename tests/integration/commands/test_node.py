"""node.* on the nodes of materials, worlds, lights, groups and compositors, against a real Blender."""

import pytest

from blender_addon.wire import Part

pytestmark = pytest.mark.blender

GOLD = {"material": "Material"}
SHADER = "Principled BSDF"


@pytest.fixture
def png(blender, tmp_path):
    path = tmp_path / "red.png"
    blender.python(f"""
image = bpy.data.images.new("red", 4, 2)
image.pixels = [1, 0, 0, 1] * 8
image.filepath_raw, image.file_format = {str(path)!r}, "PNG"
image.save()
bpy.data.images.remove(image)
""")
    return path


def value(blender, name):
    node = blender.get("node.get", tree=GOLD, node=SHADER)
    return next(socket["value"] for socket in node["inputs"] if socket["name"] == name)


def test_a_materials_nodes_and_links_are_listed(blender):
    tree = blender.get("node.tree", tree=GOLD)

    assert (tree["type"], tree["total"], tree["next_offset"]) == ("ShaderNodeTree", 2, None)
    types = {node["name"]: node["type"] for node in tree["nodes"]}
    assert types == {SHADER: "ShaderNodeBsdfPrincipled", "Material Output": "ShaderNodeOutputMaterial"}
    assert tree["links"] == [
        {"from_node": SHADER, "from_socket": "BSDF", "to_node": "Material Output", "to_socket": "Surface"}
    ]
    shader = next(node for node in tree["nodes"] if node["name"] == SHADER)
    assert shader["inputs"]["Metallic"] == 0


def test_a_list_of_nodes_is_a_page_with_chosen_fields(blender):
    first = blender.get("node.tree", tree=GOLD, limit=1, fields=["name"], link_limit=0)

    assert (len(first["nodes"]), first["next_offset"], first["links_left_out"]) == (1, 1, 1)
    assert list(first["nodes"][0]) == ["name"]
    assert "did you mean 'label'" in blender.refuses("node.tree", tree=GOLD, fields=["lable"]).message


def test_a_node_is_added_by_type_or_by_label_with_its_values(blender):
    blender.get("node.add", tree=GOLD, type="ShaderNodeTexNoise", name="Rust", inputs={"Scale": 7})
    node = blender.get("node.add", tree=GOLD, type="noise texture", properties={"noise_dimensions": "4D"})

    assert (node["name"], node["type"]) == ("Noise Texture", "ShaderNodeTexNoise")
    assert node["properties"]["noise_dimensions"] == "4D"
    assert "W" in [socket["name"] for socket in node["inputs"]]
    rust = blender.get("node.get", tree=GOLD, node="Rust")
    assert next(socket for socket in rust["inputs"] if socket["name"] == "Scale")["value"] == 7


def test_a_type_that_is_not_there_is_refused_with_the_nearest(blender):
    fault = blender.refuses("node.add", tree=GOLD, type="ShaderNodeTexNoize")

    assert "ShaderNodeTexNoise" in fault.data["nearest"]
    assert blender.refuses("node.add", tree=GOLD, type="GeometryNodeSetPosition").data["problems"]


def test_a_node_whose_values_are_refused_is_not_added(blender):
    fault = blender.refuses("node.add", tree=GOLD, type="ShaderNodeTexNoise", inputs={"Scle": 1, "Detail": "much"})

    assert [problem["param"] for problem in fault.data["problems"]] == ["inputs.Scle", "inputs.Detail"]
    assert fault.data["nearest"][0] == "Scale"
    assert blender.get("node.tree", tree=GOLD)["total"] == 2


def test_nodes_are_linked_and_unlinked(blender):
    blender.get("node.add", tree=GOLD, type="ShaderNodeTexNoise", name="Rust")
    ends = {"to_node": SHADER, "to_socket": "Base Color"}

    link = blender.get("node.link", tree=GOLD, from_node="Rust", from_socket="Color", **ends)

    assert link == {"from_node": "Rust", "from_socket": "Color", **ends}
    shader = blender.get("node.get", tree=GOLD, node=SHADER)
    assert next(socket for socket in shader["inputs"] if socket["name"] == "Base Color")["linked"] == ["Rust.Color"]
    assert blender.get("node.unlink", tree=GOLD, **ends)["removed"] == [link]
    assert "nothing is linked" in blender.refuses("node.unlink", tree=GOLD, **ends).message


@pytest.mark.parametrize(
    ("link", "param"),
    [
        ({"from_node": "Rusty", "from_socket": "Color", "to_node": SHADER, "to_socket": "Base Color"}, "from_node"),
        ({"from_node": "Rust", "from_socket": "Colr", "to_node": SHADER, "to_socket": "Base Color"}, "from_socket"),
        ({"from_node": "Rust", "from_socket": "Color", "to_node": SHADER, "to_socket": "Base Colour"}, "to_socket"),
        ({"from_node": SHADER, "from_socket": "BSDF", "to_node": "Rust", "to_socket": "Scale"}, "to_socket"),
        ({"from_node": "Rust", "from_socket": "Color", "to_node": "Rust", "to_socket": "Scale"}, "to_node"),
    ],
)
def test_links_that_cannot_be_are_refused(blender, link, param):
    blender.get("node.add", tree=GOLD, type="ShaderNodeTexNoise", name="Rust")

    fault = blender.refuses("node.link", tree=GOLD, **link)

    assert fault.data["problems"][0]["param"] == param
    assert len(blender.get("node.tree", tree=GOLD)["links"]) == 1


def test_nodes_make_no_loop(blender):
    for name in ("A", "B"):
        blender.get("node.add", tree=GOLD, type="ShaderNodeMath", name=name)
    blender.get("node.link", tree=GOLD, from_node="A", from_socket="Value", to_node="B", to_socket="Value")

    back = {"from_node": "B", "from_socket": "Value", "to_node": "A", "to_socket": "Value_001"}
    assert "loops" in blender.refuses("node.link", tree=GOLD, **back).message


def test_inputs_of_the_same_name_are_told_apart_by_identifier(blender):
    node = blender.get("node.add", tree=GOLD, type="ShaderNodeMath", inputs={"Value": 2, "Value_001": 3})

    assert [(socket["name"], socket["value"]) for socket in node["inputs"]] == [("Value", 2), ("Value_001", 3)]


def test_only_the_inputs_that_the_properties_leave_in_use_are_told(blender):
    node = blender.get("node.add", tree=GOLD, type="ShaderNodeMath", properties={"operation": "SQRT"})

    assert len(node["inputs"]) == 1


def test_a_value_takes_the_place_of_a_link(blender):
    blender.get("node.add", tree=GOLD, type="ShaderNodeTexNoise", name="Rust")
    ends = {"from_node": "Rust", "from_socket": "Color", "to_node": SHADER, "to_socket": "Base Color"}
    blender.get("node.link", tree=GOLD, **ends)

    blender.get("node.set", tree=GOLD, node=SHADER, inputs={"Base Color": "#ff0000"})

    assert value(blender, "Base Color") == [1, 0, 0, 1]
    assert len(blender.get("node.tree", tree=GOLD)["links"]) == 1


@pytest.mark.parametrize(
    ("earlier", "later", "number"),
    [
        ("Subsurface", "Subsurface Weight", 0.25),
        ("Specular", "Specular IOR Level", 0.25),
        ("Transmission", "Transmission Weight", 0.25),
        ("Clearcoat Roughness", "Coat Roughness", 0.25),
        ("Emission", "Emission Color", [0, 0.5, 1, 1]),
    ],
)
def test_inputs_of_the_principled_shader_are_known_by_both_names(blender, earlier, later, number):
    now = later if blender.version >= (4, 0) else earlier

    for name in (earlier, later):
        blender.get("node.set", tree=GOLD, node=SHADER, inputs={name: number})
        assert value(blender, now) == number
        blender.get("node.set", tree=GOLD, node=SHADER, inputs={name: 0})


def test_what_is_refused_leaves_properties_as_they_were(blender):
    blender.get("node.add", tree=GOLD, type="ShaderNodeMath", name="Sum")

    wrong = {"properties": {"operation": "SQRT"}, "inputs": {"Vlaue": 1}}
    blender.refuses("node.set", tree=GOLD, node="Sum", **wrong)

    assert blender.get("node.get", tree=GOLD, node="Sum")["properties"]["operation"] == "ADD"


def test_an_input_that_takes_links_only_says_so(blender):
    assert "links only" in blender.refuses(
        "node.set", tree=GOLD, node="Material Output", inputs={"Surface": 1}
    ).message  # fmt: skip


def test_nodes_are_removed_all_or_none(blender):
    assert "Nodde" in blender.refuses("node.remove", tree=GOLD, nodes=[SHADER, "Nodde"]).message
    assert blender.get("node.tree", tree=GOLD)["total"] == 2

    assert blender.get("node.remove", tree=GOLD, nodes=[SHADER])["removed"] == [SHADER]
    assert blender.get("node.tree", tree=GOLD)["total"] == 1


@pytest.mark.parametrize(
    ("tree", "kind"),
    [
        ({"world": "World"}, "ShaderNodeTexSky"),
        ({"light": "Light"}, "ShaderNodeTexNoise"),
        ({"scene": "Scene"}, "CompositorNodeBlur"),
    ],
)
def test_worlds_lights_and_scenes_have_nodes_too(blender, tree, kind):
    before = blender.get("node.tree", tree=tree)["total"]

    blender.get("node.add", tree=tree, type=kind)

    assert blender.get("node.tree", tree=tree)["total"] > before


def test_a_group_has_nodes_and_is_one(blender):
    blender.python("bpy.data.node_groups.new('Rust', 'ShaderNodeTree')")
    blender.get("node.add", tree={"group": "Rust"}, type="ShaderNodeTexNoise")

    node = blender.get("node.add", tree=GOLD, type="ShaderNodeGroup", group="Rust")

    assert node["properties"]["node_tree"] == "Rust"
    blender.refuses("node.add", tree={"group": "Rust"}, type="ShaderNodeGroup", group="Rust")
    assert "Rust" in blender.refuses("node.add", tree=GOLD, type="ShaderNodeGroup", group="Rst").data["nearest"]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"material": "Materiel"}, "did you mean 'Material'"),
        ({}, "expected one of"),
        ({"material": "Material", "world": "World"}, "expected one of"),
        ({"mat": "Material"}, "did you mean 'material'"),
    ],
)
def test_whose_nodes_they_are_must_be_clear(blender, tree, message):
    assert message in blender.refuses("node.tree", tree=tree).message


def test_an_image_texture_is_loaded_and_linked(blender, png):
    ends = {"to_node": SHADER, "to_socket": "Base Color"}

    made = blender.get("node.image", tree=GOLD, path=str(png), **ends)

    assert (made["image"], made["width"], made["height"]) == ("red.png", 4, 2)
    assert made["link"] == {"from_node": made["node"], "from_socket": "Color", **ends}
    again = blender.get("node.image", tree=GOLD, image="red.png", color_space="data")
    assert (again["color_space"], again["link"]) == ("Non-Color", None)


def test_an_image_texture_is_made_of_bytes(blender, png):
    data = {"picture": Part(png.read_bytes(), media_type="image/png")}

    made = blender.call("node.image", data, tree=GOLD, data={"$part": "picture"}, name="Sent").value

    assert (made["image"], made["width"], made["height"]) == ("Sent", 4, 2)
    assert blender.python("result = list(bpy.data.images['Sent'].pixels)[:4]") == [1, 0, 0, 1]
    assert blender.python("result = bpy.data.images['Sent'].packed_file is not None")


def test_a_world_gets_a_panorama(blender, png):
    ends = {"to_node": "Background", "to_socket": "Color"}

    made = blender.get("node.image", tree={"world": "World"}, path=str(png), **ends)

    assert blender.get("node.get", tree={"world": "World"}, node=made["node"])["type"] == "ShaderNodeTexEnvironment"


def test_what_is_no_image_is_refused_and_leaves_nothing(blender, png):
    png.with_name("text.png").write_text("no image")
    counts = "result = [len(bpy.data.images), len(bpy.data.materials['Material'].node_tree.nodes)]"
    before = blender.python(counts)

    assert "no image" in blender.refuses("node.image", tree=GOLD, path=str(png.with_name("text.png"))).message
    sent = {"picture": Part(b"no image")}
    assert "no image" in blender.refuses("node.image", sent, tree=GOLD, data={"$part": "picture"}).message
    assert "red.png" in str(blender.refuses("node.image", tree=GOLD, path=str(png) + "g").data["nearest"])
    assert "there is no image" in blender.refuses("node.image", tree=GOLD, image="none").message
    assert "one of path, data and image" in blender.refuses("node.image", tree=GOLD).message
    assert "go together" in blender.refuses("node.image", tree=GOLD, path=str(png), to_node=SHADER).message
    assert blender.python(counts) == before
