"""geometry_nodes.* against a real Blender: group.inputs in 3.4, group.interface in later ones."""

import pytest

pytestmark = pytest.mark.blender

KINDS = {"Count": "Int", "Size": "Float", "On": "Bool", "Offset": "Vector", "Tint": "Color", "Text": "String",
         "Other": "Object", "Skin": "Material"}  # fmt: skip


@pytest.fixture
def array(blender):
    """A modifier on the cube whose group moves its geometry by Offset."""
    blender.get("geometry_nodes.create_group", name="Array", inputs=KINDS)
    group = {"group": "Array"}
    blender.get("node.add", tree=group, type="GeometryNodeTransform", name="Move")
    for link in (
        ("Group Input", "Geometry", "Move", "Geometry"),
        ("Group Input", "Offset", "Move", "Translation"),
        ("Move", "Geometry", "Group Output", "Geometry"),
    ):
        names = dict(zip(("from_node", "from_socket", "to_node", "to_socket"), link, strict=True))
        blender.get("node.link", tree=group, **names)
    return blender.get("geometry_nodes.add", object="Cube", group="Array")


def values(state):
    return {entry["name"]: entry["value"] for entry in state["inputs"]}


def test_groups_are_listed_with_what_goes_in_and_out(blender):
    blender.get("geometry_nodes.create_group", name="Array", inputs=KINDS)
    blender.python("bpy.data.node_groups.new('Shader', 'ShaderNodeTree')")

    (group,) = blender.get("geometry_nodes.list", search="arr")["groups"]

    assert (group["name"], group["nodes"], group["outputs"]) == ("Array", 2, ["Geometry: Geometry"])
    assert group["inputs"] == ["Geometry: Geometry", *(f"{name}: {kind}" for name, kind in KINDS.items())]
    assert len(blender.get("geometry_nodes.list")["groups"]) == 1


def test_a_group_with_an_unknown_kind_is_not_made(blender):
    assert "kind 'Flot'" in blender.refuses("geometry_nodes.create_group", name="A", inputs={"X": "Flot"}).message
    assert blender.python("result = len(bpy.data.node_groups)") == 0


def test_a_modifiers_inputs_are_told_by_name(blender, array):
    assert (array["object"], array["modifier"], array["group"]) == ("Cube", "Array", "Array")
    assert {entry["name"]: entry["type"] for entry in array["inputs"]} == KINDS
    assert values(array) == {
        "Count": 0,
        "Size": 0,
        "On": False,
        "Offset": [0, 0, 0],
        "Tint": values(array)["Tint"],
        "Text": "",
        "Other": None,
        "Skin": None,
    }
    assert blender.get("geometry_nodes.get", object="Cube") == array


def test_inputs_are_set_by_name_and_what_is_not_given_stays(blender, array):
    given = {"Count": 3, "Size": 2, "On": True, "Tint": "#ff0000", "Text": "Hi", "Other": "Light", "Skin": "Material"}

    blender.get("geometry_nodes.set", object="Cube", inputs={"Offset": [0, 0, 5]})
    state = blender.get("geometry_nodes.set", object="Cube", modifier="Array", inputs=given)

    assert values(state) == {**given, "Tint": [1, 0, 0, 1], "Offset": [0, 0, 5]}
    assert blender.get("geometry_nodes.get", object="Cube") == state


def test_what_is_set_is_seen_in_the_geometry(blender, array):
    blender.get("geometry_nodes.set", object="Cube", inputs={"Offset": 4})

    assert blender.get("object.get", name="Cube")["bounds"]["min"] == [3, 3, 3]


def test_an_input_reads_an_attribute_and_has_a_value_again(blender, array):
    state = blender.get("geometry_nodes.set", object="Cube", inputs={"Size": {"attribute": "weight"}})
    assert values(state)["Size"] == {"attribute": "weight"}

    state = blender.get("geometry_nodes.set", object="Cube", inputs={"Size": 0.5})
    assert values(state)["Size"] == 0.5


