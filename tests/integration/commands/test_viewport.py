"""viewport.* against a real Blender without a window; with one, see tests/gui."""

import struct

import pytest

pytestmark = pytest.mark.blender

# All that a file holds, by name, and what a preview might leave changed.
EVERYTHING = """
scene = bpy.context.scene
result = [
    {name: getattr(bpy.data, name).keys() for name in ("scenes", "worlds", "cameras", "objects", "collections")},
    scene.camera.name, scene.world.name, scene.frame_current, scene.render.engine, scene.render.resolution_x,
    scene.render.filepath, scene.render.use_stamp, scene.render.image_settings.file_format,
    scene.view_settings.view_transform, scene.display.shading.light, scene.display.shading.color_type,
    [image.name for image in bpy.data.images if image.type != "RENDER_RESULT"],
]
"""


def size_of(part):
    assert bytes(part.data[:8]) == b"\x89PNG\r\n\x1a\n"
    return struct.unpack(">II", part.data[16:24])


def pixel(blender, part, path, x, y):
    """Red, green, blue; x and y in fractions, from the lower left."""
    path.write_bytes(part.data)
    return blender.python(f"""
image = bpy.data.images.load({str(path)!r})
width, height = image.size
start = (int({y} * height) * width + int({x} * width)) * 4
result = image.pixels[start:start + 3]
bpy.data.images.remove(image)
""")


def test_a_view_is_a_png_with_what_is_there(blender, tmp_path):
    blender.get("material.set", object="Cube", base_color="#ff0000")

    answer = blender.call("viewport.preview", size=64)

    picture = answer.value["pictures"][0]
    assert (picture["views"], picture["width"], picture["height"]) == (["iso"], 64, 64)
    assert answer.value["objects"] == 1
    assert size_of(answer.parts["image"]) == (64, 64)
    assert answer.parts["image"].media_type == "image/png"
    red, green, blue = pixel(blender, answer.parts["image"], tmp_path / "a.png", 0.5, 0.5)
    assert red > 2 * max(green, blue)
    red, green, blue = pixel(blender, answer.parts["image"], tmp_path / "a.png", 0.02, 0.02)
    assert red < 1.5 * max(green, blue)


def test_several_views_are_one_sheet_row_by_row(blender, tmp_path):
    # Seen from above there is a red floor, from the front a thin line.
    blender.get("object.update", name="Cube", scale=[1, 1, 0.01])
    blender.get("material.set", object="Cube", base_color="#ff0000")

    answer = blender.call("viewport.preview", views=["front", "top", "back"], size=64)

    assert answer.value["pictures"][0]["views"] == ["front", "top", "back"]
    assert size_of(answer.parts["image"]) == (128, 128)
    reds = [pixel(blender, answer.parts["image"], tmp_path / "a.png", x, y)[0] for x, y in ((0.25, 0.6), (0.75, 0.6))]
    assert reds[1] > reds[0] + 0.2


def test_views_may_come_apart(blender):
    answer = blender.call("viewport.preview", views=["left", [0.5, 0.5], "camera"], size=32, apart=True)

    assert [picture["views"] for picture in answer.value["pictures"]] == [["left"], ["0.50, 0.50"], ["camera"]]
    assert list(answer.parts) == ["image", "image_2", "image_3"]


def test_objects_are_shown_alone(blender, tmp_path):
    blender.get("material.set", object="Cube", base_color="#ff0000")
    blender.get("object.create", type="cube", name="Green", location=[0, -1.5, 0], scale=[1, 0.1, 1])
    blender.get("material.set", object="Green", name="Green", base_color="#00ff00")

    behind = blender.call("viewport.preview", views=["front"], objects=["Cube"], size=64)
    before = blender.call("viewport.preview", views=["front"], size=64)

    assert behind.value["objects"] == 1
    red, green, _ = pixel(blender, behind.parts["image"], tmp_path / "a.png", 0.5, 0.5)
    assert red > green
    red, green, _ = pixel(blender, before.parts["image"], tmp_path / "b.png", 0.5, 0.5)
    assert green > red


@pytest.mark.parametrize("objects", [None, ["Cube"]])
def test_the_scene_is_left_as_it_was(blender, objects):
    before = blender.python(EVERYTHING)

    blender.call("viewport.preview", views=["front", "camera"], size=32, objects=objects)

    assert blender.python(EVERYTHING) == before


def test_what_there_is_not_is_refused(blender):
    assert blender.refuses("viewport.preview", objects=["Cub"]).data["nearest"] == ["Cube"]
    blender.get("object.delete", names=["Camera"])
    assert "camera.create" in blender.refuses("viewport.preview", views=["iso", "camera"]).message
    blender.get("object.delete", names=["Cube"])
    assert "nothing to see" in blender.refuses("viewport.preview").message


@pytest.mark.parametrize("method", ["viewport.screenshot", "viewport.view"])
def test_without_a_window_the_answer_says_what_to_do_instead(blender, method):
    assert "viewport.preview" in blender.refuses(method).message


def test_a_picture_is_made_smaller_and_keeps_its_proportions(blender, tmp_path):
    path = tmp_path / "large.png"
    path.write_bytes(blender.call("render.still", width=200, height=100, engine="workbench").parts["image"].data)

    blender.python(f"""
from pathlib import Path
from blender_addon.commands.pictures import shrink
shrink(Path({str(path)!r}), 50)
""")

    assert struct.unpack(">II", path.read_bytes()[16:24]) == (50, 25)
