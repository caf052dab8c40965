"""object.bounds and scene.ray_cast against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_boxes_are_told_in_world_space_and_sorted(blender):
    blender.get("object.update", name="Cube", location=[1, 0, 0], scale=[2, 1, 1])

    found = blender.get("object.bounds")

    assert [item["name"] for item in found["objects"]] == ["Camera", "Cube", "Light"]
    cube = found["objects"][1]
    assert (cube["min"], cube["max"]) == ([-1, -1, -1], [3, 1, 1])
    assert (cube["center"], cube["size"]) == ([1, 0, 0], [4, 2, 2])
    assert found["objects"][2]["size"] == [0, 0, 0]


def test_the_box_around_all_is_that_of_every_page(blender):
    first = blender.get("object.bounds", limit=1)

    assert (len(first["objects"]), first["total"], first["next_offset"]) == (1, 3, 1)
    assert first["all"]["min"] == pytest.approx([-1, -6.925791, -1])


def test_the_box_of_a_parent_may_hold_its_children(blender):
    blender.get("object.create", type="empty", name="Top", location=[50, 0, 0])
    blender.get("object.parent", names=["Cube"], parent="Top")

    found = blender.get("object.bounds", names=["Top"], children=True)["objects"][0]

    assert found["size"] == pytest.approx([2, 2, 2], abs=1e-4)


def test_boxes_of_one_collection(blender):
    blender.get("collection.create", name="Few", objects=["Cube"])

    assert blender.get("object.bounds", collection="Few")["total"] == 1
    assert blender.get("object.bounds", collection="Collection")["total"] == 2


def test_overlapping_boxes_are_found_once_a_pair(blender):
    blender.get("object.create", type="cube", name="A", location=[1.5, 0, 0])
    blender.get("object.create", type="cube", name="Far", location=[9, 0, 0])
    blender.get("object.create", type="cube", name="Beside", location=[-2, 0, 0])

    found = blender.get("object.bounds", overlaps=True)
    assert (found["overlaps"], found["overlap_count"]) == ([{"a": "A", "b": "Cube", "surfaces": None}], 1)

    near = blender.get("object.bounds", overlaps=True, margin=0.01)
    assert [(pair["a"], pair["b"]) for pair in near["overlaps"]] == [("A", "Cube"), ("Beside", "Cube")]


def test_boxes_may_overlap_where_surfaces_do_not(blender):
    blender.get("object.create", type="uv_sphere", name="Ball", location=[1.8, 1.8, 1.8])
    blender.get("object.create", type="cube", name="Crossing", location=[-1, 0, 0], rotation=[0.1, 0.2, 0.3])

    found = blender.get("object.bounds", surfaces=True)["overlaps"]

    assert {(pair["a"], pair["b"]): pair["surfaces"] for pair in found} == {
        ("Ball", "Cube"): False,
        ("Crossing", "Cube"): True,
    }


def test_a_thousand_objects_stay_a_small_answer(blender):
    blender.get("object.duplicate", names=["Cube"], count=999, linked=True)

    found = blender.get("object.bounds", overlaps=True)

    assert (len(found["objects"]), found["total"], len(found["overlaps"])) == (50, 1002, 100)
    assert found["overlap_count"] == 1000 * 999 // 2


def test_a_ray_meets_the_first_surface(blender):
    hit = blender.get("scene.ray_cast", origin=[0.5, 0, 10], direction=[0, 0, -5])["hit"]

    assert (hit["object"], hit["location"], hit["normal"]) == ("Cube", [0.5, 0, 1], [0, 0, 1])
    assert hit["distance"] == pytest.approx(9)
    assert blender.get("scene.ray_cast", origin=[0.5, 0, 10], to=[0.5, 0, 0])["hit"] == hit


def test_a_ray_may_meet_nothing(blender):
    assert blender.get("scene.ray_cast", origin=[0, 0, 10], direction=[0, 0, 1])["hit"] is None
    assert blender.get("scene.ray_cast", origin=[0, 0, 10], to=[0, 0, 0], distance=5)["hit"] is None


@pytest.mark.parametrize("more", [{}, {"direction": [0, 0, 1], "to": [1, 1, 1]}, {"direction": [0, 0, 0]}])
def test_a_ray_needs_one_direction(blender, more):
    blender.refuses("scene.ray_cast", origin=[0, 0, 0], **more)
