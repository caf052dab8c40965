"""Checkers and schemas of the values that have no others inside: numbers, strings, booleans, binary parts."""

from __future__ import annotations

import math
import re
from typing import Any, Callable, Mapping, NamedTuple, Optional, Tuple

from .constraints import Array, Constraints, range_keywords, size_keywords
from .wire import Part

# Blender's numbers have 32 bits: beyond this they would become infinite.
_LARGEST_FLOAT = 3.4028234663852886e38

Check = Callable[[Any, Mapping[str, Part]], Any]


class Mismatch(Exception):
    """A value is not what its type says: `problems` are (path inside the value, what is wrong)."""

    def __init__(self, problem: Optional[str] = None) -> None:
        super().__init__(problem)
        self.problems: list[Tuple[str, str]] = [("", problem)] if problem is not None else []

    def add(self, path: str, problem: str) -> None:
        self.problems.append((path, problem))

    def include(self, path: str, inner: Mismatch) -> None:
        """Take over the problems of a value that lies at `path`."""
        self.problems += [(path + deeper, problem) for deeper, problem in inner.problems]


class Type(NamedTuple):
    """One compiled annotation; `noun` and `plural` name it in messages."""

    schema: dict[str, Any]
    check: Check
    noun: str
    plural: str


_KINDS = {
    bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object", type(None): "null",
}  # fmt: skip


def json_kind(value: object) -> str:
    """JSON Schema's word for the value's type."""
    return _KINDS.get(type(value), "")


