"""RNA functions as one line each: "ray_cast(origin: float[3], direction: float[3], distance: float = 1e+09) -> …"."""

from __future__ import annotations

from typing import Any, List

from .described import rounded

_WORDS = {"BOOLEAN": "bool", "INT": "int", "FLOAT": "float", "STRING": "str"}
_MOST_ENUM_VALUES = 12


def signature(function: Any) -> str:
    """The function's name, parameters and results, and the first sentence of what it does."""
    given = [_parameter(one) for one in function.parameters if not one.is_output]
    answers = [one for one in function.parameters if one.is_output]
    result = f" -> {', '.join(f'{one.identifier}: {_kind(one)}' for one in answers)}" if answers else ""
    doc = function.description.partition(". ")[0][:200]
    return f"{function.identifier}({', '.join(given)}){result}{f': {doc}' if doc else ''}"


def _parameter(prop: Any) -> str:
    if prop.is_required:
        return f"{prop.identifier}: {_kind(prop)}"
    return f"{prop.identifier}: {_kind(prop)} = {_default(prop)}"


def _kind(prop: Any) -> str:
    if prop.type in ("POINTER", "COLLECTION"):
        name = prop.fixed_type.identifier
        return f"[{name}]" if prop.type == "COLLECTION" else str(name)
    if prop.type == "ENUM":
        return _enum(prop.enum_items.keys())
    array = f"[{prop.array_length}]" if getattr(prop, "is_array", False) else ""
    return _WORDS[prop.type] + array


def _enum(values: List[str]) -> str:
    shown = "|".join(values[:_MOST_ENUM_VALUES])
    return f"{shown}|…" if len(values) > _MOST_ENUM_VALUES else shown or "str"


def _default(prop: Any) -> str:
    if prop.type in ("POINTER", "COLLECTION"):
        return "None"
    if prop.type == "ENUM":
        return repr(set(prop.default_flag) if prop.is_enum_flag else prop.default)
    if getattr(prop, "is_array", False):
        return repr(tuple(rounded(prop.default_array) if prop.type == "FLOAT" else prop.default_array))
    return repr(rounded([prop.default])[0] if prop.type == "FLOAT" else prop.default)
