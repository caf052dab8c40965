"""mesh.* against a real Blender: arrays in, the same arrays out."""

import pytest

from tests.integration.commands.arrays import floats, ints, numbers

pytestmark = pytest.mark.blender

TRIANGLE = {
    "name": "New",
    "co": {"$part": "co"},
    "loop_vertex_index": {"$part": "loops"},
    "face_sizes": {"$part": "faces"},
}


def parts(co=(0, 0, 0, 1, 0, 0, 0, 1, 0), loops=(0, 1, 2), faces=(3,)):
    return {"co": floats(*co), "loops": ints(*loops), "faces": ints(*faces)}


def test_a_mesh_is_read_as_arrays_that_say_what_they_are(blender):
    answer = blender.call("mesh.read", object="Cube", attributes=["co", "normal", "loop_vertex_index", "face_sizes"])

    assert (answer.value["vertices"], answer.value["faces"]) == (8, 6)
    assert {name: (part.dtype, part.shape) for name, part in answer.parts.items()} == {
        "co": ("<f4", (8, 3)),
        "normal": ("<f4", (8, 3)),
        "loop_vertex_index": ("<i4", (24,)),
        "face_sizes": ("<i4", (6,)),
    }
    assert numbers(answer.parts["face_sizes"]) == [4] * 6
    assert set(map(abs, numbers(answer.parts["co"]))) == {1.0}


def test_only_the_attributes_that_were_asked_for_travel(blender):
    assert list(blender.call("mesh.read", object="Cube", attributes=["normal"]).parts) == ["normal"]
    assert "normal" not in blender.call("mesh.read", object="Cube").parts


def test_a_mesh_that_was_read_and_written_is_the_same(blender):
    read = blender.call("mesh.read", object="Cube").parts

    written = blender.call(
        "mesh.write",
        {"co": read["co"], "loops": read["loop_vertex_index"], "faces": read["face_sizes"]},
        **{**TRIANGLE, "name": "Copy"},
    ).value

    assert written == {"object": "Copy", "vertices": 8, "faces": 6, "created": True, "repaired": False}
    again = blender.call("mesh.read", object="Copy").parts
    assert {name: bytes(part.data) for name, part in again.items()} == {
        name: bytes(part.data) for name, part in read.items()
    }
    assert blender.get("object.get", name="Copy")["mesh"]["edges"] == 12


def test_faces_of_different_sizes_keep_their_corners(blender):
    loops, faces = (0, 1, 2, 0, 2, 3, 4), (3, 4)

    blender.call("mesh.write", parts(range(15), loops, faces), **TRIANGLE)

    read = blender.call("mesh.read", object="New").parts
    assert numbers(read["loop_vertex_index"]) == list(loops)
    assert numbers(read["face_sizes"]) == list(faces)


def test_an_existing_mesh_is_replaced(blender):
    written = blender.call("mesh.write", parts(), **{**TRIANGLE, "name": "Cube"}).value

    assert written["created"] is False
    assert blender.get("object.get", name="Cube")["mesh"] == {"name": "Cube", "vertices": 3, "edges": 3, "faces": 1}


def test_positions_alone_move_the_vertices_and_keep_the_faces(blender):
    assert blender.get("object.get", name="Cube")["bounds"]["max"] == [1, 1, 1]

    blender.call("mesh.write", {"co": floats(*[5] * 24)}, name="Cube", co={"$part": "co"})

    assert blender.get("object.get", name="Cube")["mesh"]["faces"] == 6
    assert blender.get("object.get", name="Cube")["bounds"] == {"min": [5, 5, 5], "max": [5, 5, 5]}


def test_positions_alone_must_be_as_many_as_the_mesh_has(blender):
    fault = blender.refuses("mesh.write", {"co": floats(1, 2, 3)}, name="Cube", co={"$part": "co"})

    assert "1 positions, and 'Cube' has 8 vertices" in fault.message


