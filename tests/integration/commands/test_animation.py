"""animation.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def insert(blender, path, *keys, **more):
    keyframes = [{"frame": frame, "value": value} for frame, value in keys]
    return blender.get("animation.insert_keyframes", object="Cube", data_path=path, keyframes=keyframes, **more)


def keys(blender, name="Cube", **params):
    return [
        (key["data_path"], key["index"], key["frame"], key["value"])
        for key in blender.get("animation.keyframes", object=name, **params)["keyframes"]
    ]


def test_the_timeline_is_told_and_set(blender):
    assert blender.get("animation.get") == {
        "frame": 1, "start": 1, "end": 250, "step": 1, "fps": 24, "seconds": pytest.approx(250 / 24),
    }  # fmt: skip

    timeline = blender.get("animation.set", frame=300, start=300, end=399, step=2, fps=25)

    assert timeline == {"frame": 300, "start": 300, "end": 399, "step": 2, "fps": 25, "seconds": 4}


def test_a_fractional_rate_is_met(blender):
    assert blender.get("animation.set", fps=29.97)["fps"] == pytest.approx(29.97)


def test_a_range_without_frames_is_refused(blender):
    assert blender.refuses("animation.set", start=10, end=5, frame=3).data["problems"][0]["param"] == "start"
    assert blender.get("animation.get")["frame"] == 1


def test_a_property_moves_between_its_keyframes(blender):
    inserted = insert(blender, "location", (1, [0, 0, 0]), (11, [10, 20, 30]), interpolation="LINEAR")

    assert inserted == {
        "object": "Cube", "data_path": "location", "inserted": 2, "keyframes": 6, "first": 1, "last": 11,
    }  # fmt: skip
    blender.get("animation.set", frame=3)
    assert blender.get("object.get", name="Cube")["location"] == pytest.approx([2, 4, 6])


def test_the_current_frame_stays_and_shows_what_the_animation_has_there(blender):
    insert(blender, "location", (1, [1, 1, 1]), (100, [9, 9, 9]))

    assert blender.get("animation.get")["frame"] == 1
    assert blender.get("object.get", name="Cube")["location"] == [1, 1, 1]


def test_a_keyframe_that_is_there_is_replaced(blender):
    for value in (1, 2):
        insert(blender, "location", (5, value), index=2)

    assert keys(blender) == [("location", 2, 5, 2)]


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("hide_render", True, 1),
        ("display_type", "WIRE", None),
        ('["mine"]', 2.5, 2.5),
        ('modifiers["Sub"].levels', 3, 3),
        ('data.shape_keys.key_blocks["Key"].value', 0.5, None),
        ("active_material.metallic", 0.5, None),
    ],
)
def test_whatever_a_path_reaches_is_animated(blender, path, value, found):
    blender.python("""
cube = bpy.data.objects["Cube"]
cube["mine"] = 1.0
cube.modifiers.new("Sub", "SUBSURF")
cube.shape_key_add(name="Basis")
cube.shape_key_add(name="Key")
""")

    assert insert(blender, path, (3, value))["keyframes"] == 1

    assert found is None or keys(blender) == [(path, 0, 3, found)]


@pytest.mark.parametrize(
    ("path", "canonical", "value"),
    [
        ("active_material.metallic", "material_slots[0].material.metallic", 0.5),
        (
            'active_material.node_tree.nodes["Principled BSDF"].inputs["Roughness"].default_value',
            'material_slots[0].material.node_tree.nodes["Principled BSDF"].inputs[{}].default_value',
            0.25,
        ),
        ('data.shape_keys.key_blocks["Key"].value', 'data.shape_keys.key_blocks["Key"].value', 0.75),
    ],
)
def test_what_is_animated_in_materials_and_shape_keys_is_listed_and_deleted(blender, path, canonical, value):
    number = blender.python("""
