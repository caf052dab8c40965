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


@pytest.mark.parametrize("method", ["file.open", "file.save"])
def test_a_path_that_blender_would_take_for_relative_is_refused(blender, tmp_path, method):
    assert "begins with //" in blender.refuses(method, path=f"/{tmp_path}/a.blend").message


@pytest.mark.parametrize("folder", ["textures", ".", "//"])
def test_a_relative_folder_is_refused(blender, folder):
    assert blender.refuses("file.unpack", folder=folder).data["problems"][0]["param"] == "folder"


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


def test_info_tells_what_is_open(blender, tmp_path):
    path = str(tmp_path / "a.blend")
    blender.get("file.save", path=path)

    info = blender.get("file.info")

    assert info["file"] == path
    assert info["bytes"] == (tmp_path / "a.blend").stat().st_size
    assert info["written_by"] == "{}.{}".format(*blender.version)
    assert info["data"]["objects"] == 3
    assert (info["libraries"], info["library_count"]) == ([], 0)


def test_info_of_a_file_that_was_never_saved(blender):
    info = blender.get("file.info")

    assert (info["file"], info["bytes"], info["written_by"]) == ("", None, None)


def test_purge_removes_what_nothing_uses(blender):
    blender.get("object.delete", names=["Cube"])
    blender.python("""
bpy.data.materials["Material"].use_fake_user = False
bpy.data.meshes.new("lost")
bpy.data.meshes.new("kept").use_fake_user = True
""")

    purged = blender.get("file.purge")

    assert purged["data"]["meshes"] == 1
    assert purged["removed"] == sum(purged["data"].values())
    assert blender.python("result = 'Material' in bpy.data.materials") is False
    assert blender.python("result = [mesh.name for mesh in bpy.data.meshes]") == ["kept"]
    assert blender.get("file.purge") == {"removed": 0, "data": {}}


@pytest.fixture
def other(blender, tmp_path):
    """Another .blend file, with a collection of two objects and a material; a new file is open."""
    blender.python("""
collection = bpy.data.collections.new("Props")
bpy.context.scene.collection.children.link(collection)
for name in ("Lamp", "Chair"):
    collection.objects.link(bpy.data.objects.new(name, bpy.data.meshes.new(name)))
bpy.data.materials.new("Wood").use_fake_user = True
""")
    path = str(tmp_path / "other.blend")
    blender.get("file.save", path=path, copy=True)
    blender.get("file.new")
    return path


def test_the_contents_of_another_file_are_told_without_loading_them(blender, other):
    contents = blender.get("file.contents", path=other, type="objects", limit=2)

    assert contents["counts"]["objects"] == 5
    assert contents["counts"]["collections"] == 2
    assert "version" not in contents["counts"]
    assert (contents["names"], contents["next_offset"]) == (["Camera", "Chair"], 2)
    assert blender.get("file.info")["libraries"] == []
    assert blender.get("file.info")["data"]["objects"] == 3


def test_appended_objects_come_into_the_scene_and_are_its_own(blender, other):
    taken = blender.get("file.append", path=other, names=["Lamp", "Chair"])

    assert (taken["names"], sorted(taken["objects"])) == (["Lamp", "Chair"], ["Chair", "Lamp"])
    assert blender.get("object.get", name="Lamp")["collections"] == ["Collection"]
    assert blender.python("result = bpy.data.objects['Lamp'].library") is None


def test_an_appended_name_that_is_taken_comes_as_it_is_called_here(blender, other):
    taken = blender.get("file.append", path=other, names=["Cube"])

    assert taken["names"] == taken["objects"] == ["Cube.001"]


def test_appended_objects_go_to_the_named_collection(blender, other):
    blender.python("bpy.context.scene.collection.children.link(bpy.data.collections.new('Here'))")

    blender.get("file.append", path=other, names=["Lamp"], collection="Here")

    assert blender.get("object.get", name="Lamp")["collections"] == ["Here"]
    assert "Here" in blender.refuses("file.append", path=other, names=["Lamp"], collection="Heer").data["nearest"]


def test_an_appended_material_is_there_to_be_used(blender, other):
    taken = blender.get("file.append", path=other, type="materials", names=["Wood"])

    assert (taken["names"], taken["object_count"]) == (["Wood"], 0)
    assert blender.python("result = 'Wood' in bpy.data.materials")


def test_a_linked_collection_comes_as_one_object_that_shows_it(blender, other):
    taken = blender.get("file.link", path=other, names=["Props"])

    assert (taken["names"], taken["objects"]) == (["Props"], ["Props"])
    assert blender.python("result = bpy.data.objects['Props'].instance_collection.name") == "Props"
    libraries = blender.get("file.info")["libraries"]
    assert [(library["file"], library["missing"]) for library in libraries] == [(other, False)]


def test_a_linked_collection_may_come_as_it_is(blender, other):
    taken = blender.get("file.link", path=other, names=["Props"], instance=False)

    assert sorted(taken["objects"]) == ["Chair", "Lamp"]


def test_linked_objects_stay_the_other_files(blender, other):
    blender.get("file.link", path=other, type="objects", names=["Lamp"])

    assert blender.python("result = bpy.data.objects['Lamp'].library.filepath") == other


def test_names_that_are_not_there_come_with_the_nearest_and_nothing_is_loaded(blender, other):
    fault = blender.refuses("file.append", path=other, names=["Lamp", "Chiar"])

    assert "names[1]" in fault.message
    assert "Chair" in fault.data["nearest"]
    assert blender.get("file.info")["data"]["objects"] == 3


