"""The catalogue as tools: `object.create` is `object_create`; its schema, words and hints are the registry's own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from blender_addon.schema import nearest

from .binary import layout_of, parts_in, spoken
from .profiles import selects

# The door's own: not in the catalogue, in every selection.
SEARCH, CALL = "tool_search", "tool_call"
DEFAULT_SIZE, SMALLEST, LARGEST = 1024, 64, 4096

_LONGEST_NAME = 64
_MOST_SELECTIONS = 64
_MOST_WORDS = 12
_LONGEST_QUERY = 200
_METHOD = re.compile(r"\b[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*\b")
_MAX_SIZE = {
    "type": "integer",
    "minimum": SMALLEST,
    "maximum": LARGEST,
    "default": DEFAULT_SIZE,
    "description": "the picture that you get has at most so many pixels at its longer side",
}
_SAVE_TO = {
    "type": "string",
    "description": "an existing absolute directory on the bridge's machine: binary arrays are saved there, as .npy",
}


class Tool(NamedTuple):
    """One command as clients see it. `params` is the command's own schema, `schema` that of the tool's arguments.

    `images` and `arrays` tell what its result may hold; `sizes` and `saves` that `max_size` and `save_to` are the
    door's, and no parameters of the command.
    """

    name: str
    method: str
    description: str
    params: Mapping[str, Any]
    schema: dict[str, Any]
    hints: Mapping[str, bool]
    images: bool
    arrays: bool
    sizes: bool
    saves: bool


class Tools:
    """A whole catalogue. It is not changed: where the catalogue is another, so are the tools.

    `described` is where whoever lists them keeps what it has made of a selection.
    """

    def __init__(self, catalogue: list[dict[str, Any]]) -> None:
        methods = {str(entry["name"]) for entry in catalogue}
        self.catalogue = catalogue
        self._by_name = {tool.name: tool for tool in (_tool(entry, methods) for entry in catalogue)}
        self.described: dict[str, Any] = {}
        self._listed: dict[str, list[Tool]] = {}

    def listed(self, selection: str) -> list[Tool]:
        """Those that a selection shows, in the catalogue's order."""
        if len(self._listed) > _MOST_SELECTIONS:
            self._listed.clear()
            self.described.clear()
        if selection not in self._listed:
            self._listed[selection] = [tool for tool in self._by_name.values() if selects(selection, tool.method)]
        return self._listed[selection]

    def find(self, name: str) -> Tool | None:
        """A tool by its name or its command's, listed or not."""
        return self._by_name.get(name.replace(".", "_"))

    def nearest(self, name: str) -> list[str]:
        """Known names like this one."""
        return nearest(name[:_LONGEST_NAME].replace(".", "_"), self._by_name)

    def search(self, query: str, limit: int) -> list[Tool]:
        """The tools that have most of the query's words, in the name before the description."""
        words = query[:_LONGEST_QUERY].casefold().replace(".", "_").split()[:_MOST_WORDS]
        scored = [(_score(tool, words), tool.name, tool) for tool in self._by_name.values()]
        return [tool for score, _, tool in sorted(scored, key=lambda entry: (-entry[0], entry[1])) if score > 0][:limit]

    @cached_property
    def families(self) -> list[str]:
        """Every family there is."""
        return sorted({tool.method.partition(".")[0] for tool in self._by_name.values()})


def _score(tool: Tool, words: Iterable[str]) -> int:
    text = tool.description.casefold()
    return sum(3 * (word in tool.name) + (word in text) for word in words)


def _tool(entry: Mapping[str, Any], methods: set[str]) -> Tool:
    method, params = str(entry["name"]), entry["params"]
    own = params.get("properties", {})
    results = list(parts_in(entry.get("result", {})))
    images = any(str(layout_of(part).get("media_type", "")).startswith("image/") for part in results)
    arrays = bool(results) and not images
    sizes, saves = images and "max_size" not in own, arrays and "save_to" not in own
    schema = spoken(params)
    extra = {**({"max_size": _MAX_SIZE} if sizes else {}), **({"save_to": _SAVE_TO} if saves else {})}
    return Tool(
        name=method.replace(".", "_"),
        method=method,
        description=_METHOD.sub(lambda found: _named(found[0], methods), str(entry["doc"])),
        params=params,
        schema={**schema, "properties": {**schema.get("properties", {}), **extra}},
        hints=entry["hints"],
        images=images,
        arrays=arrays,
        sizes=sizes,
        saves=saves,
    )


def _named(word: str, methods: set[str]) -> str:
    """Other commands are tools here, too."""
    return word.replace(".", "_") if word in methods else word
