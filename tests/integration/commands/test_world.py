"""world.* against a real Blender."""

import pytest

pytestmark = pytest.mark.blender

NODES = "result = sorted(node.bl_idname for node in bpy.context.scene.world.node_tree.nodes)"
PLAIN = ["ShaderNodeBackground", "ShaderNodeOutputWorld"]


@pytest.fixture
def panorama(blender, tmp_path):
    path = str(tmp_path / "around.png")
    blender.python(f"""
image = bpy.data.images.new("around", 8, 4)
image.filepath_raw, image.file_format = {path!r}, "PNG"
image.save()
bpy.data.images.remove(image)
""")
    return path


def test_the_factory_world_is_one_colour(blender):
    world = blender.get("world.get")

    assert (world["name"], world["kind"], world["strength"]) == ("World", "color", 1)


def test_a_world_gets_a_colour_and_a_strength(blender):
    world = blender.get("world.set", color=[1, 0.5, 0], strength=2)

    assert (world["kind"], world["color"], world["strength"]) == ("color", [1, 0.5, 0], 2)
    assert blender.python(NODES) == PLAIN


def test_a_world_gets_a_panorama_that_is_turned(blender, panorama):
    world = blender.get("world.set", hdri=panorama, rotation=1.5)

    assert (world["kind"], world["image"], world["rotation"]) == ("hdri", panorama, 1.5)
    assert blender.get("world.set", rotation=0.5)["rotation"] == 0.5


def test_a_world_gets_a_sky(blender):
    world = blender.get("world.set", sky=True, sun_elevation=0.5, strength=0.25)

    assert (world["kind"], world["sun_elevation"], world["strength"]) == ("sky", 0.5, 0.25)


def test_what_was_there_before_gives_way_and_leaves_no_nodes(blender, panorama):
    blender.get("world.set", hdri=panorama, rotation=1)
    blender.get("world.set", sky=True)

    blender.get("world.set", color="#000000")

    assert blender.python(NODES) == PLAIN


def test_a_scene_without_a_world_gets_one(blender):
    blender.python("bpy.context.scene.world = None")
    assert blender.get("world.get")["kind"] == "none"

    assert blender.get("world.set", color="#ffffff")["kind"] == "color"


def test_nodes_of_the_users_own_are_told(blender):
    blender.get("world.set", color="#ffffff")
    blender.python("""
tree = bpy.context.scene.world.node_tree
noise = tree.nodes.new("ShaderNodeTexNoise")
background = next(node for node in tree.nodes if node.type == "BACKGROUND")
tree.links.new(noise.outputs[0], background.inputs["Color"])
""")

    assert blender.get("world.get")["kind"] == "nodes"


@pytest.mark.parametrize(
    ("params", "said"),
    [
        ({"color": "#ffffff", "sky": True}, "one of color, hdri and sky"),
        ({"rotation": 1.0}, "only a world with hdri"),
        ({"color": "#ffffff", "sun_elevation": 1.0}, "only a world with sky"),
    ],
)
def test_what_does_not_go_together_is_refused(blender, params, said):
    assert said in blender.refuses("world.set", **params).message
    assert blender.get("world.get")["kind"] == "color"


def test_what_is_no_picture_is_refused_and_the_world_stays(blender, tmp_path):
    (tmp_path / "broken.png").write_text("no picture")
    (tmp_path / "text.txt").write_text("no picture")

    assert "no picture" in blender.refuses("world.set", hdri=str(tmp_path / "broken.png")).message
    assert ".hdr" in blender.refuses("world.set", hdri=str(tmp_path / "text.txt")).message
    assert blender.refuses("world.set", hdri=str(tmp_path / "broke.png")).data["nearest"]
    assert blender.get("world.get")["kind"] == "color"
    assert "broken.png" not in blender.python("result = bpy.data.images.keys()")
