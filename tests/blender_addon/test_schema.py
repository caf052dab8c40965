"""Annotations become JSON Schemas and checkers."""

import json
from typing import Annotated, Any, Literal, Optional, TypedDict, Union

import pytest

from blender_addon.constraints import Array, Media, Pattern, Range, Size
from blender_addon.scalars import Mismatch
from blender_addon.schema import compile_type
from blender_addon.wire import Part


class Base(TypedDict):
    name: str


class Extended(Base, total=False):
    count: int


def accept(annotation, value, parts=None):
    return compile_type(annotation).check(value, parts or {})


def problems(annotation, value, parts=None):
    with pytest.raises(Mismatch) as caught:
        compile_type(annotation).check(value, parts or {})
    return caught.value.problems


def test_a_whole_number_is_taken_for_a_float():
    value = accept(float, 3)

    assert value == 3.0
    assert type(value) is float


def test_a_float_without_a_fraction_is_taken_for_a_whole_number():
    value = accept(int, 3.0)

    assert value == 3
    assert type(value) is int


@pytest.mark.parametrize(
    "value", [True, False, "1", None, [], {}, float("nan"), float("inf"), -float("inf"), 10**400, 1e39]
)
def test_what_blender_cannot_hold_as_a_number_is_refused(value):
    assert len(problems(float, value)) == 1


@pytest.mark.parametrize("value", [True, 1.5, "1", None, float("nan"), float("inf")])
def test_what_is_no_whole_number_is_refused(value):
    assert len(problems(int, value)) == 1


@pytest.mark.parametrize("value", [1, 0, "true", None])
def test_only_true_and_false_are_booleans(value):
    assert accept(bool, True) is True
    assert len(problems(bool, value)) == 1


@pytest.mark.parametrize("value", ["a\0b", "\ud800"])
def test_text_that_blender_cannot_hold_is_refused(value):
    assert "NUL" in problems(str, value)[0][1]


def test_text_beyond_ascii_is_taken():
    assert accept(str, "Würfel 🧊") == "Würfel 🧊"


@pytest.mark.parametrize(("value", "fine"), [(0, True), (1, True), (-0.001, False), (1.001, False)])
def test_bounds_are_part_of_their_range(value, fine):
    bounded = Annotated[float, Range(0, 1)]

    if fine:
        assert accept(bounded, value) == value
    else:
        assert problems(bounded, value) == [("", f"expected a number from 0 to 1, got {value}")]


def test_whole_bounds_are_told_with_all_their_digits():
    bounded = Annotated[int, Range(-(2**31), 2**31 - 1)]

    assert problems(bounded, 2**31) == [("", "expected a whole number from -2147483648 to 2147483647, got 2147483648")]


def test_bounds_of_other_libraries_are_known_by_their_attributes():
    class Gt:
        gt = 0

    assert accept(Annotated[int, Gt()], 1) == 1
    assert problems(Annotated[int, Gt()], 0) == [("", "expected a whole number above 0, got 0")]
    assert compile_type(Annotated[int, Gt()]).schema == {"type": "integer", "exclusiveMinimum": 0}


def test_a_tuple_of_the_wrong_length_says_both_lengths():
    assert problems(tuple[float, float, float], [1, 2]) == [("", "expected 3 numbers, got 2")]


def test_every_wrong_item_is_told_with_its_place():
    assert problems(tuple[float, float, float], [1, "two", None]) == [
        ("[1]", "expected a number, got 'two'"),
        ("[2]", "expected a number, got null"),
    ]


def test_places_inside_places_are_told():
    assert problems(list[list[int]], [[1], [2, "x"]])[0][0] == "[1][1]"
    assert problems(dict[str, list[int]], {"a": ["x"]})[0][0] == ".a[0]"


def test_a_list_is_as_long_as_its_size_says():
    sized = Annotated[list[int], Size(1, 2)]

    assert accept(sized, [1, 2]) == [1, 2]
    assert problems(sized, []) == [("", "expected 1 to 2 whole numbers, got 0")]
    assert problems(sized, [1, 2, 3]) == [("", "expected 1 to 2 whole numbers, got 3")]


def test_a_literal_tells_its_options_and_the_nearest():
    assert accept(Literal["cube", "cone"], "cube") == "cube"
    assert problems(Literal["cube", "cone"], "cub") == [
        ("", "expected one of cube, cone, got 'cub'; did you mean 'cube'?")
    ]


def test_an_unhashable_value_is_no_literal():
    assert len(problems(Literal["cube"], ["cube"])) == 1


def test_an_optional_takes_null_and_its_messages_do_not_speak_of_it():
    assert accept(Optional[int], None) is None
    assert problems(Optional[int], "x") == [("", "expected a whole number, got 'x'")]


def test_what_is_said_of_an_optional_is_said_of_what_it_holds():
    assert len(problems(Annotated[Optional[int], Range(1, 5)], 6)) == 1


def test_an_optional_written_with_a_bar_is_the_same():
    assert compile_type(int | None).schema == compile_type(Optional[int]).schema


