"""light.* against a real Blender."""

import math

import pytest

pytestmark = pytest.mark.blender


@pytest.mark.parametrize("kind", ["point", "sun", "spot", "area"])
def test_a_light_of_each_type_is_made(blender, kind):
    made = blender.get("light.create", type=kind, name="Made", energy=7, color="#ff0000", size=0.5)

    assert (made["name"], made["type"], made["energy"], made["color"]) == ("Made", kind, 7, [1, 0, 0])
    assert made["size"] == pytest.approx(0.5)
    assert blender.python("result = bpy.data.objects['Made'].data.type") == kind.upper()


def test_a_new_light_points_at_its_target(blender):
    blender.get("light.create", type="spot", name="Spot", location=[0, 0, 5], target=[0, 5, 0])

    assert blender.python("""
from mathutils import Vector
result = bpy.data.objects["Spot"].matrix_world.to_3x3() @ Vector((0, 0, -1))
""") == pytest.approx([0, math.sqrt(0.5), -math.sqrt(0.5)], abs=1e-5)


def test_a_rotation_takes_the_targets_place(blender):
    made = blender.get("light.create", type="sun", rotation=[0.1, 0.2, 0.3])

    assert made["rotation"] == pytest.approx([0.1, 0.2, 0.3], abs=1e-5)


def test_an_area_with_two_sizes_is_a_rectangle(blender):
    made = blender.get("light.create", type="area", name="Panel", size=2, size_y=1)

    assert (made["size"], made["size_y"]) == (2, 1)
    assert blender.python("result = bpy.data.objects['Panel'].data.shape") == "RECTANGLE"


@pytest.mark.parametrize(("kind", "param"), [("area", "spot_angle"), ("point", "size_y"), ("sun", "spot_blend")])
def test_what_a_type_does_not_have_is_refused_and_nothing_is_made(blender, kind, param):
    fault = blender.refuses("light.create", type=kind, **{param: 0.5})

    assert fault.data["problems"][0]["param"] == param
    assert blender.get("light.list")["total"] == 1


def test_what_is_not_given_stays(blender):
    before = blender.get("light.list")["lights"][0]

    after = blender.get("light.update", name="Light", shadow=False)

    assert after == {**before, "shadow": False}


def test_a_light_becomes_one_of_another_type(blender):
    changed = blender.get("light.update", name="Light", type="area", size=3, energy=100, properties={"shape": "DISK"})

    assert (changed["type"], changed["size"], changed["energy"]) == ("area", 3, 100)
    assert blender.python("result = bpy.data.objects['Light'].data.shape") == "DISK"


def test_a_light_is_turned_to_a_target(blender):
    blender.get("light.update", name="Light", location=[0, 0, 4], target=[0, 0, 0])

    turned = blender.get("light.list")["lights"][0]
    assert turned["location"] == [0, 0, 4]
    assert turned["rotation"][:2] == pytest.approx([0, 0], abs=1e-5)


def test_what_is_no_light_comes_with_the_lights(blender):
    assert blender.refuses("light.update", name="Cube").data["nearest"] == ["Light"]


def test_lights_are_listed_a_page_at_a_time(blender):
    for name in ("A", "Z"):
        blender.get("light.create", type="point", name=name)

    first = blender.get("light.list", limit=2, fields=["name"])
    rest = blender.get("light.list", limit=2, offset=first["next_offset"], fields=["name"])

    assert first == {"lights": [{"name": "A"}, {"name": "Light"}], "total": 3, "next_offset": 2}
    assert rest["lights"] == [{"name": "Z"}]
    assert "no field" in blender.refuses("light.list", fields=["colour"]).message


def test_a_studio_has_three_lights_that_point_at_the_subject(blender):
    blender.get("object.update", name="Cube", location=[3, 2, 1])

    lights = blender.get("light.studio", objects=["Cube"])["lights"]

    assert [light["name"] for light in lights] == ["Studio Key", "Studio Fill", "Studio Rim"]
    for light in lights:
        towards = blender.python(f"""
from mathutils import Vector
item = bpy.data.objects[{light["name"]!r}]
away = Vector((3, 2, 1)) - item.matrix_world.translation
result = (item.matrix_world.to_3x3() @ Vector((0, 0, -1))).angle(away)
""")
        assert towards == pytest.approx(0, abs=1e-3)


def test_a_studio_is_set_up_once_and_then_moved(blender):
    first = blender.get("light.studio")["lights"]
    blender.get("object.update", name="Cube", scale=[2, 2, 2])

    second = blender.get("light.studio")["lights"]

    assert blender.get("light.list")["total"] == 4
    assert second[0]["energy"] == pytest.approx(first[0]["energy"] * 4, rel=1e-4)
