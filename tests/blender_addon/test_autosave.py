"""The names of the copies that are saved before code runs, and which of them are kept."""

from blender_addon.autosave import KEPT, copies_of, forget_old, name_of, stem_of


def test_a_copy_is_named_after_the_file():
    assert stem_of("/home/me/My scene (2).blend") == "My_scene_2_"
    assert stem_of("") == "untitled"
    assert name_of("scene", 0.5).startswith("bpy-bridge-autosave-scene-19")


def test_later_copies_sort_behind():
    assert name_of("scene", 1_700_000_000.25) < name_of("scene", 1_700_000_000.5) < name_of("scene", 1_700_000_002.0)


def test_the_last_copies_of_each_file_are_kept(tmp_path):
    names = [name_of("scene", 1_700_000_000.0 + second) for second in range(KEPT + 2)]
    others = [name_of("scene-2", 1_600_000_000.0), name_of("other", 1_600_000_000.0), "scene.blend"]
    for name in names + others:
        (tmp_path / name).touch()

    forget_old(tmp_path, "scene")

    assert [path.name for path in copies_of(tmp_path, "scene")] == names[2:]
    assert all((tmp_path / name).exists() for name in others)
