"""api.* against a real Blender."""

import json

import pytest

from blender_addon.wire import Fault

pytestmark = pytest.mark.blender


def matches(blender, query, **params):
    return [one["name"] for one in blender.get("api.search", query=query, **params)["matches"]]


def by_name(described, of="properties"):
    return {one["name"]: one for one in described[of]}


@pytest.mark.parametrize(
    ("query", "first"),
    [
        ("primitive_cube_add", "mesh.primitive_cube_add"),
        ("mesh.primitive_cube_add", "mesh.primitive_cube_add"),
        ("bpy.ops.mesh.primitive_cube_add", "mesh.primitive_cube_add"),
        ("SubsurfModifier", "SubsurfModifier"),
        ("Principled BSDF", "ShaderNodeBsdfPrincipled"),
        ("Object.ray_cast", "Object.ray_cast"),
    ],
)
def test_a_name_or_a_label_is_found_first(blender, query, first):
    assert matches(blender, query)[0] == first


def test_every_word_must_be_there_in_name_label_or_description(blender):
    found = blender.get("api.search", query="cube primitive", limit=1000)["matches"]

    assert "mesh.primitive_cube_add" in [one["name"] for one in found]
    assert all("cube" in json.dumps(one).casefold() and "primitive" in json.dumps(one).casefold() for one in found)


def test_only_the_kinds_that_were_asked_for(blender):
    found = blender.get("api.search", query="math", kinds=["node"])["matches"]

    assert {one["kind"] for one in found} == {"node"}
    assert "ShaderNodeMath" in [one["name"] for one in found]


def test_a_search_comes_in_pages(blender):
    first = blender.get("api.search", query="mesh", limit=5)
    second = blender.get("api.search", query="mesh", limit=5, offset=first["next_offset"])

    assert (len(first["matches"]), first["next_offset"]) == (5, 5)
    assert first["total"] == second["total"] > 100
    assert not {one["name"] for one in first["matches"]} & {one["name"] for one in second["matches"]}


def test_an_operator_that_an_add_on_brings_is_found_after_it_came(blender):
    assert matches(blender, "frobnicate", kinds=["operator"]) == []

    blender.python("""
class OBJECT_OT_frobnicate(bpy.types.Operator):
    bl_idname = "object.frobnicate"
    bl_label = "Frobnicate"
    def execute(self, context): return {"FINISHED"}
bpy.utils.register_class(OBJECT_OT_frobnicate)
bpy.app.driver_namespace["frobnicate"] = OBJECT_OT_frobnicate
""")

    assert matches(blender, "frobnicate", kinds=["operator"]) == ["object.frobnicate"]
    blender.python("bpy.utils.unregister_class(bpy.app.driver_namespace.pop('frobnicate'))")
    assert matches(blender, "frobnicate", kinds=["operator"]) == []


def test_a_type_tells_its_properties_with_ranges_defaults_and_values(blender):
    described = blender.get("api.type", name="SubsurfModifier", inherited=False)

    properties = by_name(described)
    assert described["bases"] == ["Modifier", "bpy_struct"][: len(described["bases"])]
    assert properties["levels"]["type"] == "integer"
    assert properties["levels"]["default"] == 1
    assert properties["subdivision_type"]["values"] == ["CATMULL_CLARK", "SIMPLE"]
    assert "name" not in properties


def test_a_type_tells_its_functions(blender):
    functions = blender.get("api.type", name="Object", inherited=False)["functions"]

    assert any(one.startswith("ray_cast(origin: float[3], direction: float[3], ") for one in functions)


def test_only_the_properties_that_were_asked_for(blender):
    described = blender.get("api.type", name="Object", properties=["location", "parent"])

    assert [one["name"] for one in described["properties"]] == ["location", "parent"]
    assert described["properties"][0]["length"] == 3
    assert described["properties"][1]["of"] == "Object"


