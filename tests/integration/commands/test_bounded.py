"""What commands answer about many things at once is short enough for a model to read, and says how many there are."""

import json

import pytest

pytestmark = pytest.mark.blender

MANY = 250
NAMES = [f"Thing {number:03}" for number in range(MANY)]
SIDES = {"names": NAMES, "axis": "x"}


@pytest.fixture
def crowd(blender):
    """A scene with many objects."""
    blender.python(
        f"for name in {NAMES}:\n"
        "    item = bpy.data.objects.new(name, bpy.data.objects['Cube'].data.copy())\n"
        "    bpy.context.scene.collection.objects.link(item)"
    )
    return blender


@pytest.mark.parametrize(
    ("method", "params", "listed"),
    [
        ("object.align", SIDES, "objects"),
        ("object.delete", {"names": NAMES}, "deleted"),
        ("object.distribute", SIDES, "objects"),
        ("object.duplicate", {"names": NAMES}, "names"),
        ("object.parent", {"names": NAMES, "parent": "Cube"}, "objects"),
        ("object.select", {"names": NAMES}, "selected"),
        ("object.shade", {"names": NAMES, "mode": "flat"}, "objects"),
        ("object.snap_to_floor", {"names": NAMES}, "objects"),
        ("object.transform", {"names": NAMES, "move": [1, 0, 0]}, "objects"),
        ("object.visibility", {"names": NAMES, "render": False}, "objects"),
        ("material.assign", {"objects": NAMES, "material": "Material"}, "objects"),
        ("scene.objects", {}, "objects"),
        ("object.bounds", {}, "objects"),
    ],
)
def test_a_list_ends_and_its_length_is_told(crowd, method, params, listed):
    answer = crowd.get(method, **params)

    assert len(answer[listed]) <= 100
    assert answer["total"] >= MANY
    assert len(json.dumps(answer)) < 20_000
