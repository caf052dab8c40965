"""NumPy's file format, version 1.0: a header and the array's own bytes (numpy.lib.format documents it)."""

from __future__ import annotations

import ast
import struct

from blender_addon.wire import Part

_MAGIC = b"\x93NUMPY\x01\x00"
_ALIGN = 64


def npy(part: Part) -> bytes:
    """The array as a file; a part without a dtype is bytes."""
    shape = part.shape or (len(part),)
    header = f"{{'descr': '{part.dtype or '|u1'}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    length = len(_MAGIC) + 2 + len(header) + 1
    header += " " * (-length % _ALIGN) + "\n"
    return _MAGIC + struct.pack("<H", len(header)) + header.encode("latin-1") + bytes(part.data)


def array_in(data: bytes, dtype: str) -> bytes:
    """The bytes of the array in such a file. Raises ValueError where it is none, or of another dtype or order."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is no .npy file of version 1.0")
    (length,) = struct.unpack_from("<H", data, len(_MAGIC))
    start = len(_MAGIC) + 2
    header = ast.literal_eval(data[start : start + length].decode("latin-1"))
    if header["descr"] != dtype or header["fortran_order"]:
        raise ValueError(f"it holds {header['descr']}, and {dtype} in C order is wanted")
    return data[start + length :]
