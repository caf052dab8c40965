"""What an announced Blender is called."""

from __future__ import annotations

import pytest
from pydantic import TypeAdapter

from bridge.config.values import InstanceName
from bridge.fleet.announced import unique_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("/shots/shot-010.blend", "shot-010"),
        ("C:\\shots\\Shot 010 (final).blend", "Shot-010-final"),
        ("/shots/shot.blend1", "shot"),
        ("", "blender"),
        ("/shots/场景.blend", "blender"),
        ("/shots/.blend", "blender"),
        ("a wish", "a-wish"),
        ("/shots/default.blend", "default-2"),
        ("/x/" + 100 * "long" + ".blend", 12 * "long"),
    ],
)
def test_it_is_named_after_its_file_as_instances_may_be_named(text, name):
    assert unique_name(text, {"default"}) == name
    TypeAdapter(InstanceName).validate_python(name)


def test_names_that_are_taken_get_the_first_number_that_is_free():
    assert unique_name("/a/shot.blend", {"shot", "shot-2"}) == "shot-3"
