"""file.import and file.export against a real Blender: what is written is read again, by path and as binary parts."""

import base64

import pytest

from blender_addon.wire import Fault, Part
from tests.integration.commands.policies import writing_only_below

pytestmark = pytest.mark.blender

FORMATS = ["gltf", "fbx", "obj", "stl", "ply", "usd", "alembic"]
PIXEL = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)
SQUARE = b'<svg xmlns="http://www.w3.org/2000/svg" width="10" height="10"><path d="M0 0 L10 0 L10 10 Z"/></svg>'


def here(blender, name):
    return next(known for known in blender.get("file.formats")["formats"] if known["format"] == name)


def lacks(blender, name, method, **params):
    """This Blender cannot do it, says why, and is named in the refusal."""
    known = here(blender, name)
    if known["reads"] and known["writes"]:
        return False
    fault = blender.refuses(method, **params)
    assert known["lacks"] in fault.message
    assert ".".join(map(str, blender.version)) in fault.message
    assert name not in fault.data["nearest"]
    return True


def names(imported):
    return [item["name"] for item in imported["objects"]]


@pytest.mark.parametrize("name", FORMATS)
def test_what_is_exported_is_imported_again(blender, tmp_path, name):
    path = str(tmp_path / "cube") + here(blender, name)["suffixes"][0]
    if lacks(blender, name, "file.export", path=path, objects=["Cube"]):
        return

    exported = blender.get("file.export", path=path, objects=["Cube"])
    blender.get("file.new", empty=True)
    imported = blender.get("file.import", path=path)

    assert (exported["objects"], exported["content"]) == (1, {})
    assert exported["files"][0] == {"file": path, "bytes": exported["files"][0]["bytes"]}
    assert imported["format"] == exported["format"] == name
    assert imported["data"]["meshes"] == 1
    size = [high - low for low, high in zip(imported["bounds"]["min"], imported["bounds"]["max"], strict=True)]
    assert size == pytest.approx([2, 2, 2], rel=1e-3) or name == "fbx"


@pytest.mark.parametrize("name", [name for name in FORMATS if name != "alembic"])
def test_without_a_path_the_files_travel(blender, name):
    if lacks(blender, name, "file.export", format=name, selected=True):
        return
    exported = blender.call("file.export", format=name, objects=["Cube"])
    content = exported.value["content"]
    assert [file["file"] for file in exported.value["files"]] == list(content)
    blender.get("file.new", empty=True)

    imported = blender.call("file.import", exported.parts, content=content)

    assert imported.value["data"]["meshes"] == 1


def test_all_files_that_an_export_writes_are_told(blender, tmp_path):
    (tmp_path / "before.txt").write_text("was there")

    exported = blender.get("file.export", path=str(tmp_path / "a.obj"))

    assert [file["file"] for file in exported["files"]] == [str(tmp_path / "a.obj"), str(tmp_path / "a.mtl")]
    assert all(file["bytes"] > 0 for file in exported["files"])


def test_the_suffix_says_whether_a_gltf_is_one_file_or_several(blender, tmp_path):
    path = str(tmp_path / "a.gltf")
    if lacks(blender, "gltf", "file.export", path=path):
        return

    assert {file["file"] for file in blender.get("file.export", path=path)["files"]} == {
        path,
        str(tmp_path / "a.bin"),
    }


def test_only_the_named_objects_are_exported_and_the_selection_stays(blender, tmp_path):
    blender.get("object.create", type="cube", name="Other", location=[5, 0, 0])
    blender.python("[item.select_set(item.name == 'Cube') for item in bpy.context.view_layer.objects]")

    blender.get("file.export", path=str(tmp_path / "a.obj"), objects=["Other"])

    assert "o Other" in (tmp_path / "a.obj").read_text()
    assert "o Cube" not in (tmp_path / "a.obj").read_text()
    assert blender.python("result = [item.name for item in bpy.context.selected_objects]") == ["Cube"]


