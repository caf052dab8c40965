"""render.still against a real Blender, small and quick."""

import pytest

pytestmark = pytest.mark.blender

SETTINGS = """
render, image = bpy.context.scene.render, bpy.context.scene.render.image_settings
result = [render.engine, render.filepath, render.resolution_x, render.resolution_y, render.resolution_percentage,
    render.use_border, image.file_format, image.color_mode, image.color_depth, bpy.context.scene.cycles.samples,
    bpy.context.scene.camera and bpy.context.scene.camera.name]
"""


def test_a_picture_comes_as_a_png_of_the_size_that_was_asked_for(blender):
    answer = blender.call("render.still", width=64, height=48, engine="cycles", samples=1)

    assert bytes(answer.parts["image"].data[:8]) == b"\x89PNG\r\n\x1a\n"
    assert answer.parts["image"].media_type == "image/png"
    told = {key: answer.value[key] for key in ("width", "height", "engine", "samples", "camera")}
    assert told == {"width": 64, "height": 48, "engine": "CYCLES", "samples": 1, "camera": "Camera"}


def test_workbench_renders_too(blender):
    answer = blender.call("render.still", width=32, height=32, engine="workbench", samples=8)

    assert (answer.value["engine"], answer.value["samples"]) == ("BLENDER_WORKBENCH", 8)


def test_the_height_keeps_the_scenes_proportions(blender):
    assert blender.get("render.still", width=64, engine="cycles", samples=1)["height"] == 36


def test_progress_starts_at_nothing_rises_and_ends_at_all(blender):
    progress = blender.call("render.still", width=320, height=240, engine="cycles", samples=64).progress

    done = [event["progress"] / event["total"] for event in progress]
    assert (done[0], done[-1]) == (0, 1)
    assert done == sorted(set(done))


def test_the_scenes_settings_are_left_as_they_were(blender):
    blender.python("""
render = bpy.context.scene.render
render.filepath, render.resolution_percentage, render.use_border = "//mine", 50, True
render.image_settings.file_format, render.image_settings.color_mode = "OPEN_EXR", "RGB"
""")
    before = blender.python(SETTINGS)

    blender.call("render.still", width=32, height=32, engine="cycles", samples=1)

    assert blender.python(SETTINGS) == before


def test_the_settings_are_put_back_when_the_render_fails(blender):
    before = blender.python(SETTINGS)
    blender.python("""
from blender_addon.commands import render
render.progress_of_renders, render.kept = None, render.progress_of_renders
""")
    try:
        with pytest.raises(Exception, match="NoneType"):
            blender.call("render.still", width=32, engine="cycles", samples=1)
    finally:
        blender.python("from blender_addon.commands import render; render.progress_of_renders = render.kept")

    assert blender.python(SETTINGS) == before


def test_no_temporary_file_stays(blender):
    look = "import glob, tempfile; result = glob.glob(tempfile.gettempdir() + '/bpy-bridge-*')"
    before = blender.python(look)

    blender.call("render.still", width=32, height=32, engine="cycles", samples=1)

    assert blender.python(look) == before


def test_another_camera_can_be_named(blender):
    blender.get("object.create", type="camera", name="Side")

    assert blender.get("render.still", width=32, engine="cycles", samples=1, camera="Side")["camera"] == "Side"
    assert blender.get("scene.summary")["camera"] == "Camera"


def test_a_missing_camera_comes_with_the_nearest(blender):
    assert blender.refuses("render.still", camera="Camra").data["nearest"] == ["Camera"]
    assert blender.refuses("render.still", camera="Cube").data["nearest"] == ["Camera"]


def test_a_scene_without_a_camera_says_what_to_do(blender):
    blender.call("file.new", empty=True)

    assert "object.create" in blender.refuses("render.still", width=32).message


@pytest.mark.parametrize("params", [{"width": 3}, {"height": 99_999}, {"samples": 0}, {"engine": "luxrender"}])
def test_settings_out_of_range_are_refused(blender, params):
    assert blender.refuses("render.still", **params).data["problems"][0]["param"] in params
