"""What a mesh carries beside its geometry, against a real Blender."""

import pytest

from tests.integration.commands.arrays import floats, ints, numbers, part

pytestmark = pytest.mark.blender


def written(blender, name, values, kind, domain, **more):
    params = {"object": "Cube", "name": name, "values": {"$part": "values"}, "type": kind, "domain": domain, **more}
    return blender.call("mesh.write_attribute", {"values": values}, **params).value


def refused(blender, name, values, kind, domain):
    params = {"object": "Cube", "name": name, "values": {"$part": "values"}, "type": kind, "domain": domain}
    return blender.refuses("mesh.write_attribute", {"values": values}, **params).message


def test_edges_materials_and_smoothness_are_read(blender):
    answer = blender.call("mesh.read", object="Cube", attributes=["edges", "material_index", "smooth"])

    assert {name: (values.dtype, values.shape) for name, values in answer.parts.items()} == {
        "edges": ("<i4", (12, 2)),
        "material_index": ("<i4", (6,)),
        "smooth": ("|u1", (6,)),
    }
    assert set(numbers(answer.parts["edges"])) == set(range(8))
    assert numbers(answer.parts["smooth"]) == [0] * 6


def test_what_the_modifiers_make_is_read(blender):
    blender.python("bpy.data.objects['Cube'].modifiers.new('S', 'SUBSURF').levels = 2")

    answer = blender.call("mesh.read", object="Cube", attributes=["co", "UVMap"], evaluated=True)

    assert (answer.value["vertices"], answer.value["faces"]) == (98, 96)
    assert answer.parts["co"].shape == (98, 3)
    assert answer.parts["UVMap"].shape == (384, 2)
    assert blender.get("mesh.read", object="Cube")["vertices"] == 8


def test_a_text_is_read_as_the_mesh_that_it_becomes(blender):
    blender.get("object.create", type="text", name="Words")

    assert blender.get("mesh.read", object="Words", evaluated=True)["faces"] > 0
    assert "is no mesh" in blender.refuses("mesh.read", object="Words").message
    assert "becomes no mesh" in blender.refuses("mesh.read", object="Light", evaluated=True).message


def test_attributes_are_listed_with_what_they_are(blender):
    written(blender, "Weight", floats(*range(8)), "FLOAT", "POINT")

    listed = {entry["name"]: entry for entry in blender.get("mesh.attributes", object="Cube")["attributes"]}

    assert listed["Weight"] == {
        "name": "Weight",
        "domain": "POINT",
        "type": "FLOAT",
        "role": "",
        "active": False,
        "length": 8,
        "dtype": "<f4",
        "columns": 1,
    }
    assert (listed["UVMap"]["role"], listed["UVMap"]["active"], listed["UVMap"]["length"]) == ("uv", True, 24)
    assert not [name for name in listed if name.startswith(".")]


@pytest.mark.parametrize(
    ("kind", "domain", "values"),
    [
        ("FLOAT", "EDGE", floats(*[0.5] * 12)),
        ("INT", "FACE", ints(*range(6))),
        ("INT8", "FACE", part("|i1", [-1, 2, 3, 4, 5, 6])),
        ("BOOLEAN", "FACE", part("|u1", [1, 0, 1, 0, 0, 1])),
        ("FLOAT_VECTOR", "POINT", floats(*range(24))),
        ("FLOAT2", "CORNER", floats(*[number / 48 for number in range(48)])),
        ("FLOAT_COLOR", "CORNER", floats(*[0.25, 0.5, 0.75, 1.0] * 24)),
    ],
)
def test_an_attribute_that_was_written_is_read_as_it_was(blender, kind, domain, values):
    said = written(blender, "New", values, kind, domain)

    assert (said["created"], said["type"], said["domain"]) == (True, kind, domain)
    read = blender.call("mesh.read", object="Cube", attributes=["New"]).parts["New"]
    assert (read.dtype, numbers(read)) == (values.dtype, numbers(values))


def test_types_that_a_blender_does_not_have_yet_are_told(blender):
    values = floats(*[1, 0, 0, 0] * 8)
    if blender.version >= (4, 0):
        assert written(blender, "Turn", values, "QUATERNION", "POINT")["created"]
    else:
        assert "came with Blender 4.0" in refused(blender, "Turn", values, "QUATERNION", "POINT")


