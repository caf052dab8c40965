"""A tool's arguments → a request's parts and payload: what is binary comes as numbers, base64 or a file."""

from __future__ import annotations

import base64
import binascii
from array import array
from collections.abc import Mapping
from typing import Any

from blender_addon.wire import Buffer, Part, join_parts
from blender_addon.wire.envelope import Parts
from bridge import protocol

from .binary import Schema, is_part, layout_of
from .files import read
from .npy import array_in

_KINDS = {"<f4": "f", "<i4": "i", "|u1": "B", "|i1": "b"}


class ArgumentError(ValueError):
    """An argument cannot be made into a request; the message says how it can."""


async def payload_of(params: Schema, arguments: Mapping[str, Any]) -> tuple[Parts | None, Buffer]:
    """The request's parts and payload; `params` is the command's own schema.

    Raises ArgumentError for what is binary; the rest Blender checks.
    """
    parts: dict[str, Part] = {}
    given = {
        name: await _resolved(name, value, params.get("properties", {}).get(name, {}), parts)
        for name, value in arguments.items()
    }
    try:
        data = protocol.json_bytes(given)
    except TypeError as error:
        raise ArgumentError(f"these arguments cannot be sent: {error}") from None
    described, buffers = join_parts(data, parts)
    return described, buffers[0] if len(buffers) == 1 else b"".join(buffers)


async def _resolved(name: str, value: Any, schema: Schema, parts: dict[str, Part]) -> Any:
    """The value with a reference to a part where the schema wants one; what does not fit is left to Blender."""
    if is_part(schema):
        return _reference(await _part(name, value, layout_of(schema)), parts)
    for option in schema.get("anyOf", ()):
        if is_part(option) and isinstance(value, dict):
            return _reference(await _part(name, value, layout_of(option)), parts)
    others = schema.get("additionalProperties")
    if isinstance(value, dict) and isinstance(others, dict):
        return {key: await _resolved(f"{name}.{key}", inner, others, parts) for key, inner in value.items()}
    return value


def _reference(part: Part, parts: dict[str, Part]) -> dict[str, str]:
    name = f"p{len(parts)}"
    parts[name] = part
    return {"$part": name}


async def _part(name: str, value: Any, layout: Schema) -> Part:
    dtype, media_type = layout.get("dtype"), layout.get("media_type")
    if isinstance(value, dict) and isinstance(value.get("numbers"), list):
        dtype, value = value.get("dtype", dtype), value["numbers"]
    if isinstance(value, list):
        return Part(_packed(name, value, dtype), dtype=dtype, shape=_shape(name, len(value), layout))
    if isinstance(value, dict) and isinstance(value.get("base64"), str):
        data = _decoded(name, value["base64"])
    elif isinstance(value, dict) and isinstance(value.get("file"), str):
        data, dtype = await _read(name, value["file"], dtype, is_array=media_type is None)
    else:
        raise ArgumentError(f'{name}: give {{"base64": …}}, {{"file": "/absolute/path"}}, or an array\'s numbers')
    if dtype is None:
        return Part(data, media_type=media_type)
    items, rest = divmod(len(data), _item_size(name, dtype))
    if rest:
        raise ArgumentError(f"{name}: {len(data)} bytes are no whole number of {dtype} items")
    return Part(data, dtype=dtype, shape=_shape(name, items, layout))


def _packed(name: str, numbers: list[Any], dtype: object) -> bytes:
    kind = _KINDS.get(dtype) if isinstance(dtype, str) else None
    if kind is None:
        raise ArgumentError(f'{name}: say what the numbers are: {{"numbers": […], "dtype": "<f4"}}; <i4, |u1 or |i1')
    try:
        return array(kind, numbers).tobytes()
    except (TypeError, ValueError, OverflowError) as error:
        raise ArgumentError(f"{name}: expected a flat list of {dtype} numbers ({error})") from None


def _shape(name: str, items: int, layout: Schema) -> tuple[int, ...] | None:
    """The layout's shape, its open first number filled in; None where the command finds it out itself."""
    if "shape" not in layout:
        return None
    _, *columns = layout["shape"]
    width = columns[0] if columns else 1
    if items % width:
        raise ArgumentError(f"{name}: {items} numbers are no whole number of rows of {width}")
    return (items // width, *columns)


def _decoded(name: str, text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ArgumentError(f"{name}: this is no base64: {error}") from None


def _item_size(name: str, dtype: str) -> int:
    if dtype not in _KINDS:
        raise ArgumentError(f"{name}: its items are {dtype}, and must be one of {', '.join(_KINDS)}")
    return array(_KINDS[dtype]).itemsize


async def _read(name: str, path: str, dtype: str | None, *, is_array: bool) -> tuple[bytes, str | None]:
    """The bytes, and what they are an array of where the file says so."""
    try:
        data = await read(path)
        if not is_array or not path.endswith(".npy"):
            return data, dtype
        found, data = array_in(data)
    except (OSError, ValueError) as error:
        raise ArgumentError(f"{name}: {path!r:.200} cannot be read: {error}") from None
    if dtype not in (None, found):
        raise ArgumentError(f"{name}: {path!r:.200} holds {found}, and {dtype} is wanted")
    return data, found
