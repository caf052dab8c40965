"""A tool's arguments → a request's parts and payload: what is binary comes as numbers, base64 or a file."""

from __future__ import annotations

import base64
import binascii
import struct
from array import array
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import trio

from blender_addon.wire import Buffer, Part, join_parts
from blender_addon.wire.envelope import Parts
from bridge import protocol

from .npy import array_in
from .tools import Tool

_TYPES = {"<f4": "f", "<i4": "i"}


class ArgumentError(ValueError):
    """An argument cannot be made into bytes; the message says how."""


async def payload_of(tool: Tool, arguments: Mapping[str, Any]) -> tuple[Parts | None, Buffer]:
    """The request's parts and payload. Raises ArgumentError; what the command itself takes, Blender checks."""
    given = dict(arguments)
    parts: dict[str, Part] = {}
    for name, layout in tool.parts.items():
        if given.get(name) is not None:
            parts[name] = await _part(name, given[name], layout)
            given[name] = {"$part": name}
    described, buffers = join_parts(protocol.json_bytes(given), parts)
    return described, buffers[0] if len(buffers) == 1 else b"".join(buffers)


async def _part(name: str, value: Any, layout: Mapping[str, Any]) -> Part:
    dtype = layout.get("dtype")
    if isinstance(value, list):
        return Part(_packed(name, value, dtype), dtype=dtype, shape=_shape(name, len(value), layout))
    if isinstance(value, dict) and isinstance(value.get("base64"), str):
        data = _decoded(name, value["base64"])
    elif isinstance(value, dict) and isinstance(value.get("file"), str):
        data = await _read(name, value["file"], dtype)
    else:
        raise ArgumentError(f'{name}: give a list of numbers, {{"base64": …}} or {{"file": "/absolute/path"}}')
    if dtype is None:
        return Part(data, media_type=layout.get("media_type"))
    items, rest = divmod(len(data), struct.calcsize(dtype.replace("f4", "f").replace("i4", "i")))
    if rest:
        raise ArgumentError(f"{name}: {len(data)} bytes are no whole number of {dtype} items")
    return Part(data, dtype=dtype, shape=_shape(name, items, layout))


def _packed(name: str, numbers: list[Any], dtype: str | None) -> bytes:
    kind = _TYPES.get(dtype or "")
    if kind is None:
        raise ArgumentError(f"{name}: numbers cannot say this: give base64 or a file")
    try:
        return array(kind, numbers).tobytes()
    except (TypeError, OverflowError) as error:
        raise ArgumentError(f"{name}: expected a flat list of numbers ({error})") from None


def _shape(name: str, items: int, layout: Mapping[str, Any]) -> tuple[int, ...]:
    """The layout's shape, its open first number filled in."""
    _, *columns = layout.get("shape", [None])
    width = columns[0] if columns else 1
    if items % width:
        raise ArgumentError(f"{name}: {items} numbers are no whole number of rows of {width}")
    return (items // width, *columns)


def _decoded(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ArgumentError(f"{name}: this is no base64: {error}") from None


async def _read(name: str, path: str, dtype: str | None) -> bytes:
    place = trio.Path(path)
    if not Path(path).is_absolute():
        raise ArgumentError(f"{name}: give an absolute path, not {path!r}")
    try:
        data = await place.read_bytes()
        return array_in(data, dtype) if place.suffix == ".npy" and dtype is not None else data
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{name}: {path} cannot be read: {error}") from None
