"""The methods that the bridge answers itself, in the same shape as the commands' catalogue."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from .errors import Refused


def _method(name: str, doc: str, result: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": name,
        "doc": doc,
        "params": {"type": "object", "properties": {}, "additionalProperties": False},
        "result": result,
        "hints": {"read_only": True, "destructive": False, "idempotent": True},
    }


BRIDGE_METHODS: list[dict[str, Any]] = [
    _method(
        "bridge.instances",
        "List the Blenders that this bridge knows: name, address, state, connections.",
        {"type": "array", "items": {"type": "object"}},
    ),
    _method(
        "bridge.methods",
        "List every method: the bridge's own and the commands of Blender's add-on, with their schemas.",
        {"type": "array", "items": {"type": "object"}},
    ),
    _method(
        "bridge.status",
        "Describe the bridge now: process, version, uptime in seconds, instances.",
        {"type": "object", "required": ["pid", "version", "uptime", "instances"]},
    ),
]


def unknown_method(name: str, known: Iterable[str]) -> Refused:
    """The refusal of a method that does not exist, with the nearest that do."""
    nearest = difflib.get_close_matches(name, list(known), n=5, cutoff=0.4)
    hint = f"; did you mean {' or '.join(nearest[:2])}?" if nearest else "; `bpy-bridge methods` lists them all"
    return Refused(f"there is no method {name!r}{hint}", code="unknown_method", data={"nearest": nearest})


def refuse_params(name: str, params: object) -> None:
    """The bridge's own methods take no parameters. Raises Refused."""
    if params is None:
        return
    if not isinstance(params, dict):
        raise Refused(f"{name}: the parameters must be a JSON object", code="bad_payload")
    if params:
        problems = [{"param": str(key), "problem": "unknown parameter"} for key in params]
        raise Refused(f"{name} takes no parameters", data={"problems": problems, "nearest": []})
