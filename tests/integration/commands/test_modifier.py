"""modifier.* against a real Blender, and what all commands share that set Blender's own properties by name."""

import pytest

from blender_addon.wire import Fault

pytestmark = pytest.mark.blender


def add(blender, type_, **more):
    return blender.get("modifier.add", object="Cube", type=type_, **more)


@pytest.mark.parametrize(
    ("type_", "properties", "vertices"),
    [
        ("ARRAY", {"count": 3, "relative_offset_displace": [2, 0, 0]}, 24),
        ("BEVEL", {"width": 0.2, "segments": 1}, 24),
        ("SUBSURF", {"levels": 2}, 98),
        ("MIRROR", {"use_axis": [True, True, False], "use_mirror_merge": False}, 32),
        ("SOLIDIFY", {"thickness": 0.1}, 16),
        ("WIREFRAME", {}, 40),
        ("DECIMATE", {"decimate_type": "UNSUBDIV"}, 8),
        ("SKIN", {}, 0),
    ],
)
def test_a_modifier_is_added_and_applied(blender, type_, properties, vertices):
    made = add(blender, type_, properties=properties)

    assert made["type"] == type_
    for key, value in properties.items():
        assert made["properties"][key] == pytest.approx(value)
    if vertices:
        applied = blender.get("modifier.apply", object="Cube")
        assert (applied["applied"], applied["modifiers"]) == ([made["name"]], [])
        assert applied["vertices"] == vertices


def test_a_boolean_takes_a_piece_out(blender):
    blender.get("object.create", type="cube", name="Tool", size=1, location=[1, 1, 1])

    made = add(blender, "BOOLEAN", properties={"object": "Tool", "operation": "DIFFERENCE", "solver": "EXACT"})
    blender.get("modifier.apply", object="Cube", names=[made["name"]])

    assert made["properties"]["object"] == "Tool"
    volume = blender.python(
        "import bmesh; shape = bmesh.new(); shape.from_mesh(bpy.data.objects['Cube'].data)\n"
        "result = shape.calc_volume()"
    )
    assert volume == pytest.approx(8 - 1 / 8)


@pytest.mark.parametrize("written", ["ARRAY", "array", "Array"])
def test_a_type_may_be_written_as_people_do(blender, written):
    assert add(blender, written)["type"] == "ARRAY"


def test_a_wrong_type_comes_with_the_nearest(blender):
    assert blender.refuses("modifier.add", object="Cube", type="BOOLAEN").data["nearest"][0] == "BOOLEAN"


def test_an_object_that_takes_no_modifier_says_so(blender):
    assert "takes no" in blender.refuses("modifier.add", object="Camera", type="SUBSURF").message


def test_every_wrong_property_is_told_at_once_and_nothing_is_added(blender):
    wrong = {"operaton": "UNION", "operation": "UNIN", "object": "Cub", "double_threshold": -1}

    fault = blender.refuses("modifier.add", object="Cube", type="BOOLEAN", properties=wrong)

    assert {problem["param"] for problem in fault.data["problems"]} == {f"properties.{name}" for name in wrong}
    assert {"operation", "UNION", "Cube"} <= set(fault.data["nearest"])
    assert blender.get("modifier.list", object="Cube")["total"] == 0


