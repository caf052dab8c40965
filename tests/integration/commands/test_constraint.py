"""constraint.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_a_constraint_holds_an_object(blender):
    made = blender.get(
        "constraint.add", object="Cube", type="COPY_LOCATION", properties={"target": "Light"}, influence=0.5
    )

    assert (made["name"], made["influence"], made["properties"]["target"]) == ("Copy Location", 0.5, "Light")
    assert blender.get("constraint.list", object="Cube")["constraints"][0]["valid"] is True
    assert blender.get("object.bounds", names=["Cube"])["objects"][0]["center"] == pytest.approx(
        [2.038123, 0.5027227, 2.951932], abs=1e-4
    )


def test_a_constraint_is_removed_and_the_object_stays_where_it_was(blender):
    blender.get("constraint.add", object="Cube", type="copy_location", name="Hold", properties={"target": "Light"})
    held = blender.get("object.bounds", names=["Cube"])["objects"]

    left = blender.get("constraint.remove", object="Cube", name="Hold", keep_transform=True)

    assert left["total"] == 0
    assert blender.get("object.bounds", names=["Cube"])["objects"] == held


def test_constraints_are_changed_and_put_in_order(blender):
    for name in ("A", "B"):
        blender.get("constraint.add", object="Cube", type="Track To", name=name)

    changed = blender.get(
        "constraint.update",
        object="Cube",
        name="B",
        index=0,
        enabled=False,
        new_name="C",
        properties={"target": "Camera", "track_axis": "TRACK_Z"},
    )

    assert (changed["name"], changed["index"], changed["enabled"]) == ("C", 0, False)
    assert changed["properties"]["track_axis"] == "TRACK_Z"
    assert [item["name"] for item in blender.get("constraint.list", object="Cube")["constraints"]] == ["C", "A"]


def test_a_wrong_type_or_property_adds_nothing(blender):
    assert blender.refuses("constraint.add", object="Cube", type="TRACKTO").data["nearest"][0] == "TRACK_TO"
    fault = blender.refuses("constraint.add", object="Cube", type="TRACK_TO", properties={"target": "Lihgt"})

    assert fault.data["nearest"] == ["Light"]
    assert blender.get("constraint.list", object="Cube")["total"] == 0
    assert blender.refuses("constraint.remove", object="Cube", name="x")
