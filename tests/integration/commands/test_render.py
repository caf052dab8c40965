"""render.* against a real Blender, small and quick."""

import struct

import pytest

from blender_addon.wire import Fault
from tests.integration.commands.policies import writing_only_below

pytestmark = pytest.mark.blender

SETTINGS = """
render, image = bpy.context.scene.render, bpy.context.scene.render.image_settings
result = [render.engine, render.filepath, render.resolution_x, render.resolution_y, render.resolution_percentage,
    render.use_border, render.border_min_x, render.border_max_y, render.film_transparent,
    image.file_format, image.color_mode, image.color_depth, bpy.context.scene.cycles.samples,
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

    blender.call(
        "render.still", width=32, height=32, engine="cycles", samples=1, transparent=True, region=[0.5, 0, 1, 0.5]
    )

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


COMPOSITED = """
scene = bpy.context.scene
if hasattr(scene, "compositing_node_group"):
    scene.compositing_node_group = tree = bpy.data.node_groups.new("Compositing", "CompositorNodeTree")
else:
    scene.use_nodes = True
    tree = scene.node_tree
node = tree.nodes.new("CompositorNodeOutputFile")
setattr(node, "base_path" if hasattr(node, "base_path") else "directory", {!r})
"""


def test_a_compositor_does_not_write_where_commands_may_not(blender, tmp_path):
    (tmp_path / "allowed").mkdir()
    shot = {"path": str(tmp_path / "allowed" / "a.png"), "width": 16, "engine": "workbench"}
    blender.python(COMPOSITED.format(str(tmp_path / "outside")))

    with writing_only_below(blender, tmp_path / "allowed"):
        with pytest.raises(Fault, match="'File Output' writes where it must not") as caught:
            blender.call("render.save", **shot)
        blender.python("bpy.context.scene.render.use_compositing = False")
        assert blender.get("render.save", **shot)["bytes"]

    assert (caught.value.code, caught.value.outcome) == ("forbidden", "not_executed")


def test_another_camera_can_be_named(blender):
    blender.get("object.create", type="camera", name="Side")

    assert blender.get("render.still", width=32, engine="cycles", samples=1, camera="Side")["camera"] == "Side"
    assert blender.get("scene.summary")["camera"] == "Camera"


def test_a_missing_camera_comes_with_the_nearest(blender):
    assert blender.refuses("render.still", camera="Camra").data["nearest"] == ["Camera"]
    assert blender.refuses("render.still", camera="Cube").data["nearest"] == ["Camera"]


def test_a_scene_without_a_camera_says_what_to_do(blender):
    blender.call("file.new", empty=True)

    assert "camera.create" in blender.refuses("render.still", width=32).message


@pytest.mark.parametrize("params", [{"width": 3}, {"height": 99_999}, {"samples": 0}, {"engine": "luxrender"}])
def test_settings_out_of_range_are_refused(blender, params):
    assert blender.refuses("render.still", **params).data["problems"][0]["param"] in params


def test_a_region_has_its_own_pixels_alone(blender):
    answer = blender.call("render.still", width=100, height=80, engine="workbench", region=[0, 0.5, 0.33, 1])

    assert (answer.value["width"], answer.value["height"]) == (33, 40)


@pytest.mark.parametrize("region", [[0.5, 0, 0.5, 1], [0.6, 0, 0.4, 1], [0, 1, 1, 0]])
def test_a_region_without_pixels_is_refused(blender, region):
    assert "no pixels" in blender.refuses("render.still", region=region).message


@pytest.mark.parametrize("transparent", [True, False])
def test_the_background_is_transparent_where_it_is_asked_for(blender, tmp_path, transparent):
    picture = blender.call("render.still", width=16, height=16, engine="cycles", samples=1, transparent=transparent)
    (tmp_path / "a.png").write_bytes(picture.parts["image"].data)

    assert blender.python(f"""