@pytest.mark.parametrize(
    ("properties", "problem"),
    [
        ({"count": 2.5}, "expected a whole number"),
        ({"count": True}, "expected a whole number"),
        ({"count": 0}, "from 1"),
        ({"relative_offset_displace": [1, 2]}, "expected 3 numbers"),
        ({"relative_offset_displace": 1}, "expected a list of 3 numbers"),
        ({"use_relative_offset": 1}, "expected true or false"),
        ({"fit_type": 3}, "FIXED_COUNT"),
        ({"curve": 3}, "expected the name of a"),
        ({"type": "BEVEL"}, "cannot be set"),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_what_is_wanted(blender, properties, problem):
    add(blender, "ARRAY")

    assert problem in blender.refuses("modifier.update", object="Cube", name="Array", properties=properties).message


def test_what_only_blender_can_refuse_leaves_everything_as_it_was(blender):
    add(blender, "BOOLEAN")

    for target in ("Camera", "Cube"):
        fault = blender.refuses(
            "modifier.update", object="Cube", name="Boolean", properties={"operation": "UNION", "object": target}
        )
        assert fault.data["problems"][0]["param"] == "properties.object"
    assert blender.get("modifier.list", object="Cube")["modifiers"][0]["properties"]["operation"] == "DIFFERENCE"


def test_data_is_taken_away_with_null(blender):
    blender.get("object.create", type="empty", name="Middle")
    add(blender, "MIRROR", properties={"mirror_object": "Middle"})

    after = blender.get("modifier.update", object="Cube", name="Mirror", properties={"mirror_object": None})

    assert after["properties"]["mirror_object"] is None


def test_the_stack_is_put_in_order(blender):
    add(blender, "SUBSURF", name="Second")
    assert add(blender, "BEVEL", name="First", index=0)["index"] == 0

    moved = blender.get("modifier.update", object="Cube", name="First", index=99, new_name="Last", render=False)

    assert (moved["name"], moved["index"], moved["render"], moved["viewport"]) == ("Last", 1, False, True)
    assert [item["name"] for item in blender.get("modifier.list", object="Cube")["modifiers"]] == ["Second", "Last"]


def test_a_modifier_is_removed(blender):
    add(blender, "SUBSURF", name="Smooth")
    assert blender.refuses("modifier.remove", object="Cube", name="Smoth").data["nearest"] == ["Smooth"]

    assert blender.get("modifier.remove", object="Cube", name="Smooth") == {"object": "Cube", "modifiers": []}


def test_shared_data_is_only_changed_when_it_may_be_copied(blender):
    add(blender, "SUBSURF")
    blender.python("bpy.data.objects.new('Twin', bpy.data.objects['Cube'].data)")

    assert "single_user" in blender.refuses("modifier.apply", object="Cube").message
    applied = blender.get("modifier.apply", object="Cube", single_user=True)

    assert (applied["vertices"], applied["data"]) == (26, "Cube.001")
    assert blender.python("result = len(bpy.data.objects['Twin'].data.vertices)") == 8


def test_one_that_cannot_be_applied_is_told_with_those_that_were(blender):
    add(blender, "SUBSURF", name="Smooth")
    add(blender, "BOOLEAN", name="Without")

    with pytest.raises(Fault) as caught:
        blender.get("modifier.apply", object="Cube", names=["Smooth", "Without"])

    assert caught.value.code == "execution_failed"
    assert "'Without' cannot be applied" in caught.value.message
    assert caught.value.data["applied"] == ["Smooth"]


def test_the_types_are_those_of_this_blender(blender):
    found = blender.get("modifier.types", query="subdiv")
    assert "SUBSURF" in {item["type"] for item in found["types"]}
    assert found["properties"] == []


def test_a_type_tells_its_properties(blender):
    properties = {prop["name"]: prop for prop in blender.get("modifier.types", type="ARRAY")["properties"]}

    assert properties["count"] | {"description": ""} == {
        "name": "count", "type": "integer", "description": "", "default": 2, "min": 1
    }  # fmt: skip
    assert properties["fit_type"]["values"][0] == "FIXED_COUNT"
    assert properties["relative_offset_displace"]["length"] == 3
    assert (properties["curve"]["type"], properties["curve"]["of"]) == ("data", "Object")
    assert "show_viewport" not in properties
    assert blender.get("scene.summary")["object_count"] == 3


def test_every_type_of_this_blender_can_be_described(blender):
    for item in blender.get("modifier.types")["types"]:
        blender.get("modifier.types", type=item["type"])


@pytest.mark.parametrize("type_", ["SUBSURF", "GREASE_PENCIL_NOISE"])
def test_what_a_blender_lacks_says_its_version(blender, type_):
    known = {item["type"] for item in blender.get("modifier.types")["types"]}
    if type_ not in known:
        assert "3.4" in blender.refuses("modifier.types", type=type_).message
