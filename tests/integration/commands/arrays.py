"""Numbers ↔ binary parts."""

import struct

from blender_addon.wire import Part

_CODES = {"<f4": "f", "<i4": "i", "|u1": "B", "|i1": "b"}


def part(dtype, values):
    values = list(values)
    return Part(struct.pack(f"<{len(values)}{_CODES[dtype]}", *values), dtype=dtype)


def floats(*values):
    return part("<f4", values)


def ints(*values):
    return part("<i4", values)


def numbers(read):
    code = _CODES[read.dtype]
    return list(struct.unpack(f"<{len(read) // struct.calcsize(code)}{code}", read.data))