def test_an_input_with_bounds_says_and_keeps_them(blender, array):
    blender.python("""
group = bpy.data.node_groups["Array"]
sockets = group.interface.items_tree if hasattr(group, "interface") else group.inputs
count = next(socket for socket in sockets if socket.name == "Count")
count.min_value, count.max_value = 1, 10
""")

    entry = next(e for e in blender.get("geometry_nodes.get", object="Cube")["inputs"] if e["name"] == "Count")
    assert (entry["min"], entry["max"]) == (1, 10)
    fault = blender.refuses("geometry_nodes.set", object="Cube", inputs={"Count": 11})
    assert "expected from 1 to 10, got 11" in fault.message


def test_a_menu_is_set_by_its_words(blender):
    if blender.version < (4, 1):
        fault = blender.refuses("geometry_nodes.create_group", name="Menu", inputs={"Choice": "Menu"})
        assert "no inputs of the kind 'Menu'" in fault.message
        return
    blender.get("geometry_nodes.create_group", name="Menu", inputs={"Choice": "Menu"})
    group = {"group": "Menu"}
    blender.get("node.add", tree=group, type="GeometryNodeMenuSwitch", name="Switch")
    names = {"from_node": "Group Input", "from_socket": "Choice", "to_node": "Switch", "to_socket": "Menu"}
    blender.get("node.link", tree=group, **names)
    blender.get("geometry_nodes.add", object="Cube", group="Menu")

    state = blender.get("geometry_nodes.set", object="Cube", inputs={"Choice": "B"})

    assert (state["inputs"][0]["value"], state["inputs"][0]["values"]) == ("B", ["A", "B"])
    assert (
        "expected one of A, B" in blender.refuses("geometry_nodes.set", object="Cube", inputs={"Choice": "C"}).message
    )


@pytest.mark.parametrize(
    ("inputs", "param"),
    [
        ({"Cuont": 1}, "inputs.Cuont"),
        ({"Count": 1.5}, "inputs.Count"),
        ({"Offset": [1, 2]}, "inputs.Offset"),
        ({"Other": "Nobody"}, "inputs.Other"),
        ({"Text": {"attribute": "a"}}, "inputs.Text"),
        ({"Size": {"attrbute": "a"}}, "inputs.Size"),
    ],
)
def test_a_wrong_input_is_refused_and_none_is_set(blender, array, inputs, param):
    fault = blender.refuses("geometry_nodes.set", object="Cube", inputs={"Size": 9, **inputs})

    assert fault.data["problems"][0]["param"] == param
    assert values(blender.get("geometry_nodes.get", object="Cube"))["Size"] == 0


def test_a_modifier_whose_inputs_are_refused_is_not_added(blender, array):
    blender.refuses("geometry_nodes.add", object="Cube", group="Array", inputs={"Cuont": 1})

    assert blender.python("result = len(bpy.data.objects['Cube'].modifiers)") == 1


def test_what_is_not_there_is_refused(blender, array):
    assert "Array" in blender.refuses("geometry_nodes.add", object="Cube", group="Aray").data["nearest"]
    assert "takes no geometry nodes" in blender.refuses("geometry_nodes.add", object="Light", group="Array").message
    fault = blender.refuses("geometry_nodes.get", object="Cube", modifier="Nodes")
    assert "it has Array" in fault.message
    assert "no" in blender.refuses("geometry_nodes.get", object="Light").message


def test_another_group_takes_the_place_of_one(blender, array):
    blender.get("geometry_nodes.create_group", name="Plain", inputs={"Amount": "Float"})

    state = blender.get("geometry_nodes.set", object="Cube", group="Plain", inputs={"Amount": 2})

    assert (state["group"], values(state)) == ("Plain", {"Amount": 2})
    blender.refuses("geometry_nodes.set", object="Cube", group="Array", inputs={"Amount": 2})
    assert blender.get("geometry_nodes.get", object="Cube")["group"] == "Plain"
