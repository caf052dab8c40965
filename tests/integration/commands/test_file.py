"""file.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender


def test_a_new_file_has_the_factory_scene(blender):
    blender.get("object.delete", names=["Cube"])

    assert blender.get("file.new") == {"file": "", "scene": "Scene", "objects": 3}


def test_a_new_file_may_be_empty(blender):
    assert blender.get("file.new", empty=True)["objects"] == 0


def test_what_was_saved_is_there_when_it_is_opened(blender, tmp_path):
    blender.get("object.update", name="Cube", new_name="Kept")
    path = str(tmp_path / "a.blend")

    saved = blender.get("file.save", path=path)
    blender.get("file.new")
    opened = blender.get("file.open", path=path)

    assert saved["file"] == opened["file"] == path
    assert saved["bytes"] == (tmp_path / "a.blend").stat().st_size
    assert blender.get("object.get", name="Kept")["type"] == "MESH"


def test_a_saved_file_is_saved_again_without_a_path(blender, tmp_path):
    path = str(tmp_path / "a.blend")
    blender.get("file.save", path=path)

    assert blender.get("file.save")["file"] == path


def test_a_file_that_was_never_saved_needs_a_path(blender):
    assert "never been saved" in blender.refuses("file.save").message


def test_a_copy_leaves_the_open_file_its_name(blender, tmp_path):
    blender.get("file.save", path=str(tmp_path / "a.blend"))

    blender.get("file.save", path=str(tmp_path / "b.blend"), copy=True)

    assert (tmp_path / "b.blend").exists()
    assert blender.get("scene.summary")["file"] == str(tmp_path / "a.blend")


def test_a_copy_needs_a_path(blender):
    assert blender.refuses("file.save", copy=True)


def test_the_suffix_is_added(blender, tmp_path):
    assert blender.get("file.save", path=str(tmp_path / "plain"))["file"].endswith("plain.blend")


@pytest.mark.parametrize("method", ["file.open", "file.save"])
def test_a_relative_path_is_refused(blender, method):
    assert "absolute path" in blender.refuses(method, path="a.blend").message


def test_a_missing_directory_is_told(blender, tmp_path):
    assert "no directory" in blender.refuses("file.save", path=str(tmp_path / "no" / "a.blend")).message


def test_a_missing_file_comes_with_the_nearest(blender, tmp_path):
    blender.get("file.save", path=str(tmp_path / "house.blend"), copy=True)

    fault = blender.refuses("file.open", path=str(tmp_path / "hose.blend"))

    assert fault.data["nearest"] == [str(tmp_path / "house.blend")]


def test_what_is_no_blend_file_is_refused_and_the_open_one_stays(blender, tmp_path):
    (tmp_path / "a.blend").write_text("not Blender's")
    blender.get("object.update", name="Cube", new_name="Kept")

    assert "no .blend file" in blender.refuses("file.open", path=str(tmp_path / "a.blend")).message
    assert blender.get("object.get", name="Kept")


def test_scripts_inside_a_file_do_not_run_when_it_is_opened(blender, tmp_path):
    blender.python("""
text = bpy.data.texts.new("startup.py")
text.write("import bpy; bpy.app.driver_namespace['ran'] = True")
text.use_module = True
""")
    blender.get("file.save", path=str(tmp_path / "a.blend"))

    blender.get("file.open", path=str(tmp_path / "a.blend"))

    assert blender.python("result = 'ran' in bpy.app.driver_namespace") is False
