"""Results become JSON bytes and binary parts."""

import json
from array import array

import pytest

from blender_addon.results import encode_result, plain
from blender_addon.wire import Part


def encoded(result):
    data, parts = encode_result(result)
    return json.loads(data), parts


def test_a_plain_result_is_compact_utf_8():
    assert encode_result({"a": [1, 2.5, None, True], "b": "é"}) == ('{"a":[1,2.5,null,true],"b":"é"}'.encode(), {})


def test_numbers_that_json_lacks_become_null():
    assert encoded({"a": float("nan"), "b": [float("inf"), 1]}) == ({"a": None, "b": [None, 1]}, {})


def test_a_part_is_named_for_the_key_that_it_stands_under():
    part = Part(b"1")

    assert encoded({"image": part}) == ({"image": {"$part": "image"}}, {"image": part})


def test_parts_under_equal_keys_get_names_of_their_own():
    first, second = Part(b"1"), Part(b"2")

    value, parts = encoded([{"co": first}, {"co": second}])

    assert value == [{"co": {"$part": "co"}}, {"co": {"$part": "co_2"}}]
    assert parts == {"co": first, "co_2": second}


def test_a_part_that_stands_twice_travels_once():
    part = Part(b"1")

    assert encoded({"a": part, "b": part}) == ({"a": {"$part": "a"}, "b": {"$part": "a"}}, {"a": part})


def test_no_part_takes_the_name_of_the_json_part():
    assert "json" not in encode_result({"json": Part(b"1")})[1]


def test_lone_surrogates_do_not_break_the_reader():
    assert encoded({"name": "x\ud800y\U0001f9ca"})[0] == {"name": "x\ufffdy\U0001f9ca"}


def test_keys_become_strings():
    assert encoded({(1, 2): "a", "nan": float("nan")})[0] == {"(1, 2)": "a", "nan": None}


def test_sets_and_arrays_become_lists():
    assert encoded({"set": {2, 1}, "array": array("i", [1, 2])})[0] == {"set": [1, 2], "array": [1, 2]}


def test_a_strange_object_becomes_its_repr_even_a_broken_one():
    class Broken:
        def __repr__(self):
            raise RuntimeError

    assert encoded([object, Broken()])[0] == ["<class 'object'>", "<Broken>"]


def test_a_long_repr_is_cut():
    assert len(encoded([b"x" * 5000])[0][0]) == 500


def test_a_value_inside_itself_ends():
    loop: list[object] = []
    loop.append(loop)

    assert encoded(loop)[0] == ["[[...]]"]


def test_a_tower_of_lists_ends():
    tower: list[object] = []
    for _ in range(100_000):
        tower = [tower]

    data, _parts = encode_result(tower)

    assert data.startswith(b"[[[")


@pytest.mark.parametrize("value", [{"a": 1}, [1, "x"], "text", None])
def test_a_plain_value_stays_itself(value):
    assert plain(value) is value


class Removed:
    """As Blender 3.4 has them: to ask for any attribute raises, `__class__` too."""

    def __getattribute__(self, name):
        raise ReferenceError("StructRNA of type Object has been removed")

    def __repr__(self):
        return "<bpy_struct, Object invalid>"


def test_what_not_even_isinstance_may_look_at_becomes_its_repr():
    assert encoded({"a": Removed(), "b": [Removed()]})[0] == {
        "a": "<bpy_struct, Object invalid>",
        "b": ["<bpy_struct, Object invalid>"],
    }