cube = bpy.data.objects["Cube"]
cube.shape_key_add(name="Basis")
cube.shape_key_add(name="Key")
inputs = cube.active_material.node_tree.nodes["Principled BSDF"].inputs
result = inputs.keys().index("Roughness")
""")
    insert(blender, path, (3, value), (5, value))
    insert(blender, "hide_render", (1, True))

    assert keys(blender, data_path=path) == [(canonical.format(number), 0, frame, value) for frame in (3, 5)]
    assert blender.get("animation.delete_keyframes", object="Cube", data_path=path) == {"deleted": 2, "left": 0}
    assert [key[0] for key in keys(blender)] == ["hide_render"]


def test_a_path_into_another_objects_data_is_refused(blender):
    blender.python('bpy.data.objects["Cube"].parent = bpy.data.objects["Light"]')

    fault = blender.refuses(
        "animation.insert_keyframes",
        object="Cube",
        data_path="parent.location",
        keyframes=[{"frame": 1, "value": [1, 2, 3]}],
    )

    assert "belongs to 'Light'" in fault.message


def test_curves_of_what_is_gone_are_deleted_by_their_path(blender):
    blender.python('bpy.data.objects["Cube"]["mine"] = 1.0')
    insert(blender, '["mine"]', (1, 2.0))
    blender.python('del bpy.data.objects["Cube"]["mine"]')

    assert blender.get("animation.delete_keyframes", object="Cube", data_path='["mine"]')["deleted"] == 1


def test_data_is_animated_and_listed_with_its_object(blender):
    blender.get(
        "animation.insert_keyframes",
        object="Light",
        data_path="data.energy",
        keyframes=[{"frame": 1, "value": 5}, {"frame": 9, "value": 50}],
    )

    assert keys(blender, "Light") == [("data.energy", 0, 1, 5), ("data.energy", 0, 9, 50)]


def test_wrong_values_are_all_told_before_anything_changes(blender):
    fault = blender.refuses(
        "animation.insert_keyframes",
        object="Cube",
        data_path="location",
        keyframes=[{"frame": 1, "value": [1, 2, 3]}, {"frame": 2, "value": 5}, {"frame": 3, "value": [1, 2]}],
    )

    assert [problem["param"] for problem in fault.data["problems"]] == ["keyframes[1].value", "keyframes[2].value"]
    assert keys(blender) == []


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("locaton", "'location'"),
        ("location[0]", "by index"),
        ('modifiers["None"].levels', "has no"),
        ('["none"]', "no custom property"),
        ("name", "does not animate"),
    ],
)
def test_what_is_no_animatable_property_is_refused(blender, path, said):
    fault = blender.refuses(
        "animation.insert_keyframes", object="Cube", data_path=path, keyframes=[{"frame": 1, "value": 1}]
    )

    assert said in fault.message


def test_a_component_that_there_is_not_is_refused(blender):
    fault = blender.refuses(
        "animation.insert_keyframes", object="Cube", data_path="location", index=3, keyframes=[{"frame": 1, "value": 1}]
    )

    assert "3 components" in fault.message


def test_keyframes_are_listed_a_page_at_a_time(blender):
    insert(blender, "scale", (1, [1, 1, 1]), (2, [2, 2, 2]))
    insert(blender, "hide_render", (1, True))

    first = blender.get("animation.keyframes", object="Cube", limit=4)

    assert (first["total"], first["next_offset"]) == (7, 4)
    assert [key["frame"] for key in first["keyframes"]] == [1, 1, 2, 1]
    assert keys(blender, data_path="hide_render") == [("hide_render", 0, 1, 1)]


def test_keyframes_in_a_range_are_deleted(blender):
    insert(blender, "scale", *((frame, [1, 1, 1]) for frame in range(1, 11)))

    deleted = blender.get("animation.delete_keyframes", object="Cube", data_path="scale", start=4, end=9)

    assert deleted == {"deleted": 18, "left": 12}
    assert [key[2] for key in keys(blender) if key[1] == 0] == [1, 2, 3, 10]


def test_without_keyframes_nothing_is_animated_any_more(blender):
    insert(blender, "location", (1, [1, 1, 1]))
    insert(blender, "hide_render", (1, True))

    assert blender.get("animation.delete_keyframes", object="Cube", data_path="location")["deleted"] == 3

    assert [key[0] for key in keys(blender)] == ["hide_render"]


def test_objects_that_share_an_action_have_each_their_own_keyframes(blender):
    """From 4.4 on an action has a slot for each; before, the curves are the same."""
    insert(blender, "location", (1, [1, 1, 1]))
    blender.get("object.create", type="cube", name="Other")
    blender.python("""
other, cube = bpy.data.objects["Other"], bpy.data.objects["Cube"]
other.animation_data_create().action = cube.animation_data.action
if hasattr(other.animation_data, "action_slot"):
    other.animation_data.action_slot = cube.animation_data.action.slots.new("OBJECT", "Other")
""")

    shared = blender.version < (4, 4, 0)

    assert len(keys(blender, "Other")) == (3 if shared else 0)
    assert len(keys(blender)) == 3