def test_an_attribute_is_overwritten_and_one_of_another_type_replaced(blender):
    written(blender, "Weight", floats(*[1] * 8), "FLOAT", "POINT")

    again = written(blender, "Weight", floats(*[2] * 8), "FLOAT", "POINT")
    other = written(blender, "Weight", ints(*[3] * 6), "INT", "FACE")

    assert (again["created"], other["created"]) == (False, True)
    assert numbers(blender.call("mesh.read", object="Cube", attributes=["Weight"]).parts["Weight"]) == [3] * 6


def test_a_new_uv_map_is_one_for_blender(blender):
    written(blender, "Second", floats(*[0.5] * 48), "FLOAT2", "CORNER")

    assert blender.python("result = [layer.name for layer in bpy.data.meshes['Cube'].uv_layers]") == ["UVMap", "Second"]
    assert blender.python("result = list(bpy.data.meshes['Cube'].uv_layers['Second'].data[5].uv)") == [0.5, 0.5]


def test_more_uv_maps_than_blender_has_room_for_are_refused(blender):
    for number in range(7):
        written(blender, f"UV {number}", floats(*[0.5] * 48), "FLOAT2", "CORNER")

    assert "no more" in refused(blender, "Ninth", floats(*[0.5] * 48), "FLOAT2", "CORNER")


def test_materials_and_smoothness_of_faces_are_written(blender):
    written(blender, "material_index", ints(0, 1, 2, 0, 1, 2), "INT", "FACE")
    written(blender, "smooth", part("|u1", [1] * 6), "BOOLEAN", "FACE")

    assert blender.python(
        "result = [(face.material_index, face.use_smooth) for face in bpy.data.meshes['Cube'].polygons]"
    ) == [[index, True] for index in (0, 1, 2, 0, 1, 2)]


@pytest.mark.parametrize(
    ("name", "values", "kind", "domain", "message"),
    [
        ("A", floats(1, 2), "FLOAT", "POINT", "2 rows, and the mesh has 8 vertices"),
        ("A", floats(*[1] * 8), "FLOAT", "CORNER", "24 face corners"),
        ("A", floats(*[float("nan")] * 8), "FLOAT", "POINT", "not finite"),
        ("A", floats(*[float("-inf")] * 8), "FLOAT", "POINT", "not finite"),
        ("A", ints(*[1] * 8), "FLOAT", "POINT", "expected items of <f4, got '<i4'"),
        ("A", floats(*[1] * 8), "FLOAT_VECTOR", "POINT", "expected rows of 3 <f4"),
        ("position", floats(*[1] * 24), "FLOAT_VECTOR", "POINT", "mesh.write writes it"),
        ("smooth", floats(*[1] * 6), "FLOAT", "FACE", "is BOOLEAN on FACE"),
    ],
)
def test_values_that_do_not_fit_are_refused(blender, name, values, kind, domain, message):
    assert message in refused(blender, name, values, kind, domain)


def test_numbers_beyond_half_of_the_largest_are_finite(blender):
    assert written(blender, "Large", floats(*[3e38, -3e38] * 4), "FLOAT", "POINT")["created"]


def test_an_unknown_attribute_is_refused_with_the_nearest(blender):
    fault = blender.refuses("mesh.read", object="Cube", attributes=["UvMpa"])

    assert (fault.data["problems"][0]["param"], fault.data["nearest"]) == ("attributes", ["UVMap"])


def test_an_attribute_is_removed(blender):
    written(blender, "Weight", floats(*[1] * 8), "FLOAT", "POINT")

    for name in ("Weight", "UVMap"):
        assert blender.get("mesh.remove_attribute", object="Cube", name=name)["removed"] == name

    names = [entry["name"] for entry in blender.get("mesh.attributes", object="Cube")["attributes"]]
    assert not {"Weight", "UVMap"} & set(names)
    assert "no attribute 'Weight'" in blender.refuses("mesh.remove_attribute", object="Cube", name="Weight").message


def test_a_mesh_that_is_being_edited_is_not_written(blender):
    blender.python("""
bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
bpy.ops.object.mode_set(mode="EDIT")
""")

    assert "edit mode" in refused(blender, "A", floats(*[1] * 8), "FLOAT", "POINT")