def test_a_union_takes_each_of_its_options():
    colour = Union[
        Annotated[list[float], Size(3, 4)], Annotated[str, Pattern("#[0-9a-f]{6}", 'a colour like "#ff8800"')]
    ]

    assert accept(colour, [1, 0, 0]) == [1.0, 0.0, 0.0]
    assert accept(colour, "#00ff00") == "#00ff00"
    assert problems(Optional[colour], [1]) == [("", "expected 3 to 4 numbers, got 1")]
    assert problems(Optional[colour], "red") == [("", "expected a colour like \"#ff8800\", got 'red'")]
    assert problems(colour, 5) == [("", 'expected a list of numbers or a colour like "#ff8800", got 5')]


def test_a_pattern_matches_the_whole_string():
    assert len(problems(Annotated[str, Pattern("a+", "some a")], "aab")) == 1
    assert len(problems(Annotated[str, Pattern("a+", "some a")], "aa\n")) == 1


def test_a_record_has_its_required_fields_and_no_unknown_ones():
    assert accept(Extended, {"name": "x"}) == {"name": "x"}
    assert accept(Extended, {"name": "x", "count": 2}) == {"name": "x", "count": 2}
    assert problems(Extended, {"coun": 2}) == [
        (".coun", "there is no such field; did you mean 'count'?"),
        (".name", "is required"),
    ]


def test_anything_passes_as_it_is():
    value = {"a": [1, None, "x"]}

    assert accept(Any, value) is value


def test_a_part_is_resolved_by_its_name():
    part = Part(b"1234")

    assert accept(Part, {"$part": "a"}, {"a": part}) is part


@pytest.mark.parametrize("value", [{"$part": "b"}, {"$part": 1}, {"$part": "a", "x": 1}, "a", None, {}])
def test_what_names_no_part_of_the_request_is_refused(value):
    assert len(problems(Part, value, {"a": Part(b"")})) == 1


@pytest.mark.parametrize(
    "part",
    [
        Part(bytes(24)),
        Part(bytes(24), dtype="<f4"),
        Part(bytes(24), dtype="<f4", shape=(2, 3)),
        Part(b"", dtype="<f4", shape=(0, 3)),
    ],
)
def test_a_part_of_the_right_layout_is_taken(part):
    assert accept(Annotated[Part, Array("<f4", 3)], {"$part": "co"}, {"co": part}) is part


@pytest.mark.parametrize(
    ("part", "problem"),
    [
        (Part(bytes(24), dtype="<f8"), "expected items of <f4, got '<f8'"),
        (Part(bytes(20)), "expected rows of 3 <f4 (12 bytes), got 20 bytes"),
        (Part(bytes(24), shape=(3, 2)), "expected the shape [2, 3] for 24 bytes, got [3, 2]"),
        (Part(bytes(24), shape=(6,)), "expected the shape [2, 3] for 24 bytes, got [6]"),
    ],
)
def test_a_part_of_another_layout_is_refused(part, problem):
    assert problems(Annotated[Part, Array("<f4", 3)], {"$part": "co"}, {"co": part}) == [("", problem)]


def test_a_part_of_another_media_type_is_refused():
    part = Part(b"", media_type="image/jpeg")

    assert "image/jpeg" in problems(Annotated[Part, Media("image/png")], {"$part": "a"}, {"a": part})[0][1]


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (float, {"type": "number"}),
        (
            Annotated[int, "how many", Range(0, 9)],
            {"type": "integer", "minimum": 0, "maximum": 9, "description": "how many"},
        ),
        (Annotated[str, Size(1, 9)], {"type": "string", "minLength": 1, "maxLength": 9}),
        (Literal["a", "b"], {"type": "string", "enum": ["a", "b"]}),
        (tuple[int, int], {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "integer"}}),
        (
            tuple[int, str],
            {"type": "array", "minItems": 2, "maxItems": 2, "prefixItems": [{"type": "integer"}, {"type": "string"}]},
        ),
        (tuple[int, ...], {"type": "array", "items": {"type": "integer"}}),
        (dict[str, Any], {"type": "object"}),
        (Optional[bool], {"anyOf": [{"type": "boolean"}, {"type": "null"}]}),
        (
            Extended,
            {
                "type": "object",
                "properties": {"name": {"type": "string"}, "count": {"type": "integer"}},
                "required": ["name"],
                "additionalProperties": False,
            },
        ),
        (
            Annotated[Part, Array("<i4")],
            {
                "type": "object",
                "properties": {"$part": {"type": "string"}},
                "required": ["$part"],
                "additionalProperties": False,
                "x-part": {"dtype": "<i4", "shape": [None]},
            },
        ),
    ],
)
def test_the_schema_says_what_the_checker_does(annotation, schema):
    compiled = compile_type(annotation).schema

    assert compiled == schema
    json.dumps(compiled)


@pytest.mark.parametrize("annotation", [set, bytes, dict[int, str], Literal[1], complex])
def test_a_type_that_json_has_no_word_for_is_refused_at_once(annotation):
    with pytest.raises(TypeError):
        compile_type(annotation)


@pytest.mark.parametrize(("bare", "full"), [(list, list[Any]), (dict, dict[str, Any])])
def test_a_bare_container_holds_anything(bare, full):
    assert compile_type(bare).schema == compile_type(full).schema
