"""A payload's JSON value and the binary parts behind it."""

from __future__ import annotations

import array
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.wire import Part, join_parts, split_parts
from blender_addon.wire.parts import total_length

PARTS = st.builds(
    Part,
    st.binary(max_size=50),
    st.none() | st.text(),
    st.none() | st.sampled_from(["<f4", "<i4"]),
    st.none() | st.lists(st.integers(0, 9)).map(tuple),
)


@given(st.binary(max_size=50), st.dictionaries(st.text(min_size=1).filter(lambda name: name != "json"), PARTS))
def test_parts_come_back_as_they_were_joined(json_bytes, parts):
    described, buffers = join_parts(json_bytes, parts)
    payload = b"".join(buffers)
    assert total_length(buffers) == len(payload)
    found_json, found = split_parts(payload, json.loads(json.dumps(described)))
    assert bytes(found_json) == json_bytes
    assert {name: (bytes(part.data), part.media_type, part.dtype, part.shape) for name, part in found.items()} == {
        name: (part.data, part.media_type, part.dtype, part.shape) for name, part in parts.items()
    }


def test_without_parts_the_payload_is_the_json_value_and_nothing_is_described():
    assert join_parts(b"{}", {}) == (None, [b"{}"])
    assert split_parts(b"{}", None) == (b"{}", {})


def test_the_first_part_is_the_json_value():
    described, _ = join_parts(b"{}", {"image": Part(b"png", "image/png")})
    assert described == [{"name": "json", "length": 2}, {"name": "image", "length": 3, "media_type": "image/png"}]


def test_arrays_are_sent_as_their_bytes_without_a_copy():
    co = array.array("f", [1.0, 2.0])
    described, buffers = join_parts(b"{}", {"co": Part(co, dtype="<f4", shape=(2,))})
    assert described is not None
    assert described[1] == {"name": "co", "length": 8, "dtype": "<f4", "shape": (2,)}
    assert isinstance(buffers[1], memoryview)
    assert buffers[1].obj is co


def test_received_parts_are_views_of_the_payload():
    payload = bytearray(b"{}abc")
    _, found = split_parts(payload, [{"name": "json", "length": 2}, {"name": "a", "length": 3}])
    payload[2:] = b"xyz"
    assert bytes(found["a"].data) == b"xyz"


def test_the_length_of_a_part_is_its_bytes():
    assert len(Part(array.array("i", [1, 2, 3]))) == 12


@pytest.mark.parametrize(
    "meaning",
    [{"media_type": 1}, {"dtype": []}, {"shape": 3}, {"shape": [True]}, {"shape": [1.0]}, {"shape": None}],
)
def test_a_meaning_of_the_wrong_type_is_no_meaning(meaning):
    _, found = split_parts(b"", [{"name": "json", "length": 0}, {"name": "a", "length": 0, **meaning}])
    assert found["a"] == Part(b"")


def test_a_shape_without_dimensions_is_kept():
    _, found = split_parts(b"", [{"name": "json", "length": 0}, {"name": "a", "length": 0, "shape": []}])
    assert found["a"].shape == ()