def test_only_what_is_selected_is_exported(blender, tmp_path):
    blender.get("object.create", type="cube", name="Other", location=[5, 0, 0])
    blender.python("[item.select_set(item.name == 'Cube') for item in bpy.context.view_layer.objects]")

    assert blender.get("file.export", path=str(tmp_path / "a.obj"), selected=True)["objects"] == 1
    assert "o Other" not in (tmp_path / "a.obj").read_text()


def test_an_export_of_nothing_selected_is_refused(blender, tmp_path):
    blender.python("[item.select_set(False) for item in bpy.context.view_layer.objects]")

    assert "nothing is selected" in blender.refuses("file.export", path=str(tmp_path / "a.obj"), selected=True).message


def test_a_hidden_object_is_not_left_out_without_a_word(blender, tmp_path):
    blender.python("bpy.data.objects['Cube'].hide_set(True)")

    fault = blender.refuses("file.export", path=str(tmp_path / "a.obj"), objects=["Cube"])

    assert "hidden" in fault.message


def test_an_object_that_is_edited_is_exported_as_it_is_and_stays_in_its_mode(blender, tmp_path):
    blender.python("bpy.ops.object.mode_set(mode='EDIT')")

    blender.get("file.export", path=str(tmp_path / "a.obj"))

    assert blender.python("result = bpy.context.mode; bpy.ops.object.mode_set(mode='OBJECT')") == "EDIT_MESH"


def test_options_go_to_the_operator(blender, tmp_path):
    path = str(tmp_path / "a.obj")

    exported = blender.get("file.export", path=path, options={"export_materials": False, "global_scale": 2})

    assert [file["file"] for file in exported["files"]] == [path]


def test_a_wrong_option_comes_with_the_nearest_and_all_problems(blender, tmp_path):
    options = {"export_material": True, "forward_axis": "SIDEWAYS", "export_uv": "yes"}

    fault = blender.refuses("file.export", path=str(tmp_path / "a.obj"), options=options)

    problems = {problem["param"]: problem["problem"] for problem in fault.data["problems"]}
    assert problems.keys() == {"options.export_material", "options.forward_axis", "options.export_uv"}
    assert "export_materials" in fault.data["nearest"]
    assert "NEGATIVE_X" in problems["options.forward_axis"]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("option", ["filepath", "export_selected_objects", "check_existing"])
def test_what_the_command_says_itself_is_no_option(blender, tmp_path, option):
    assert blender.refuses("file.export", path=str(tmp_path / "a.obj"), options={option: True})


def test_an_unknown_suffix_is_told_what_there_is(blender, tmp_path):
    fault = blender.refuses("file.export", path=str(tmp_path / "a.objx"))

    assert ".obj" in fault.data["nearest"]


def test_the_format_decides_where_a_suffix_does_not(blender, tmp_path):
    exported = blender.get("file.export", path=str(tmp_path / "a"), format="stl")

    assert exported["files"][0]["file"] == str(tmp_path / "a.stl")


def test_an_export_needs_a_path_or_a_format(blender):
    assert blender.refuses("file.export")


def test_files_are_written_only_where_the_policy_says(blender, tmp_path):
    allowed = tmp_path / "allowed"
    allowed.mkdir()

    with writing_only_below(blender, allowed):
        with pytest.raises(Fault) as caught:
            blender.call("file.export", path=str(tmp_path / "a.obj"))
        written = blender.get("file.export", path=str(allowed / "a.obj"))

    assert (caught.value.code, caught.value.outcome) == ("forbidden", "not_executed")
    assert written["file_count"] == 2


def test_an_options_folder_is_a_place_to_write_too(blender, tmp_path):
    if lacks(blender, "gltf", "file.export", format="gltf"):
        return
    with writing_only_below(blender, tmp_path):
        with pytest.raises(Fault) as caught:
            blender.call("file.export", path=str(tmp_path / "a.gltf"), options={"export_texture_dir": "../elsewhere"})
        blender.get("file.export", path=str(tmp_path / "a.gltf"), options={"export_texture_dir": "inside"})

    assert caught.value.code == "forbidden"


def test_an_svg_comes_as_curves(blender):
    imported = blender.call("file.import", {"a": Part(SQUARE)}, content={"a.svg": {"$part": "a"}})

    assert [item["type"] for item in imported.value["objects"]] == ["CURVE"]