def test_a_large_type_comes_in_pages(blender):
    first = blender.get("api.type", name="Object", limit=10)
    second = blender.get("api.type", name="Object", limit=10, offset=first["next_offset"])

    assert len(first["properties"]) == len(second["properties"]) == 10
    assert not by_name(first).keys() & by_name(second).keys()
    assert second["functions"] == []


@pytest.mark.parametrize("name", ["Object", "Scene", "Mesh", "bpy.types.Material", "RenderSettings", "Node"])
def test_what_is_told_of_a_type_fits_a_context(blender, name):
    assert len(json.dumps(blender.get("api.type", name=name))) < 40_000


def test_an_unknown_type_comes_with_the_nearest(blender):
    assert "Object" in blender.refuses("api.type", name="Objekt").data["nearest"]


def test_an_unknown_property_comes_with_the_nearest(blender):
    fault = blender.refuses("api.type", name="Object", properties=["locaton"])

    assert "location" in fault.data["nearest"]


@pytest.mark.parametrize(
    "name", ["mesh.primitive_cube_add", "bpy.ops.mesh.primitive_cube_add()", "MESH_OT_primitive_cube_add"]
)
def test_an_operator_tells_its_properties(blender, name):
    described = blender.get("api.operator", name=name)

    assert described["name"] == "mesh.primitive_cube_add"
    assert described["call"].startswith("bpy.ops.mesh.primitive_cube_add(")
    assert by_name(described)["size"]["default"] == 2
    assert described["possible"] is True


def test_an_operator_that_cannot_run_now_says_so(blender):
    assert blender.get("api.operator", name="mesh.subdivide")["possible"] is False


def test_an_unknown_operator_comes_with_the_nearest(blender):
    fault = blender.refuses("api.operator", name="mesh.primitive_qube_add")

    assert fault.data["nearest"][0] == "mesh.primitive_cube_add"


@pytest.mark.parametrize("name", ["ShaderNodeMath", "ShaderNodeBsdfPrincipled"])
def test_a_node_tells_its_sockets(blender, name):
    described = blender.get("api.node", name=name)

    assert (described["name"], described["tree"]) == (name, "ShaderNodeTree")
    assert described["inputs"]
    assert described["outputs"]


def test_a_nodes_sockets_have_defaults_and_ranges_and_its_properties_values(blender):
    described = blender.get("api.node", name="ShaderNodeBsdfPrincipled")

    roughness = by_name(described, "inputs")["Roughness"]
    assert (roughness["type"], roughness["default"], roughness["min"], roughness["max"]) == ("VALUE", 0.5, 0, 1)
    assert "GGX" in by_name(described)["distribution"]["values"]
    assert "location" not in by_name(described)


def test_a_node_is_found_by_its_label(blender):
    assert blender.get("api.node", name="principled bsdf")["name"] == "ShaderNodeBsdfPrincipled"


def test_an_unknown_node_comes_with_the_nearest(blender):
    assert "ShaderNodeMath" in blender.refuses("api.node", name="ShaderNodeMaths").data["nearest"]


def test_every_node_is_described_or_refused_and_nothing_is_left_behind(blender):
    count = "result = [len(bpy.data.node_groups), len(bpy.data.scenes), len(bpy.data.objects)]"
    before = blender.python(count)
    nodes = []
    offset = 0
    while offset is not None:
        found = blender.get("api.search", query="node", kinds=["node"], limit=1000, offset=offset)
        nodes += [one["name"] for one in found["matches"]]
        offset = found["next_offset"]
    assert len(nodes) > 300

    refused = []
    for name in nodes:
        try:
            blender.get("api.node", name=name)
        except Fault as fault:
            refused.append((name, fault.code))

    assert {code for _name, code in refused} == {"invalid_params"}
    assert len(refused) < len(nodes) / 5, refused
    assert blender.python(count) == before


def test_looking_up_changes_nothing_that_could_be_undone(blender):
    steps = blender.get("history.list")

    blender.get("api.node", name="ShaderNodeMath")
    blender.get("api.search", query="cube")

    assert blender.get("history.list") == steps