def test_positions_alone_make_a_new_object_of_loose_points(blender):
    written = blender.call("mesh.write", {"co": floats(1, 2, 3)}, name="Point", co={"$part": "co"}).value

    assert (written["vertices"], written["faces"], written["created"]) == (1, 0, True)


def test_a_mesh_may_be_empty(blender):
    blender.call("mesh.write", {"co": floats()}, name="Nothing", co={"$part": "co"})

    assert blender.call("mesh.read", object="Nothing").parts["co"].shape == (0, 3)


@pytest.mark.parametrize(
    ("wrong", "param"),
    [
        ({"co": (0, 0, 0, 1, 0, 0, 0, float("nan"), 0)}, "co"),
        ({"co": (0, 0, 0, 1, 0, 0, 0, float("inf"), 0)}, "co"),
        ({"co": (0, 0, 0, 1)}, "co"),
        ({"loops": (0, 1, 3)}, "loop_vertex_index"),
        ({"loops": (0, 1, -1)}, "loop_vertex_index"),
        ({"faces": (2,)}, "face_sizes"),
        ({"faces": (4,)}, "face_sizes"),
        ({"faces": (3, 3)}, "face_sizes"),
        ({"faces": (-3, 6)}, "face_sizes"),
        ({"faces": ()}, "face_sizes"),
    ],
)
def test_arrays_that_make_no_mesh_are_refused_before_blender_is_touched(blender, wrong, param):
    fault = blender.refuses("mesh.write", parts(**wrong), **{**TRIANGLE, "name": "Cube"})

    assert param in [problem["param"] for problem in fault.data["problems"]]
    assert blender.get("object.get", name="Cube")["mesh"]["vertices"] == 8


def test_corners_and_face_sizes_go_together(blender):
    params = {name: value for name, value in TRIANGLE.items() if name != "face_sizes"}

    assert blender.refuses("mesh.write", parts(), **params).data["problems"][0]["param"] == "face_sizes"


def test_a_part_that_the_request_does_not_have_is_told(blender):
    assert (
        "no part named 'faces'" in blender.refuses("mesh.write", {"co": floats(), "loops": ints()}, **TRIANGLE).message
    )


def test_a_face_that_uses_a_vertex_twice_is_repaired_and_told(blender):
    written = blender.call("mesh.write", parts(loops=(0, 1, 1)), **TRIANGLE).value

    assert (written["repaired"], written["faces"]) == (True, 0)


@pytest.mark.parametrize(
    ("loops", "faces"),
    [
        ((0, 1, 2, 0, 1, 2, 3, 4, 0), (3, 6)),
        ((0, 1, 2, 3, 4, 3, 0, 1, 4), (3, 3, 3)),
        ((0, 1, 2, 3, 0, 1, 2, 0), (4, 4)),
    ],
)
def test_one_such_face_among_others_is_found(blender, loops, faces):
    written = blender.call("mesh.write", parts(range(15), loops, faces), **TRIANGLE).value

    assert (written["repaired"], written["faces"]) == (True, len(faces) - 1)


def test_an_object_of_another_type_is_no_mesh(blender):
    assert "is no mesh but a light" in blender.refuses("mesh.read", object="Light").message
    assert "is no mesh but a light" in blender.refuses("mesh.write", parts(), **{**TRIANGLE, "name": "Light"}).message


def test_a_mesh_that_is_being_edited_is_read_and_not_written(blender):
    blender.python("""
bpy.context.view_layer.objects.active = bpy.data.objects["Cube"]
bpy.ops.object.mode_set(mode="EDIT")
import bmesh
bmesh.from_edit_mesh(bpy.data.objects["Cube"].data).verts.new((9, 9, 9))
""")

    assert blender.get("mesh.read", object="Cube")["vertices"] == 9
    assert "edit mode" in blender.refuses("mesh.write", parts(), **{**TRIANGLE, "name": "Cube"}).message
