"""collection.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def tree(blender):
    found = blender.get("collection.list")["collections"]
    return [(item["name"], item["parent"], item["depth"]) for item in found]


def test_the_tree_begins_at_the_root(blender):
    blender.get("collection.create", name="Inner", parent="Collection", color="COLOR_04")

    assert tree(blender) == [
        ("Scene Collection", None, 0),
        ("Collection", "Scene Collection", 1),
        ("Inner", "Collection", 2),
    ]
    assert blender.get("collection.list", depth=1)["total"] == 2
    inner = blender.get("collection.list", offset=2)["collections"][0]
    assert (inner["color"], inner["objects"], inner["viewport"], inner["excluded"]) == ("COLOR_04", 0, True, False)


def test_the_tree_comes_in_pages(blender):
    for _ in range(3):
        blender.get("collection.create", name="Many")

    page = blender.get("collection.list", limit=2)

    assert (len(page["collections"]), page["total"], page["next_offset"]) == (2, 5, 2)


def test_a_new_collection_takes_objects_out_of_theirs(blender):
    made = blender.get("collection.create", name="Lights", objects=["Light"])

    assert made == {"name": "Lights", "objects": ["Light"], "object_count": 1, "children": []}
    assert blender.get("object.get", name="Light")["collections"] == ["Lights"]


def test_a_missing_object_leaves_no_collection_behind(blender):
    assert blender.refuses("collection.create", name="New", objects=["Lihgt"]).data["nearest"] == ["Light"]
    assert ("New", "Scene Collection", 1) not in tree(blender)


def test_objects_are_moved_or_linked(blender):
    blender.get("collection.create", name="Other")

    blender.get("collection.move_objects", objects=["Cube"], to="Other")
    assert blender.get("object.get", name="Cube")["collections"] == ["Other"]
    blender.get("collection.move_objects", objects=["Cube"], to="Collection", keep=True)
    assert sorted(blender.get("object.get", name="Cube")["collections"]) == ["Collection", "Other"]
    blender.get("collection.unlink_objects", objects=["Cube"], name="Other")
    assert blender.get("object.get", name="Cube")["collections"] == ["Collection"]
    assert (
        "no other collection"
        in blender.refuses("collection.unlink_objects", objects=["Cube"], name="Collection").message
    )


def test_an_object_goes_to_the_scenes_root(blender):
    blender.get("collection.move_objects", objects=["Cube"], to="")

    assert blender.get("object.get", name="Cube")["collections"] == ["Scene Collection"]


def test_a_collection_is_renamed_moved_and_hidden(blender):
    blender.get("collection.create", name="A")
    blender.get("collection.create", name="B", parent="A", objects=["Cube"])

    state = blender.get("collection.update", name="B", new_name="C", parent="", render=False)

    assert (state["name"], state["parent"], state["depth"], state["render"]) == ("C", "Scene Collection", 1, False)
    assert blender.get("collection.get", name="A")["children"] == []
    assert blender.get("collection.get", name="C")["objects"] == ["Cube"]


def test_an_excluded_collection_is_out_of_the_view_layer(blender):
    assert blender.get("collection.update", name="Collection", excluded=True)["excluded"] is True
    assert "view layer" in blender.refuses("object.select", names=["Cube"]).message

    blender.get("collection.update", name="Collection", excluded=False)
    assert blender.get("object.select", names=["Cube"])["selected"] == ["Cube"]


def test_a_loop_of_collections_is_refused(blender):
    blender.get("collection.create", name="Inner", parent="Collection")

    assert "in it" in blender.refuses("collection.update", name="Collection", parent="Inner").message


def test_the_root_stays_what_it_is(blender):
    for params in ({"new_name": "x"}, {"parent": "Collection"}, {"excluded": True}):
        assert "root" in blender.refuses("collection.update", name="Scene Collection", **params).message
    assert "root" in blender.refuses("collection.delete", name="Scene Collection").message


def test_a_deleted_collection_leaves_what_it_had_to_its_parent(blender):
    blender.get("collection.create", name="Outer")
    blender.get("collection.create", name="Middle", parent="Outer", objects=["Cube"])
    blender.get("collection.create", name="Inner", parent="Middle")

    gone = blender.get("collection.delete", name="Middle")

    assert gone == {"deleted": ["Middle"], "objects": 0, "kept": 1}
    assert blender.get("collection.get", name="Outer") == {
        "name": "Outer", "objects": ["Cube"], "object_count": 1, "children": ["Inner"]
    }  # fmt: skip


def test_a_collection_is_deleted_with_all_that_no_other_holds(blender):
    blender.get("collection.create", name="Outer", objects=["Cube", "Light"])
    blender.get("collection.create", name="Inner", parent="Outer", objects=["Camera"])
    blender.get("collection.move_objects", objects=["Light"], to="Collection", keep=True)

    gone = blender.get("collection.delete", name="Outer", objects=True)

    assert gone == {"deleted": ["Outer", "Inner"], "objects": 2, "kept": 0}
    assert [item["name"] for item in blender.get("scene.objects")["objects"]] == ["Light"]


def test_a_wrong_name_comes_with_the_nearest(blender):
    assert blender.refuses("collection.get", name="Colection").data["nearest"][0] == "Collection"
