"""Binary parameters, which MCP has no word for, in words that a model can say: numbers, base64 or a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_LITERAL_NUMBERS = 10_000
_NONE: Schema = {}
_BASE64 = {"type": "object", "properties": {"base64": {"type": "string"}}, "required": ["base64"]}
_FILE = {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]}
_LIST = {"type": "array", "items": {"type": "number"}, "maxItems": _LITERAL_NUMBERS}
_TYPED = {
    "type": "object",
    "properties": {"numbers": _LIST, "dtype": {"type": "string", "enum": ["<f4", "<i4", "|u1", "|i1"]}},
    "required": ["numbers", "dtype"],
}


def is_part(schema: Schema) -> bool:
    """Whether it is the schema of a binary part."""
    return "$part" in schema.get("properties", _NONE)


def layout_of(schema: Schema) -> Schema:
    """A part's dtype and shape, or its media type, as far as they are fixed."""
    found: Schema = schema.get("x-part", _NONE)
    return found


def parts_in(schema: Any) -> Iterator[Schema]:
    """Every schema of a part in it."""
    if isinstance(schema, dict):
        if is_part(schema):
            yield schema
            return
        for value in schema.values():
            yield from parts_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from parts_in(value)


def spoken(schema: dict[str, Any]) -> dict[str, Any]:
    """The same schema with each part in it as what a model can say instead."""
    if is_part(schema):
        return {"anyOf": _choices(schema), **_described(schema)}
    if not any(parts_in(schema)):
        return schema
    said = dict(schema)
    if "anyOf" in schema:
        said["anyOf"] = [
            choice
            for option in schema["anyOf"]
            # A list of numbers is among the options already, as its command wants it.
            for choice in ([_BASE64, _FILE] if is_part(option) else [spoken(option)])
        ]
    if "properties" in schema:
        said["properties"] = {name: spoken(option) for name, option in schema["properties"].items()}
    for inner in ("items", "additionalProperties"):
        if isinstance(schema.get(inner), dict):
            said[inner] = spoken(schema[inner])
    return said


def _choices(schema: Schema) -> list[dict[str, Any]]:
    layout = layout_of(schema)
    literal = [] if "media_type" in layout else [_LIST if "dtype" in layout else _TYPED]
    return [*literal, _BASE64, _FILE]


def _described(schema: Schema) -> dict[str, str]:
    ways = "base64 or a file" if "media_type" in layout_of(schema) else "numbers in a row, base64 or a file (raw, .npy)"
    return {"description": f"{schema['description']}: {ways}" if "description" in schema else ways}
