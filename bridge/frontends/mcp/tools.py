"""The catalogue as tools: `object.create` is `object_create`; its schema, words and hints are the registry's own.

A client is shown a selection, so that the list fits its context; `tool_search` and `tool_call` reach the rest. Binary
parts, which MCP has no word for, are numbers, base64 or a file on the way in, and pictures, summaries or a file on the
way out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from blender_addon.schema import nearest

# The door's own: not in the catalogue, in every selection.
SEARCH, CALL = "tool_search", "tool_call"
FAMILIES_OF_THE_BRIDGE = ("bridge", "jobs")

_CORE = (
    "scene.summary", "scene.objects", "object.get", "object.create", "object.update", "object.delete",
    "object.duplicate", "material.set", "modifier.add", "light.create", "camera.look_at", "camera.frame_objects",
    "world.set", "viewport.preview", "viewport.screenshot", "render.still", "history.undo", "history.checkpoint",
    "code.execute", "file.open", "file.save", "api.search", "bridge.status",
)  # fmt: skip
_NO_PART: dict[str, str] = {}


class Tool(NamedTuple):
    """One command as clients see it: `schema` of its arguments; `images` and `arrays` tell what its result holds.

    `parts` are the parameters that are binary, with their layouts; `own` those that the command has itself.
    """

    name: str
    method: str
    title: str
    description: str
    schema: dict[str, Any]
    hints: Mapping[str, bool]
    images: bool
    arrays: bool
    parts: Mapping[str, Mapping[str, Any]]
    own: frozenset[str]


class Tools:
    """A catalogue, and which of it is listed. `selection`: `core`, `full`, or families with commas."""

    def __init__(self, catalogue: list[dict[str, Any]], selection: str) -> None:
        self.catalogue = catalogue
        self._by_name = {tool.name: tool for tool in map(_tool, catalogue)}
        self._listed = [tool for tool in self._by_name.values() if _chosen(tool.method, selection)]

    def listed(self) -> list[Tool]:
        """The selection, sorted by name."""
        return self._listed

    def find(self, name: str) -> Tool | None:
        """A tool by its name or its command's, listed or not."""
        return self._by_name.get(name.replace(".", "_"))

    def nearest(self, name: str) -> list[str]:
        """Known names like this one."""
        return nearest(name.replace(".", "_"), self._by_name)

    def search(self, query: str, limit: int) -> list[Tool]:
        """The tools that have most of the query's words, in the name before the description."""
        words = query.casefold().replace(".", "_").split()
        scored = [(_score(tool, words), tool.name, tool) for tool in self._by_name.values()]
        return [tool for score, _, tool in sorted(scored, key=lambda entry: (-entry[0], entry[1])) if score > 0][:limit]

    @cached_property
    def families(self) -> list[str]:
        """Every family there is."""
        return sorted({tool.method.partition(".")[0] for tool in self._by_name.values()})


def _chosen(method: str, selection: str) -> bool:
    if selection == "core":
        return method in _CORE
    return selection == "full" or method.partition(".")[0] in selection.split(",")


def _score(tool: Tool, words: Iterable[str]) -> int:
    text = tool.description.casefold()
    return sum(3 * (word in tool.name) + (word in text) for word in words)


def _tool(entry: dict[str, Any]) -> Tool:
    properties = entry["params"].get("properties", {})
    parts = {name: schema.get("x-part", _NO_PART) for name, schema in properties.items() if _is_part(schema)}
    found = list(_parts_in(entry.get("result", {})))
    images = any(_media(part).startswith("image/") for part in found)
    arrays = any(not _media(part).startswith("image/") for part in found)
    schema = dict(entry["params"])
    schema["properties"] = {
        **{name: _spoken(given) if name in parts else given for name, given in properties.items()},
        **({"max_size": _MAX_SIZE} if images and "max_size" not in properties else {}),
        **({"save_to": _SAVE_TO} if arrays and "save_to" not in properties else {}),
    }
    method = str(entry["name"])
    return Tool(
        name=method.replace(".", "_"),
        method=method,
        title=method.replace(".", " ").replace("_", " ").capitalize(),
        description=str(entry["doc"]),
        schema=schema,
        hints=entry["hints"],
        images=images,
        arrays=arrays,
        parts=parts,
        own=frozenset(properties),
    )


_MAX_SIZE = {
    "type": "integer",
    "minimum": 64,
    "maximum": 4096,
    "default": 1024,
    "description": "the picture you get is scaled down to so many pixels at its longer side",
}
_SAVE_TO = {
    "type": "string",
    "description": "an absolute directory on the bridge's machine: the binary arrays are written there as .npy files",
}
_LITERAL_NUMBERS = 10_000


def _spoken(schema: dict[str, Any]) -> dict[str, Any]:
    """A binary part in words that a model can say."""
    choices = [
        {"type": "array", "items": {"type": "number"}, "maxItems": _LITERAL_NUMBERS},
        {"type": "object", "properties": {"base64": {"type": "string"}}, "required": ["base64"]},
        {"type": "object", "properties": {"file": {"type": "string"}}, "required": ["file"]},
    ]
    described = schema.get("description", "")
    return {"anyOf": choices, "description": f"{described}: numbers one after another, base64, or a file (raw or .npy)"}


def _is_part(schema: Mapping[str, Any]) -> bool:
    return "$part" in schema.get("properties", {})


def _media(part: Mapping[str, Any]) -> str:
    return str(part.get("x-part", _NO_PART).get("media_type", ""))


def _parts_in(schema: Any) -> Iterable[Mapping[str, Any]]:
    if isinstance(schema, dict):
        if _is_part(schema):
            yield schema
            return
        for value in schema.values():
            yield from _parts_in(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from _parts_in(value)