image = bpy.data.images.load({str(tmp_path / "a.png")!r})
result = image.pixels[3]
bpy.data.images.remove(image)
""") == (0 if transparent else 1)


@pytest.mark.parametrize(
    ("name", "begins"),
    [("a.png", b"\x89PNG"), ("a.jpg", b"\xff\xd8\xff"), ("a.exr", b"\x76\x2f\x31\x01"), ("a.webp", b"RIFF")],
)
def test_a_picture_is_saved_in_the_format_of_its_suffix(blender, tmp_path, name, begins):
    saved = blender.get("render.save", path=str(tmp_path / name), width=16, height=8, engine="cycles", samples=1)

    assert (saved["file"], saved["width"], saved["height"]) == (str(tmp_path / name), 16, 8)
    assert (tmp_path / name).read_bytes().startswith(begins)
    assert saved["bytes"] == (tmp_path / name).stat().st_size
    assert [file.name for file in tmp_path.iterdir()] == [name]


def test_a_stopped_render_leaves_no_file(blender, tmp_path):
    long = {"width": 400, "height": 400, "engine": "cycles", "samples": 100}

    with pytest.raises(Fault) as caught:
        blender.call("render.save", deadline=0.3, path=str(tmp_path / "a.png"), **long)

    assert caught.value.code == "timeout"
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_no_known_format_or_place_is_refused(blender, tmp_path):
    assert ".exr" in blender.refuses("render.save", path=str(tmp_path / "a.gif")).message
    assert "no directory" in blender.refuses("render.save", path=str(tmp_path / "no" / "a.png")).message
    assert ".exr" in blender.refuses("render.animation", path=str(tmp_path / "a_###.mp4")).message


QUICK = {"width": 16, "height": 16, "engine": "cycles", "samples": 1}


def test_an_animation_is_a_file_a_frame(blender, tmp_path):
    blender.get("animation.set", frame=7)

    answer = blender.call("render.animation", path=str(tmp_path / "f_###.png"), start=8, end=12, step=2, **QUICK)

    names = ["f_008.png", "f_010.png", "f_012.png"]
    assert answer.value["files"] == [str(tmp_path / name) for name in names]
    assert (answer.value["rendered"], answer.value["skipped"]) == (3, 0)
    assert answer.value["pattern"] == str(tmp_path / "f_###.png")
    assert sorted(file.name for file in tmp_path.iterdir()) == names
    assert blender.get("animation.get")["frame"] == 7


def test_each_frame_shows_its_own_moment(blender, tmp_path):
    keyframes = [{"frame": 1, "value": [0, 0, 0]}, {"frame": 2, "value": [100, 0, 0]}]
    blender.get("animation.insert_keyframes", object="Cube", data_path="location", keyframes=keyframes)

    blender.get("render.animation", path=str(tmp_path / "f.png"), start=1, end=2, transparent=True, **QUICK)

    assert blender.python(f"""
result = []
for frame in (1, 2):
    image = bpy.data.images.load({str(tmp_path)!r} + f"/f_000{{frame}}.png")
    result.append(sum(image.pixels[:][3::4]) > 0)
    bpy.data.images.remove(image)
