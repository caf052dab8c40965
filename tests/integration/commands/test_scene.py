"""scene.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_the_summary_tells_what_is_open(blender):
    summary = blender.get("scene.summary")

    assert summary["objects"] == {"MESH": 1, "LIGHT": 1, "CAMERA": 1}
    assert summary["object_count"] == 3
    assert summary["camera"] == "Camera"
    assert summary["file"] == ""
    assert "Material" in summary["materials"]


def test_the_summary_stays_small_in_a_large_file(blender):
    blender.python("for _ in range(500): bpy.data.materials.new('many')")

    assert len(blender.get("scene.summary")["materials"]) == 100


def test_objects_come_in_pages_sorted_by_name(blender):
    first = blender.get("scene.objects", limit=2)
    second = blender.get("scene.objects", limit=2, offset=first["next_offset"])

    assert [item["name"] for item in first["objects"] + second["objects"]] == ["Camera", "Cube", "Light"]
    assert first["total"] == 3
    assert second["next_offset"] is None


def test_objects_are_found_by_a_piece_of_their_name(blender):
    assert [item["name"] for item in blender.get("scene.objects", query="AM")["objects"]] == ["Camera"]


def test_objects_are_found_by_their_type(blender):
    assert [item["name"] for item in blender.get("scene.objects", type="light")["objects"]] == ["Light"]


def test_an_unknown_type_comes_with_the_nearest(blender):
    assert blender.refuses("scene.objects", type="LIHGT").data["nearest"][0] == "LIGHT"


def test_objects_are_found_by_their_collection_and_selection(blender):
    blender.get("collection.create", name="Inner", parent="Collection", objects=["Light"])
    blender.get("object.select", names=["Light", "Camera"])

    def names(**params):
        return [item["name"] for item in blender.get("scene.objects", **params)["objects"]]

    assert names(collection="Inner") == ["Light"]
    assert names(collection="Collection") == ["Camera", "Cube", "Light"]
    assert names(selected=True) == ["Camera", "Light"]
    assert names(selected=False) == ["Cube"]
    assert blender.refuses("scene.objects", collection="Iner").data["nearest"] == ["Inner"]


def test_of_each_object_come_the_fields_that_were_asked_for(blender):
    found = blender.get("scene.objects", fields=["name", "materials", "dimensions", "collections"], type="MESH")

    assert found["objects"] == [
        {"name": "Cube", "materials": ["Material"], "dimensions": [2, 2, 2], "collections": ["Collection"]}
    ]
    assert blender.refuses("scene.objects", fields=["nmae"]).data["nearest"][0] == "name"
