"""The catalogue for people: schemas in words, and every command as Markdown. All of it comes from the signatures."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import Any, NamedTuple

Method = dict[str, Any]
"""One entry of the catalogue: name, doc, params, result, hints."""

_HEAD = """# Commands

What Blender can be asked to do, and what the bridge itself answers (`bridge.*`). This is written from the commands'
signatures by `docs/generate.py`; a running bridge tells the same, with what other add-ons have added, by
`bpy-bridge methods` and `bpy-bridge methods NAME`.
"""


class Parameter(NamedTuple):
    """One parameter in words; `default` is "required" where it must be given, and empty where it may be left out."""

    name: str
    type: str
    default: str
    meaning: str


def parameters(schema: Method) -> list[Parameter]:
    """The parameters that a JSON Schema describes."""
    required = schema.get("required", ())
    return [
        Parameter(name, _type(field), "required" if name in required else _default(field), _meaning(field))
        for name, field in schema.get("properties", {}).items()
    ]


def first_line(doc: str) -> str:
    """What a command does, in one line."""
    return doc.strip().partition("\n")[0]


def families(methods: Iterable[Method], link: str = "") -> str:
    """A Markdown table with one row a family and the names of its commands; `link` is where `commands` stands."""
    rows = [
        f"| [{family}]({link}#{family}) | {' · '.join(map(_short, members))} |"
        for family, members in _families(methods)
    ]
    return "\n".join(["| family | commands |", "|---|---|", *rows, ""])


def commands(methods: Iterable[Method]) -> str:
    """Every command with its documentation and its parameters, as Markdown."""
    chosen = list(methods)
    sections = [
        "\n".join([f"## {family}\n", *(_command(method) for method in members)])
        for family, members in _families(chosen)
    ]
    return "\n".join([_HEAD, families(chosen), *sections])


def _families(methods: Iterable[Method]) -> Iterator[tuple[str, list[Method]]]:
    ordered = sorted(methods, key=lambda method: str(method["name"]))
    for family, members in groupby(ordered, key=lambda method: str(method["name"]).partition(".")[0]):
        yield family, list(members)


def _short(method: Method) -> str:
    return f"`{str(method['name']).partition('.')[2]}`"


def _command(method: Method) -> str:
    found = parameters(method["params"])
    lines = [f"### {method['name']}", "", method["doc"].strip(), ""]
    if said := _hints(method.get("hints", {})):
        lines += [said, ""]
    if found:
        lines += ["| parameter | type | default | meaning |", "|---|---|---|---|"]
        lines += [f"| {' | '.join(map(_cell, parameter))} |" for parameter in found]
        lines.append("")
    return "\n".join(lines)


def _hints(hints: dict[str, bool]) -> str:
    if hints.get("read_only"):
        return "*It changes nothing.*"
    said = [
        *(["It may lose what there is."] if hints.get("destructive") else []),
        *(["Done twice, it is as done once."] if hints.get("idempotent") else []),
    ]
    return f"*{' '.join(said)}*" if said else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _meaning(field: Method) -> str:
    said = " ".join(field.get("description", "").split())
    options = ", ".join(str(value) for value in field.get("enum", ()))
    return f"{said}: {options}".removeprefix(": ") if options else said


def _default(field: Method) -> str:
    return json.dumps(field["default"], ensure_ascii=False) if "default" in field else ""


def _type(field: Method) -> str:
    if "enum" in field:
        return str(field.get("type", "one of"))
    if "const" in field:
        return json.dumps(field["const"])
    for name in ("anyOf", "oneOf"):
        if name in field:
            return " | ".join(_type(option) for option in field[name])
    kind = field.get("type", "any")
    if isinstance(kind, list):
        return " | ".join(kind)
    items = field.get("items")
    return f"{kind} of {_type(items)}" if kind == "array" and isinstance(items, dict) else str(kind)
