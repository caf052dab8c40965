"""camera.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender

# Where the corners of an object's box lie in the picture: 0 to 1, and above 0 in front of the camera.
SEEN = """
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector
bpy.context.view_layer.update()
scene = bpy.context.scene
camera = bpy.data.objects[{camera!r}]
result = [
    world_to_camera_view(scene, camera, item.matrix_world @ Vector(corner))
    for item in map(bpy.data.objects.get, {objects!r}) for corner in item.bound_box
]
"""


def seen(blender, camera, *objects):
    return blender.python(SEEN.format(camera=camera, objects=objects))


def test_a_new_camera_looks_at_its_target_and_renders(blender):
    made = blender.get("camera.create", name="New", location=[0, -5, 0], lens=35)

    assert made["rotation"] == pytest.approx([1.570796, 0, 0], abs=1e-5)
    assert (made["lens"], made["active"]) == (35, True)
    assert blender.get("scene.summary")["camera"] == "New"


def test_a_camera_may_wait_to_be_activated(blender):
    blender.get("camera.create", name="New", activate=False)
    assert blender.get("scene.summary")["camera"] == "Camera"

    assert blender.get("camera.activate", name="New")["active"] is True
    assert blender.get("scene.summary")["camera"] == "New"


def test_optics_are_set_and_what_is_not_given_stays(blender):
    before = blender.get("camera.list")["cameras"][0]

    after = blender.get(
        "camera.update", name="Camera", projection="orthographic", ortho_scale=3, properties={"shift_x": 0.25}
    )

    assert after == {**before, "projection": "orthographic", "ortho_scale": 3}
    assert blender.python("result = bpy.data.objects['Camera'].data.shift_x") == 0.25


def test_depth_of_field_is_switched_by_what_is_sharp(blender):
    focus = blender.get("camera.update", name="Camera", focus="Cube", fstop=1.4)["focus"]
    assert (focus["object"], focus["fstop"]) == ("Cube", pytest.approx(1.4))

    focus = blender.get("camera.update", name="Camera", focus_distance=3)["focus"]
    assert (focus["object"], focus["distance"]) == (None, 3)

    assert blender.get("camera.update", name="Camera", focus="")["focus"] is None


def test_wrong_settings_are_refused_before_anything_changes(blender):
    before = blender.get("camera.list")

    assert "clip_end" in blender.refuses("camera.update", name="Camera", lens=20, clip_start=5000).message
    assert blender.refuses("camera.update", name="Camera", lens=20, focus="Cub").data["nearest"] == ["Cube"]
    assert blender.refuses("camera.update", name="Camera", lens=20, properties={"shft_x": 1})

    assert blender.get("camera.list") == before


@pytest.mark.parametrize("target", [{"point": [0, 0, 0]}, {"object": "Cube"}])
def test_a_camera_turns_to_what_it_looks_at_and_stays_where_it_is(blender, target):
    before = blender.get("camera.update", name="Camera", location=[5, 4, 3])

    turned = blender.get("camera.look_at", **target)

    assert turned["location"] == before["location"]
    middle = [sum(axis) / 8 for axis in zip(*seen(blender, "Camera", "Cube"), strict=True)]
    assert middle[:2] == pytest.approx([0.5, 0.5], abs=0.02)


def test_a_camera_below_a_parent_looks_where_it_is_told(blender):
    blender.get("object.create", type="empty", name="Above", location=[1, 2, 3], rotation=[0.4, 0.5, 0.6])
    blender.python("bpy.data.objects['Camera'].parent = bpy.data.objects['Above']")

    blender.get("camera.look_at", object="Cube")

    middle = [sum(axis) / 8 for axis in zip(*seen(blender, "Camera", "Cube"), strict=True)]
    assert middle[:2] == pytest.approx([0.5, 0.5], abs=0.02)


def test_a_camera_cannot_look_at_its_own_place(blender):
    blender.get("camera.update", name="Camera", location=[1, 2, 3])

    assert "very place" in blender.refuses("camera.look_at", point=[1, 2, 3]).message
    assert "itself" in blender.refuses("camera.look_at", object="Camera").message
    assert "either" in blender.refuses("camera.look_at").message


WIDE = {"lens": 20, "properties": {"shift_x": 0.2}}
FLAT = {"projection": "orthographic", "properties": {"shift_x": 0.3, "shift_y": 1}}


@pytest.mark.parametrize("settings", [{}, WIDE, FLAT])
@pytest.mark.parametrize("direction", [None, "top", "right", "iso", [0.4, -0.7]])
def test_framed_objects_fill_the_picture_up_to_the_margin(blender, settings, direction):
    blender.get("object.create", type="torus", name="Ring", location=[4, -3, 2], scale=[1, 3, 1])
    if settings:
        blender.get("camera.update", name="Camera", **settings)

    blender.get("camera.frame_objects", objects=["Cube", "Ring"], margin=0.1, direction=direction)

    points = seen(blender, "Camera", "Cube", "Ring")
    low, high = ([bound(point[axis] for point in points) for axis in (0, 1)] for bound in (min, max))
    assert min(low) >= 0.1 - 1e-3
    assert max(high) <= 0.9 + 1e-3
    # The longer side touches both of its margins.
    assert max(high[0] - low[0], high[1] - low[1]) == pytest.approx(0.8, abs=1e-3)
    assert min(point[2] for point in points) > 0


def test_what_is_far_away_is_not_cut(blender):
    blender.get("object.update", name="Cube", scale=[500, 500, 500])

    framed = blender.get("camera.frame_objects")

    assert framed["camera"]["clip_end"] > max(point[2] for point in seen(blender, "Camera", "Cube"))


def test_children_and_instances_are_framed_too(blender):
    blender.get("object.create", type="empty", name="Group")
    blender.get("object.create", type="cube", name="Child", location=[8, 0, 0])
    blender.get("object.update", name="Child", parent="Group")
    blender.python("""
hidden = bpy.data.collections.new("Hidden")
hidden.objects.link(bpy.data.objects.new("Source", bpy.data.objects["Cube"].data))
bpy.data.objects["Group"].instance_type = "COLLECTION"
bpy.data.objects["Group"].instance_collection = hidden
""")

    framed = blender.get("camera.frame_objects", objects=["Group"], direction="front")

    assert framed["objects"] == 2
    # The instance stands where the cube stands.
    points = seen(blender, "Camera", "Cube", "Child")
    assert min(point[0] for point in points) == pytest.approx(0.05, abs=1e-3)
    assert max(point[0] for point in points) == pytest.approx(0.95, abs=1e-3)


def test_nothing_to_see_and_unknown_names_are_refused(blender):
    assert blender.refuses("camera.frame_objects", objects=["Cub"]).data["nearest"] == ["Cube"]
    assert "see itself" in blender.refuses("camera.frame_objects", objects=["Camera"]).message

    blender.get("object.delete", names=["Cube"])

    assert "nothing to see" in blender.refuses("camera.frame_objects").message


def test_a_scene_without_a_camera_says_what_to_do(blender):
    blender.get("object.delete", names=["Camera"])

    assert "camera.create" in blender.refuses("camera.look_at", object="Cube").message


def test_cameras_are_listed(blender):
    blender.get("camera.create", name="Above")

    listed = blender.get("camera.list", fields=["name", "active"])

    assert listed["cameras"] == [{"name": "Above", "active": True}, {"name": "Camera", "active": False}]
