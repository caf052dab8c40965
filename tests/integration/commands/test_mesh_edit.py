"""The shaping, checking, repairing and unwrapping of meshes against a real Blender."""

import pytest

from tests.integration.commands.arrays import floats, ints, numbers

pytestmark = pytest.mark.blender

TOP = {"facing": [0, 0, 1]}


def height(blender):
    return blender.get("object.get", name="Cube")["dimensions"][2]


def make(blender, co, loops=(), faces=()):
    params = {"name": "New", "co": {"$part": "co"}}
    parts = {"co": floats(*co)}
    if faces:
        parts |= {"loops": ints(*loops), "faces": ints(*faces)}
        params |= {"loop_vertex_index": {"$part": "loops"}, "face_sizes": {"$part": "faces"}}
    blender.call("mesh.write", parts, **params)


def test_a_bevelled_cube_has_a_strip_for_each_edge(blender):
    shaped = blender.get("mesh.bevel", object="Cube", width=0.1, segments=2)

    assert shaped["chosen"] == 12
    assert shaped["faces"] > 6 + 12 * 2
    assert height(blender) == 2
    assert blender.get("mesh.check", object="Cube")["closed"]


def test_only_edges_between_the_chosen_faces_are_bevelled(blender):
    blender.get("mesh.subdivide", object="Cube", cuts=1)

    assert blender.get("mesh.bevel", object="Cube", width=0.1, faces=TOP)["chosen"] == 0
    assert blender.get("mesh.bevel", object="Cube", width=0.1, sharper_than=3)["chosen"] == 0


def test_the_top_is_extruded(blender):
    shaped = blender.get("mesh.extrude", object="Cube", distance=1, faces=TOP)

    assert (shaped["faces"], shaped["vertices"], shaped["chosen"]) == (10, 12, 1)
    assert height(blender) == 3
    assert blender.get("mesh.check", object="Cube")["closed"]


def test_each_face_is_extruded_by_itself(blender):
    shaped = blender.get("mesh.extrude", object="Cube", distance=0.5, individual=True)

    assert (shaped["faces"], shaped["vertices"]) == (30, 32)
    assert height(blender) == 3


def test_an_open_surface_gets_a_thickness(blender):
    blender.get("object.create", type="plane", name="Sheet")

    shaped = blender.get("mesh.extrude", object="Sheet", distance=0.2)

    checked = blender.get("mesh.check", object="Sheet")
    assert (shaped["faces"], checked["closed"]) == (6, True)
    assert abs(checked["volume"]) == pytest.approx(0.8)


def test_a_closed_surface_grows(blender):
    blender.get("mesh.extrude", object="Cube", distance=1)

    checked = blender.get("mesh.check", object="Cube")
    assert (checked["vertices"], checked["closed"]) == (8, True)
    assert height(blender) == pytest.approx(4)


def test_a_face_gets_a_rim_and_a_recess(blender):
    shaped = blender.get("mesh.inset", object="Cube", thickness=0.2, depth=-0.1, faces=TOP)

    assert (shaped["faces"], shaped["vertices"]) == (10, 12)
    assert height(blender) == 2


def test_faces_are_subdivided(blender):
    assert blender.get("mesh.subdivide", object="Cube", cuts=3)["faces"] == 96


@pytest.mark.parametrize("faces", [{"indices": [4]}, {"material_index": 3}, {"material_index": 3, "indices": [3, 4]}])
def test_faces_are_chosen_by_index_and_material(blender, faces):
    blender.python("bpy.data.meshes['Cube'].polygons[4].material_index = 3")

    assert blender.get("mesh.inset", object="Cube", thickness=0.1, faces=faces)["chosen"] == 1


@pytest.mark.parametrize(
    ("faces", "message"),
    [
        ({"indices": [6]}, "there is no face 6: the mesh has 6"),
        ({"material_index": 5}, "none of the mesh's faces"),
        ({"facing": [1, 1, 1], "angle": 0.1}, "none of the mesh's faces"),
        ({"facing": [0, 0, 0]}, "a direction has a length"),
        ({"facing": [0, 1]}, "expected 3 numbers"),
        ({"fcaing": [0, 0, 1]}, "did you mean 'facing'"),
    ],
)
def test_faces_that_are_not_there_are_refused(blender, faces, message):
    assert message in blender.refuses("mesh.inset", object="Cube", thickness=0.1, faces=faces).message
    assert blender.get("mesh.check", object="Cube")["faces"] == 6


def test_a_mesh_is_shaded_smooth_and_flat_again(blender):
    smooth = "result = [face.use_smooth for face in bpy.data.meshes['Cube'].polygons]"

    blender.get("mesh.shade", object="Cube")
    assert blender.python(smooth) == [True] * 6

    blender.get("mesh.shade", object="Cube", smooth=False)
    assert blender.python(smooth) == [False] * 6


def test_edges_that_are_sharper_than_an_angle_stay_sharp(blender):
    def sharp():
        if blender.version >= (4, 1):
            return blender.python("result = sum(edge.use_edge_sharp for edge in bpy.data.meshes['Cube'].edges) > 0")
        return blender.python("result = bpy.data.meshes['Cube'].use_auto_smooth")

    blender.get("mesh.shade", object="Cube", sharper_than=0.5)
    assert sharp()

    blender.get("mesh.shade", object="Cube")
    assert not sharp()