def got(value: object) -> str:
    """A short name of a wrong value, for a message."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return f"a list of {len(value)}"
    if isinstance(value, dict):
        return "an object"
    if isinstance(value, int) and abs(value) > 10**18:
        return "a number that is too large"
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def check_null(value: Any, _parts: Mapping[str, Part]) -> None:
    if value is not None:
        raise Mismatch(f"expected null, got {got(value)}")


def _boolean(_constraints: Constraints) -> Type:
    def check(value: Any, _parts: Mapping[str, Part]) -> bool:
        if value is True or value is False:
            return bool(value)
        raise Mismatch(f"expected true or false, got {got(value)}")

    return Type({"type": "boolean"}, check, "true or false", "booleans")


def _within(constraints: Constraints) -> tuple[float, float, str]:
    """The lowest and the highest value that are allowed, and how to say so."""
    low = constraints.ge if constraints.ge is not None else -math.inf
    high = constraints.le if constraints.le is not None else math.inf
    if constraints.gt is not None:
        low = math.nextafter(constraints.gt, math.inf)
    if constraints.lt is not None:
        high = math.nextafter(constraints.lt, -math.inf)
    return low, high, _bounds_in_words(constraints)


def _bounds_in_words(constraints: Constraints) -> str:
    if constraints.ge is not None and constraints.le is not None:
        return f" from {_plainly(constraints.ge)} to {_plainly(constraints.le)}"
    words = {"ge": "of at least", "gt": "above", "le": "of at most", "lt": "below"}
    bounds = {word: getattr(constraints, name) for name, word in words.items()}
    said = [f"{word} {_plainly(bound)}" for word, bound in bounds.items() if bound is not None]
    return " " + " and ".join(said) if said else ""


def _plainly(bound: float) -> str:
    """Whole numbers with all their digits: the g format rounds them."""
    return str(int(bound)) if abs(bound) < 1e15 and bound == int(bound) else f"{bound:g}"


def _float(constraints: Constraints) -> Type:
    low, high, bounds = _within(constraints)
    # A NaN compares false and infinity is beyond these: one comparison finds them all.
    low, high = max(low, -_LARGEST_FLOAT), min(high, _LARGEST_FLOAT)

    def check(value: Any, _parts: Mapping[str, Part]) -> float:
        kind = type(value)
        if (kind is float or kind is int) and low <= value <= high:
            return float(value)
        raise Mismatch(f"expected a number{bounds}, got {got(value)}")

    return Type({"type": "number", **range_keywords(constraints)}, check, "a number", "numbers")


def _integer(constraints: Constraints) -> Type:
    low, high, bounds = _within(constraints)

    def check(value: Any, _parts: Mapping[str, Part]) -> int:
        if type(value) is float and value.is_integer():
            value = int(value)
        if type(value) is int and low <= value <= high:
            return value
        raise Mismatch(f"expected a whole number{bounds}, got {got(value)}")

    return Type({"type": "integer", **range_keywords(constraints)}, check, "a whole number", "whole numbers")


def _string(constraints: Constraints) -> Type:
    schema = {"type": "string", **size_keywords(constraints, "minLength", "maxLength")}
    low = constraints.min_length
    high = constraints.max_length if constraints.max_length is not None else math.inf
    matches, noun = None, "a string"
    if constraints.pattern is not None:
        schema["pattern"] = f"^{constraints.pattern.pattern}$"
        matches, noun = re.compile(constraints.pattern.pattern).fullmatch, constraints.pattern.meaning

    def check(value: Any, _parts: Mapping[str, Part]) -> str:
        if type(value) is not str or (matches is not None and not matches(value)):
            raise Mismatch(f"expected {noun}, got {got(value)}")
        if not low <= len(value) <= high:
            size = f"at least {low}" if len(value) < low else f"at most {high}"
            raise Mismatch(f"expected {size} characters, got {len(value)}")
        if not _is_text(value):
            raise Mismatch("expected text without NUL characters and lone surrogates")
        return value

    return Type(schema, check, noun, "strings")


def _is_text(value: str) -> bool:
    """Blender's C strings end at a NUL, and its 3.4 crashes on a lone surrogate."""
    if "\0" in value:
        return False
    if value.isascii():
        return True
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _part(constraints: Constraints) -> Type:
    array, media = constraints.array, constraints.media
    schema: dict[str, Any] = {
        "type": "object",
        "properties": {"$part": {"type": "string"}},
        "required": ["$part"],
        "additionalProperties": False,
    }
    if array is not None:
        shape = [None, array.columns] if array.columns > 1 else [None]
        schema["x-part"] = {"dtype": array.dtype, "shape": shape}
    if media is not None:
        schema["x-part"] = {"media_type": media.media_type}

    def check(value: Any, parts: Mapping[str, Part]) -> Part:
        # A command's own result, which a test checks, holds the part itself.
        part = value if isinstance(value, Part) else _resolve(value, parts)
        if array is not None:
            _check_layout(part, array)
        if media is not None and part.media_type not in (None, media.media_type):
            raise Mismatch(f"expected a part of {media.media_type}, got {part.media_type}")
        return part

    return Type(schema, check, "a binary part", "binary parts")


def _resolve(value: Any, parts: Mapping[str, Part]) -> Part:
    name = value.get("$part") if type(value) is dict and len(value) == 1 else None
    if type(name) is not str:
        raise Mismatch(f'expected a binary part, {{"$part": name}}, got {got(value)}')
    if name not in parts:
        known = ", ".join(parts) or "none at all"
        raise Mismatch(f"the request has no part named {name!r:.60}, it has {known}")
    return parts[name]


def _check_layout(part: Part, array: Array) -> None:
    if part.dtype is not None and part.dtype != array.dtype:
        raise Mismatch(f"expected items of {array.dtype}, got {part.dtype!r:.20}")
    rows, rest = divmod(len(part), array.row_bytes)
    if rest:
        row = f"{array.columns} " if array.columns > 1 else ""
        raise Mismatch(f"expected rows of {row}{array.dtype} ({array.row_bytes} bytes), got {len(part)} bytes")
    flat = (rows * array.columns,)
    if part.shape is not None and part.shape not in ((rows, array.columns), flat if array.columns == 1 else None):
        wanted = (rows, array.columns) if array.columns > 1 else flat
        raise Mismatch(f"expected the shape {list(wanted)} for {len(part)} bytes, got {list(part.shape)!r:.60}")


MAKERS: Mapping[type, Callable[[Constraints], Type]] = {
    bool: _boolean,
    int: _integer,
    float: _float,
    str: _string,
    Part: _part,
}
