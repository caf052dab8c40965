"""A command's result → the JSON bytes and the binary parts of its response.

Most results are small and plain, and go through the C encoder in one call. Only what that refuses (parts, NaN,
Blender's own values, lone surrogates) is walked.
"""

from __future__ import annotations

import json
import math
from itertools import islice
from typing import Any, Dict, Optional

from .wire import Part

_encode = json.JSONEncoder(separators=(",", ":"), allow_nan=False, ensure_ascii=False).encode

# Deeper than anything sensible, and far from where Python's own recursion ends.
_DEEPEST = 100
_MOST_ITEMS = 1_000
_LONGEST_REPR = 500


def encode_result(result: object) -> tuple[bytes, dict[str, Part]]:
    """Compact JSON, and the parts that it refers to as {"$part": name}.

    A part is named for the key that it stands under; NaN and infinity become null; what JSON has no word for becomes
    a list (vectors, matrices, arrays, sets) or its repr.
    """
    try:
        return _encode(result).encode(), {}
    except (TypeError, ValueError, RecursionError, ReferenceError):
        parts: Dict[str, Part] = {}
        return _encode(_Plain(parts).value(result, "part")).encode(), parts


def plain(value: object) -> object:
    """The value in JSON's types alone, as `encode_result` writes it; parts become their repr."""
    try:
        _encode(value).encode()
        return value
    except (TypeError, ValueError, RecursionError, ReferenceError):
        return _Plain(None).value(value, "")


class _Plain:
    """One walk over a result; the parts that it finds are put into `parts`."""

    def __init__(self, parts: Optional[Dict[str, Part]]) -> None:
        self._parts = parts
        self._open: set[int] = set()

    def value(self, value: Any, key: str) -> Any:
        if _is_removed(value):
            return safe_repr(value)
        if value is None or isinstance(value, (bool, int, float, str)):
            return _scalar(value)
        if isinstance(value, Part) and self._parts is not None:
            return {"$part": self._name(value, key)}
        items = value if isinstance(value, (dict, list, tuple)) else _as_container(value)
        if items is None or id(value) in self._open or len(self._open) >= _DEEPEST:
            return safe_repr(value)
        self._open.add(id(value))
        try:
            if isinstance(items, dict):
                return {self._key(name): self.value(entry, str(name)) for name, entry in items.items()}
            return [self.value(entry, key) for entry in items]
        finally:
            self._open.remove(id(value))

    def _key(self, name: Any) -> str:
        text = name if isinstance(name, str) else safe_repr(name)
        return str(self.value(text, ""))

    def _name(self, part: Part, key: str) -> str:
        assert self._parts is not None
        for name, known in self._parts.items():
            if known is part:
                return name
        # The first part of every payload is called json already.
        name, number = (key, 1) if key != "json" else ("json_1", 1)
        while name in self._parts:
            number += 1
            name = f"{key}_{number}"
        self._parts[name] = part
        return name


def _scalar(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return value


def _is_removed(value: Any) -> bool:
    """Whether not even isinstance may look at it, as at a removed object in Blender 3.4."""
    try:
        value.__class__  # noqa: B018
    except ReferenceError:
        return True
    return False


def _as_container(value: Any) -> Any:
    """A list or dict of what the value holds; None where it is no container.

    Blender's types live in `builtins` by their module's name, so they are known by what they can do.
    """
    kind = type(value).__name__
    if isinstance(value, (set, frozenset)):
        return sorted(value, key=safe_repr)
    if kind in {"Vector", "Euler", "Quaternion", "Color", "Matrix", "bpy_prop_array"}:
        return list(value)
    if kind in {"bpy_prop_collection", "bpy_prop_collection_idprop"}:
        return [safe_repr(item) for item in islice(value, _MOST_ITEMS)]
    for name in ("to_dict", "to_list", "tolist"):
        items = _asked(value, name)
        if isinstance(items, (dict, list, tuple)):
            return items
    return None


def _asked(value: Any, name: str) -> Any:
    try:
        return getattr(value, name)() if hasattr(value, name) else None
    except Exception:  # noqa: BLE001  # a stranger's method (a removed object's attributes): its repr remains
        return None


def safe_repr(value: object) -> str:
    """repr(), shortened, of objects whose repr may itself be broken."""
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001  # a stranger's __repr__: removed Blender objects raise ReferenceError here
        text = f"<{type(value).__name__}>"
    return text if len(text) <= _LONGEST_REPR else text[: _LONGEST_REPR - 1] + "…"
