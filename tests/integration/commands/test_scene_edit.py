"""Several scenes in one file, against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_a_scene_tells_its_settings(blender):
    scene = blender.get("scene.get")

    assert (scene["name"], scene["active"], scene["objects"], scene["camera"]) == ("Scene", "Scene", 3, "Camera")
    assert (scene["frame_start"], scene["frame_end"], scene["fps"]) == (1, 250, 24)
    assert scene["units"] == {"system": "METRIC", "length": "METERS", "rotation": "DEGREES", "scale": 1}
    assert scene["gravity"] == pytest.approx([0, 0, -9.81])


@pytest.mark.parametrize(
    ("copy", "objects", "frames"), [("empty", 0, 250), ("settings", 0, 99), ("linked", 3, 99), ("full", 3, 99)]
)
def test_a_scene_is_made_after_the_active_one(blender, copy, objects, frames):
    blender.python("bpy.context.scene.frame_end = 99")

    made = blender.get("scene.create", name="Second", copy=copy)

    assert (made["name"], made["active"]) == ("Second", "Second")
    assert (made["objects"], made["frame_end"]) == (objects, frames)
    assert blender.python("result = len(bpy.data.objects)") == (6 if copy == "full" else 3)
    assert blender.get("scene.summary")["object_count"] == objects


def test_new_objects_go_to_the_scene_that_was_activated(blender):
    blender.get("scene.create", name="Second")
    blender.get("object.create", type="cube", name="There")

    back = blender.get("scene.activate", name="Scene")

    assert (back["active"], back["objects"]) == ("Scene", 3)
    assert blender.get("scene.get", name="Second")["objects"] == 1


def test_a_scene_may_be_made_beside_the_active_one(blender):
    assert blender.get("scene.create", name="Second", copy="full", activate=False)["active"] == "Scene"


def test_a_scenes_settings_are_changed(blender):
    blender.get("object.create", type="camera", name="Other")

    scene = blender.get(
        "scene.update",
        new_name="Main",
        camera="Other",
        properties={"gravity": [0, 0, -1.6], "unit_settings": {"system": "IMPERIAL"}, "frame_end": 10},
    )

    assert (scene["name"], scene["camera"], scene["frame_end"]) == ("Main", "Other", 10)
    assert (scene["units"]["system"], scene["gravity"]) == ("IMPERIAL", [0, 0, -1.6])


def test_a_wrong_setting_changes_nothing(blender):
    fault = blender.refuses("scene.update", new_name="x", properties={"frame_end": 5, "unit_settings": {"system": "X"}})

    assert fault.data["problems"][0]["param"] == "properties.unit_settings.system"
    assert (blender.get("scene.get")["name"], blender.get("scene.get")["frame_end"]) == ("Scene", 250)


def test_a_deleted_scene_takes_its_own_objects_with_it(blender):
    blender.get("scene.create", name="Second")
    blender.get("object.create", type="cube", name="Own")

    left = blender.get("scene.delete", name="Second")

    assert (left["name"], left["scenes"], left["objects"]) == ("Scene", ["Scene"], 3)
    assert blender.refuses("object.get", name="Own")


def test_the_last_scene_stays(blender):
    assert "only scene" in blender.refuses("scene.delete", name="Scene").message
    assert blender.refuses("scene.activate", name="Scne").data["nearest"] == ["Scene"]