def test_the_open_file_is_not_its_own_library(blender, tmp_path):
    path = str(tmp_path / "a.blend")
    blender.get("file.save", path=path)

    assert "open file itself" in blender.refuses("file.append", path=path, names=["Cube"]).message


@pytest.mark.parametrize("method", ["file.contents", "file.append", "file.link"])
def test_only_blend_files_have_data_to_take(blender, tmp_path, method):
    (tmp_path / "a.blend").write_text("not Blender's")
    names = {} if method == "file.contents" else {"names": ["Cube"]}

    assert "no .blend file" in blender.refuses(method, path=str(tmp_path / "a.blend"), **names).message


@pytest.fixture
def picture(blender, tmp_path):
    """A picture on disk that the open file uses, with a fake user."""
    place = tmp_path / "before" / "picture.png"
    place.parent.mkdir()
    blender.python(f"""
image = bpy.data.images.new("drawn", 4, 4)
image.file_format = "PNG"
image.filepath_raw = {str(place)!r}
image.save()
bpy.data.images.remove(image)
bpy.data.images.load({str(place)!r}).use_fake_user = True
""")
    return place


def test_nothing_is_missing_where_all_is_there(blender, picture):
    assert blender.get("file.missing") == {"missing": [], "missing_count": 0, "files": 1, "next_offset": None}


def test_a_missing_picture_is_told_and_found_again(blender, picture, tmp_path):
    moved = tmp_path / "after" / "deep" / "picture.png"
    moved.parent.mkdir(parents=True)
    picture.rename(moved)

    lost = blender.get("file.missing")["missing"]
    relocated = blender.get("file.relocate", folder=str(tmp_path))

    assert lost == [{"kind": "image", "name": "picture.png", "file": str(picture)}]
    assert relocated["found"] == [{"kind": "image", "name": "picture.png", "file": str(moved)}]
    assert (relocated["missing"], relocated["complete"]) == ([], True)
    assert blender.get("file.missing")["missing"] == []


def test_of_several_files_of_one_name_the_one_in_the_like_folder_is_taken(blender, picture, tmp_path):
    for folder in ("a", "moved/before", "z"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "picture.png").write_bytes(picture.read_bytes())
    picture.unlink()

    found = blender.get("file.relocate", folder=str(tmp_path))["found"]

    assert [one["file"] for one in found] == [str(tmp_path / "moved/before/picture.png")]


def test_what_is_not_found_stays_missing(blender, picture, tmp_path):
    picture.unlink()

    relocated = blender.get("file.relocate", folder=str(tmp_path), names=["picture.png"])

    assert (relocated["found_count"], relocated["missing_count"]) == (0, 1)
    assert blender.refuses("file.relocate", folder=str(tmp_path / "no"))
    assert blender.refuses("file.relocate", folder=str(tmp_path), names=["pictur.png"]).data["nearest"] == [
        "picture.png"
    ]


def test_a_missing_library_is_told_and_found_again(blender, other, tmp_path):
    blender.get("file.link", path=other, names=["Props"])
    blender.get("file.save", path=str(tmp_path / "user.blend"))
    (tmp_path / "moved").mkdir()
    (tmp_path / "other.blend").rename(tmp_path / "moved" / "other.blend")

    lost = blender.get("file.missing")["missing"]
    found = blender.get("file.relocate", folder=str(tmp_path / "moved"))["found"]

    assert [one["kind"] for one in lost] == ["library"]
    assert [one["file"] for one in found] == [str(tmp_path / "moved" / "other.blend")]


def test_a_packed_picture_needs_no_file(blender, picture):
    packed = blender.get("file.pack")
    picture.unlink()

    assert (packed["packed"], packed["failed"]) == (["picture.png"], [])
    assert blender.get("file.missing")["files"] == 0
    assert blender.get("file.pack")["packed"] == []


def test_what_cannot_be_packed_is_told(blender, picture):
    picture.unlink()

    failed = blender.get("file.pack")["failed"]

    assert [(one["kind"], one["name"]) for one in failed] == [("image", "picture.png")]
    assert failed[0]["problem"]


def test_a_packed_picture_is_written_out_again(blender, picture, tmp_path):
    data = picture.read_bytes()
    blender.get("file.pack")
    picture.unlink()

    unpacked = blender.get("file.unpack", folder=str(tmp_path / "out"))

    written = tmp_path / "out" / "picture.png"
    assert unpacked["files"] == [{"kind": "image", "name": "picture.png", "file": str(written)}]
    assert written.read_bytes() == data
    assert blender.get("file.missing")["missing"] == []
    assert blender.python(
        "image = bpy.data.images['picture.png']; result = [bool(image.packed_file), *image.size]"
    ) == [
        False,
        4,
        4,
    ]


def test_unpacking_replaces_no_file(blender, picture, tmp_path):
    blender.get("file.pack")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "picture.png").write_text("mine")

    files = blender.get("file.unpack", folder=str(tmp_path / "out"))["files"]

    assert [one["file"] for one in files] == [str(tmp_path / "out" / "picture_1.png")]
    assert (tmp_path / "out" / "picture.png").read_text() == "mine"


def test_unpacking_goes_beside_the_saved_file_and_needs_one(blender, picture, tmp_path):
    blender.get("file.pack")
    assert "never been saved" in blender.refuses("file.unpack").message
    blender.get("file.save", path=str(tmp_path / "a.blend"))

    assert blender.get("file.unpack")["folder"] == str(tmp_path / "textures")