def test_a_grease_pencil_is_exported_as_svg(blender, tmp_path):
    blender.python("""
add = bpy.ops.object.grease_pencil_add if bpy.app.version >= (4, 3) else bpy.ops.object.gpencil_add
add(type='STROKE')
""")

    exported = blender.get("file.export", path=str(tmp_path / "a.svg"))

    assert exported["files"][0]["bytes"] > 100
    assert "<svg" in (tmp_path / "a.svg").read_text()


def test_an_svg_without_a_grease_pencil_is_refused(blender, tmp_path):
    assert "grease pencil" in blender.refuses("file.export", path=str(tmp_path / "a.svg")).message


def test_pictures_that_came_with_content_are_kept(blender):
    files = {
        "a.obj": b"mtllib a.mtl\no part\nv 0 0 0\nv 1 0 0\nv 0 1 0\nusemtl wood\nf 1 2 3\n",
        "a.mtl": b"newmtl wood\nmap_Kd textures/wood.png\n",
        "textures/wood.png": PIXEL,
    }
    parts = {str(number): Part(data) for number, data in enumerate(files.values())}

    blender.call("file.import", parts, content={name: {"$part": str(n)} for n, name in enumerate(files)})

    assert blender.python("image = bpy.data.images['wood.png']; result = [bool(image.packed_file), *image.size]") == [
        True,
        1,
        1,
    ]


def test_the_main_file_comes_first_whatever_its_suffix(blender):
    if lacks(blender, "gltf", "file.export", format="gltf"):
        return
    exported = blender.get("file.export", format="gltf", options={"export_format": "GLTF_SEPARATE"})

    assert [file["file"] for file in exported["files"]] == ["export.gltf", "export.bin"]


@pytest.mark.parametrize("name", ["../a.obj", "/etc/a.obj", ""])
def test_content_stays_in_its_folder(blender, name):
    assert blender.refuses("file.import", {"a": Part(b"x")}, content={name: {"$part": "a"}})


def test_an_import_needs_a_path_or_content_and_not_both(blender, tmp_path):
    assert blender.refuses("file.import")
    assert blender.refuses("file.import", {"a": Part(b"x")}, path="/tmp/a.obj", content={"a.obj": {"$part": "a"}})
    assert blender.refuses("file.import", content={})


def test_a_missing_file_comes_with_the_nearest(blender, tmp_path):
    (tmp_path / "house.obj").write_text("")

    fault = blender.refuses("file.import", path=str(tmp_path / "hose.obj"))

    assert fault.data["nearest"] == [str(tmp_path / "house.obj")]


@pytest.mark.parametrize("name", ["a.obj", "a.fbx", "a.stl", "a.ply", "a.svg"])
def test_a_file_that_makes_no_sense_is_an_error(blender, tmp_path, name):
    (tmp_path / name).write_text("nothing of the sort")

    with pytest.raises(Fault) as caught:
        blender.call("file.import", path=str(tmp_path / name))

    assert (caught.value.code, caught.value.outcome) == ("execution_failed", "failed")
    assert name in caught.value.message
    assert "Traceback" not in caught.value.message


def test_an_add_on_that_is_disabled_is_enabled_for_this_process(blender, tmp_path):
    blender.python("import addon_utils; addon_utils.disable('io_curve_svg', default_set=False)")
    assert here(blender, "svg")["reads"] == "import_curve.svg"

    imported = blender.call("file.import", {"a": Part(SQUARE)}, content={"a.svg": {"$part": "a"}})

    assert imported.value["object_count"] == 1


def test_of_many_objects_the_first_are_named_and_all_are_counted(blender, tmp_path):
    (tmp_path / "many.obj").write_text(
        "".join(f"o part{n}\nv 0 0 0\nv 1 0 0\nv 0 1 0\nf -3 -2 -1\n" for n in range(120))
    )

    imported = blender.get("file.import", path=str(tmp_path / "many.obj"))

    assert (len(imported["objects"]), imported["object_count"]) == (100, 120)