def test_a_sound_mesh_is_told_to_be_sound(blender):
    assert blender.get("mesh.check", object="Cube") == {
        "object": "Cube",
        "vertices": 8,
        "edges": 12,
        "faces": 6,
        "triangles": 0,
        "quads": 6,
        "ngons": 0,
        "closed": True,
        "boundary_edges": 0,
        "wire_edges": 0,
        "overfull_edges": 0,
        "inconsistent_edges": 0,
        "loose_vertices": 0,
        "double_vertices": 0,
        "zero_length_edges": 0,
        "zero_area_faces": 0,
        "area": 24,
        "volume": 8,
    }


def test_what_is_wrong_with_a_mesh_is_counted(blender):
    corners = (0, 0, 0, 1, 0, 0, 1, 1, 0)
    make(blender, (*corners, *corners, 5, 5, 5), (0, 1, 2, 3, 4, 5), (3, 3))

    checked = blender.get("mesh.check", object="New")

    assert (checked["closed"], checked["volume"], checked["triangles"]) == (False, None, 2)
    assert (checked["boundary_edges"], checked["loose_vertices"], checked["double_vertices"]) == (6, 1, 3)


def test_a_flipped_face_disagrees_with_its_neighbours(blender):
    blender.python("bpy.data.meshes['Cube'].polygons[0].flip(); bpy.data.meshes['Cube'].update()")
    assert blender.get("mesh.check", object="Cube")["inconsistent_edges"] == 4

    blender.get("mesh.clean", object="Cube")
    assert blender.get("mesh.check", object="Cube")["inconsistent_edges"] == 0


def test_a_mesh_is_cleaned(blender):
    triangle = (0, 0, 0, 1, 0, 0, 1, 1, 0)
    make(blender, (*triangle, *triangle, 5, 5, 5), (0, 1, 2, 5, 4, 3), (3, 3))

    cleaned = blender.get("mesh.clean", object="New")

    assert (cleaned["merged_vertices"], cleaned["loose_removed"]) == (3, 1)
    assert cleaned["vertices"] == 3
    again = blender.get("mesh.clean", object="New")
    assert (again["merged_vertices"], again["loose_removed"], again["degenerate_removed"]) == (0, 0, 0)


def test_holes_are_filled_and_faces_made_triangles(blender):
    blender.python("""
import bmesh
shape = bmesh.new()
mesh = bpy.data.meshes["Cube"]
shape.from_mesh(mesh)
shape.faces.ensure_lookup_table()
bmesh.ops.delete(shape, geom=[shape.faces[0]], context="FACES_ONLY")
shape.to_mesh(mesh)
""")

    cleaned = blender.get("mesh.clean", object="Cube", fill_holes=True, triangulate=True)

    assert (cleaned["holes_filled"], cleaned["faces"]) == (1, 12)
    assert blender.get("mesh.check", object="Cube")["volume"] == pytest.approx(8)


@pytest.mark.parametrize("projection", ["smart", "cube", "seams"])
def test_a_mesh_is_unwrapped_into_a_map_of_its_own(blender, projection):
    said = blender.get("mesh.uv_unwrap", object="Cube", projection=projection, uv_map="Baked", seams_sharper_than=1)

    assert said == {"object": "Cube", "uv_map": "Baked", "created": True, "faces": 6}
    coordinates = numbers(blender.call("mesh.read", object="Cube", attributes=["Baked"]).parts["Baked"])
    assert len(set(coordinates)) > 1
    assert all(-0.01 <= number <= 1.01 for number in coordinates)
    assert blender.python("result = bpy.data.objects['Cube'].mode") == "OBJECT"


def test_unwrapping_leaves_the_selection_as_it_was(blender):
    chosen = "result = [item.name for item in bpy.context.view_layer.objects if item.select_get()]"
    blender.python("bpy.data.objects['Cube'].select_set(False); bpy.data.objects['Light'].select_set(True)")

    blender.get("mesh.uv_unwrap", object="Cube")

    assert blender.python(chosen) == ["Light"]


def test_a_mesh_without_faces_is_not_unwrapped(blender):
    make(blender, (1, 2, 3))

    assert "no faces" in blender.refuses("mesh.uv_unwrap", object="New").message


def test_a_hidden_mesh_is_not_unwrapped(blender):
    blender.python("bpy.data.objects['Cube'].hide_set(True)")

    assert "is hidden" in blender.refuses("mesh.uv_unwrap", object="Cube").message


@pytest.mark.parametrize("method", ["bevel", "extrude", "inset", "subdivide", "shade", "clean", "uv_unwrap", "check"])
def test_what_is_no_mesh_is_refused(blender, method):
    given = {"bevel": {"width": 1}, "extrude": {"distance": 1}, "inset": {"thickness": 1}}.get(method, {})

    assert "is no mesh but a light" in blender.refuses(f"mesh.{method}", object="Light", **given).message
