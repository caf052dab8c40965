"""A tool as `tools/list` shows it: everything that a model needs to call it, in few bytes.

Bounds that no sensible argument meets are left out, as is what says nothing; tool_search tells whole schemas.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mcp_types as types

from .tools import CALL, SEARCH, Tool, Tools

_FAR = 1_000_000
_NO_SCHEMAS = ("default", "enum", "const", "examples")


def described(tools: Tools, selection: str) -> list[types.Tool]:
    """The tools that a selection lists, and those of the door."""
    if selection not in tools.described:
        tools.described[selection] = [*map(_described, tools.listed(selection)), *_OWN]
    found: list[types.Tool] = tools.described[selection]
    return found


def _described(tool: Tool) -> types.Tool:
    hints = tool.hints
    # Whether it destroys, or may be repeated, is nothing to ask of what changes nothing.
    destructive = None if hints["read_only"] else hints["destructive"]
    idempotent = None if hints["read_only"] or not hints["idempotent"] else True
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=_shown(tool.schema),
        annotations=types.ToolAnnotations(
            read_only_hint=hints["read_only"], destructive_hint=destructive, idempotent_hint=idempotent
        ),
    )


def _shown(schema: Mapping[str, Any]) -> dict[str, Any]:
    shown = {}
    for key, value in schema.items():
        if key == "properties":
            shown[key] = {name: _shown(inner) for name, inner in value.items()}
        elif key in _NO_SCHEMAS:
            shown[key] = value
        elif not _is_noise(key, value):
            shown[key] = _value(value)
    return shown


def _value(value: Any) -> Any:
    if isinstance(value, dict):
        return _shown(value)
    return [_value(item) for item in value] if isinstance(value, list) else value


def _is_noise(key: str, value: Any) -> bool:
    """Lengths of names, bounds in the millions, and an empty list of what is required."""
    if key in ("minimum", "maximum"):
        return bool(abs(value) >= _FAR)
    return key in ("minLength", "maxLength") or (key == "required" and not value)


_OWN = [
    types.Tool(
        name=SEARCH,
        description="Find tools that are not listed, by words such as 'uv unwrap'. Answers names and arguments.",
        input_schema={
            "type": "object",
            "properties": {
                "query": {"type": "string"},
                "limit": {"type": "integer", "minimum": 1, "maximum": 20, "default": 5},
            },
            "required": ["query"],
        },
        annotations=types.ToolAnnotations(read_only_hint=True),
    ),
    types.Tool(
        name=CALL,
        description="Call a tool that tool_search has found.",
        input_schema={
            "type": "object",
            "properties": {"name": {"type": "string"}, "arguments": {"type": "object"}},
            "required": ["name"],
        },
        annotations=types.ToolAnnotations(read_only_hint=False),
    ),
]
