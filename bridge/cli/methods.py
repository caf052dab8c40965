"""bpy-bridge methods: what can be called. Without a running bridge, the packaged catalogue answers."""

from __future__ import annotations

import argparse
import difflib
import os
import shutil
import textwrap
from typing import Any

from bridge import reference
from bridge.client.blocking import Client
from bridge.errors import NotRunning, Refused

from . import output

_TIMEOUT = 30.0


def run(options: argparse.Namespace) -> int:
    """List all methods, or describe one. Raises Refused for a name that there isn't."""
    methods = _methods(options.bridge)
    if options.name is not None:
        methods = [method for method in methods if method["name"] == options.name] or _none(options.name, methods)
    if options.markdown:
        print(output.visible(reference.commands(methods)))
    elif options.json:
        output.print_json(methods)
    elif options.name is not None:
        _describe(methods[0])
    else:
        _list(methods)
    return 0


def _methods(address: str | None) -> list[dict[str, Any]]:
    try:
        with Client(address) as client:
            found: list[dict[str, Any]] = client.call("bridge.methods", timeout=_TIMEOUT).value
            return found
    except NotRunning:
        # Whoever named a bridge wants to know what *it* can do.
        if address or os.environ.get("BPY_BRIDGE_ADDRESS"):
            raise
    from blender_addon.commands import CATALOGUE  # noqa: PLC0415  # only where no bridge answers
    from bridge.methods import CATALOGUE as BRIDGE  # noqa: PLC0415  # for start-up time

    return sorted([*BRIDGE.describe(), *CATALOGUE.describe()], key=lambda method: str(method["name"]))


def _none(name: str, methods: list[dict[str, Any]]) -> list[dict[str, Any]]:
    nearest = difflib.get_close_matches(name, [method["name"] for method in methods], n=3, cutoff=0.4)
    raise Refused(f"there is no method {name!r}", code="unknown_method", data={"nearest": nearest})


def _list(methods: list[dict[str, Any]]) -> None:
    width = max(len(method["name"]) for method in methods)
    for method in methods:
        print(f"{method['name']:<{width}}  {output.visible(reference.first_line(method['doc']))}")


def _describe(method: dict[str, Any]) -> None:
    parameters = reference.parameters(method["params"])
    print(f"{method['name']}\n\n{output.visible(method['doc'].strip())}\n")
    if not parameters:
        print("It takes no parameters.")
        return
    rows = [("parameter", "type", "default", "meaning"), *parameters]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    indent = " " * (sum(widths) + 6)
    room = max(40, shutil.get_terminal_size((120, 24)).columns - len(indent))
    for *cells, meaning in rows:
        start = "  ".join(f"{cell:<{width}}" for cell, width in zip(cells, widths, strict=True))
        lines = textwrap.wrap(meaning, room)
        print(output.visible(f"\n{indent}".join([f"{start}  {' '.join(lines[:1])}".rstrip(), *lines[1:]])))
