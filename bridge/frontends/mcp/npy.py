"""NumPy's file format, version 1.0: a header and the array's own bytes (numpy.lib.format documents it)."""

from __future__ import annotations

import ast
import struct

from blender_addon.wire import Part

_MAGIC = b"\x93NUMPY\x01\x00"
_START = len(_MAGIC) + 2
_ALIGN = 64


def npy(part: Part) -> bytes:
    """The array as a file."""
    shape = (len(part),) if part.shape is None else part.shape
    header = f"{{'descr': '{part.dtype}', 'fortran_order': False, 'shape': {tuple(shape)!r}, }}"
    header += " " * (-(_START + len(header) + 1) % _ALIGN) + "\n"
    return _MAGIC + struct.pack("<H", len(header)) + header.encode("latin-1") + bytes(part.data)


def array_in(data: bytes) -> tuple[str, bytes]:
    """The dtype and the bytes of the array in such a file. Raises ValueError where it is none, or not in C order."""
    if data[: len(_MAGIC)] != _MAGIC:
        raise ValueError("it is no .npy file of version 1.0: its first bytes are others")
    try:
        (length,) = struct.unpack_from("<H", data, len(_MAGIC))
        header = ast.literal_eval(data[_START : _START + length].decode("latin-1"))
        dtype, in_c_order = str(header["descr"]), not header["fortran_order"]
    except (ValueError, SyntaxError, TypeError, KeyError, RecursionError, struct.error) as error:
        raise ValueError(f"it is no .npy file of version 1.0: {error}") from None
    if not in_c_order:
        raise ValueError("its array is in Fortran order: save it with numpy.ascontiguousarray")
    return dtype, data[_START + length :]
