"""Blender's attribute types as binary layouts: which numbers each has, and under which key foreach_get finds them."""

from __future__ import annotations

from array import array
from typing import Any, Dict, Literal, Mapping, NamedTuple

from ..constraints import Array
from ..wire import Part

Domain = Literal["POINT", "EDGE", "FACE", "CORNER"]
AttributeType = Literal[
    "FLOAT",
    "INT",
    "BOOLEAN",
    "FLOAT_VECTOR",
    "FLOAT2",
    "FLOAT_COLOR",
    "BYTE_COLOR",
    "INT8",
    "INT32_2D",
    "QUATERNION",
    "FLOAT4X4",
]

_TYPECODES = {"<f4": "f", "<i4": "i", "|u1": "b", "|i1": "b"}


class Layout(NamedTuple):
    """The numbers of one item, and the key of foreach_get and foreach_set."""

    array: Array
    key: str


# Byte colours are read and written as linear floats, as Blender's own accessors have them.
LAYOUTS: Mapping[str, Layout] = {
    "FLOAT": Layout(Array("<f4"), "value"),
    "INT": Layout(Array("<i4"), "value"),
    "BOOLEAN": Layout(Array("|u1"), "value"),
    "FLOAT_VECTOR": Layout(Array("<f4", 3), "vector"),
    "FLOAT2": Layout(Array("<f4", 2), "vector"),
    "FLOAT_COLOR": Layout(Array("<f4", 4), "color"),
    "BYTE_COLOR": Layout(Array("<f4", 4), "color"),
    "INT8": Layout(Array("|i1"), "value"),
    "INT16_2D": Layout(Array("<i4", 2), "value"),
    "INT32_2D": Layout(Array("<i4", 2), "value"),
    "QUATERNION": Layout(Array("<f4", 4), "value"),
    "FLOAT4X4": Layout(Array("<f4", 16), "value"),
}


def domain_sizes(mesh: Any) -> Dict[str, int]:
    """How many items each domain of the mesh has."""
    return {
        "POINT": len(mesh.vertices),
        "EDGE": len(mesh.edges),
        "FACE": len(mesh.polygons),
        "CORNER": len(mesh.loops),
    }


def read_items(source: Any, key: str, layout: Array, rows: int) -> Part:
    """`rows` items of a collection as a binary part."""
    values = array(_TYPECODES[layout.dtype], (0,)) * (rows * layout.columns)
    if rows:
        source.foreach_get(key, values)
    shape = (rows, layout.columns) if layout.columns > 1 else (rows,)
    return Part(memoryview(values).cast("B"), dtype=layout.dtype, shape=shape)


def numbers(part: Part, layout: Array) -> array[Any]:
    """The part's numbers, in memory of their own."""
    values: array[Any] = array(_TYPECODES[layout.dtype])
    values.frombytes(part.data)
    return values