""") == [True, False]


def test_the_range_is_the_scenes_own_where_none_is_given(blender, tmp_path):
    blender.get("animation.set", start=3, end=4)

    assert blender.get("render.animation", path=str(tmp_path / "#.png"), **QUICK)["files"] == [
        str(tmp_path / "3.png"),
        str(tmp_path / "4.png"),
    ]


def test_progress_rises_by_frame_and_sample_over_the_whole(blender, tmp_path):
    settings = {"width": 200, "height": 200, "engine": "cycles", "samples": 32}

    progress = blender.call("render.animation", path=str(tmp_path / "f.png"), start=1, end=3, **settings).progress

    done = [event["progress"] for event in progress]
    assert (done[0], done[-1]) == (0, 3)
    assert done == sorted(done)
    assert {event["total"] for event in progress} == {3}
    assert progress[0]["message"] == "frame 1 (1 of 3): rendering"


def test_frames_that_are_there_are_left_alone(blender, tmp_path):
    (tmp_path / "f_0002.png").write_bytes(b"mine")

    answer = blender.get("render.animation", path=str(tmp_path / "f.png"), start=1, end=3, skip_existing=True, **QUICK)

    assert (answer["rendered"], answer["skipped"], len(answer["files"])) == (2, 1, 3)
    assert (tmp_path / "f_0002.png").read_bytes() == b"mine"


def test_a_stopped_animation_leaves_whole_frames_alone_and_goes_on_later(blender, tmp_path):
    path = str(tmp_path / "f.png")

    with pytest.raises(Fault) as caught:
        blender.call("render.animation", deadline=1.0, path=path, start=1, end=5000, **QUICK)

    assert caught.value.code == "timeout"
    files = sorted(tmp_path.iterdir())
    assert 0 < len(files) < 5000
    assert all(file.name.startswith("f_") and b"IEND" in file.read_bytes()[-12:] for file in files)
    assert blender.python("result = bpy.context.scene.render.resolution_x") == 1920
    again = blender.get("render.animation", path=path, start=1, end=len(files) + 1, skip_existing=True, **QUICK)
    assert (again["rendered"], again["skipped"]) == (1, len(files))


def test_a_range_without_frames_is_refused(blender, tmp_path):
    assert "no frames" in blender.refuses("render.animation", path=str(tmp_path / "f.png"), start=9, end=3).message
    assert "too many" in blender.refuses("render.animation", path=str(tmp_path / "f.png"), start=0, end=999_999).message


def test_the_engines_are_those_of_this_blender(blender):
    told = blender.get("render.engines")

    assert {engine["name"] for engine in told["engines"]} >= {"cycles", "eevee", "workbench"}
    assert [engine["active"] for engine in told["engines"]].count(True) == 1
    assert told["devices"][0] == "CPU"


def test_render_settings_are_set_for_good(blender):
    blender.get("render.set", engine="cycles", width=300, height=200, percentage=50, samples=7, transparent=True)
    blender.get("render.set", view_transform="Standard", exposure=0.5, properties={"use_motion_blur": True})

    told = blender.get("render.settings")

    assert {key: told[key] for key in ("engine", "width", "height", "percentage", "samples", "transparent")} == {
        "engine": "CYCLES", "width": 300, "height": 200, "percentage": 50, "samples": 7, "transparent": True,
    }  # fmt: skip
    assert (told["view_transform"], told["exposure"]) == ("Standard", 0.5)
    assert blender.python("result = bpy.context.scene.render.use_motion_blur") is True
    still = blender.call("render.still")
    assert struct.unpack(">II", still.parts["image"].data[16:24]) == (150, 100)


def test_a_look_goes_by_its_own_name(blender):
    assert "High Contrast" in blender.get("render.set", look="High Contrast")["look"]


@pytest.mark.parametrize(
    ("params", "param", "close"),
    [
        ({"view_transform": "Standrd"}, "view_transform", "Standard"),
        ({"engine": "workbench", "look": "High Contrst"}, "look", "High Contrast"),
        ({"engine_id": "CYCLE"}, "engine", "CYCLES"),
        ({"properties": {"use_motion_blurr": True}}, "properties.use_motion_blurr", "use_motion_blur"),
    ],
)
def test_what_this_blender_does_not_know_is_refused_and_nothing_changes(blender, params, param, close):
    before = blender.get("render.settings")

    fault = blender.refuses("render.set", exposure=2, **params)

    assert fault.data["problems"][0]["param"] == param
    assert any(close in near for near in fault.data["nearest"])
    assert blender.get("render.settings") == before


def test_denoising_is_as_this_build_can(blender):
    blender.get("render.set", engine="cycles")
    if blender.get("render.engines")["denoiser"]:
        assert blender.get("render.set", denoise=True)["denoise"] is True
    else:
        assert "without a denoiser" in blender.refuses("render.set", denoise=True).message
