"""A Python annotation → its JSON Schema and a checker, both made once.

A checker takes a parsed JSON value and the request's binary parts, and returns the Python value or raises Mismatch
with every problem that it found. It is the only validation there is: what a command receives needs no second look.

    bool  int  float  str  Any  Literal[...]  Optional[T]  Union[T, U]  list[T]  tuple[T, T, T]  dict[str, T]
    list  dict  TypedDict  Part  and Annotated[T, "description", Range(...), Size(...), Pattern(...), Array(...)]

JSON's numbers: true is not a number; a whole number is a float too, and 3.0 is a whole number; NaN, Infinity and
numbers that no 32-bit float can hold are refused.
"""

from __future__ import annotations

import types
from difflib import get_close_matches
from typing import (
    Annotated,
    Any,
    Callable,
    Collection,
    Iterable,
    Literal,
    Mapping,
    Union,
    get_args,
    get_origin,
    get_type_hints,
    is_typeddict,
)

from . import scalars
from .constraints import Constraints, read_constraints, size_keywords
from .scalars import Check, Mismatch, Type, got
from .wire import Part

_NULL = Type({"type": "null"}, scalars.check_null, "null", "nulls")
_ANYTHING = Type({}, lambda value, _parts: value, "anything", "values")
_NOTHING_SAID = Constraints()
_UNIONS = (Union, types.UnionType)
_BARE = {dict: dict[str, Any], list: list[Any]}


def compile_type(annotation: Any) -> Type:
    """Make the schema and the checker of an annotation. Raises TypeError for one that JSON has no word for."""
    constraints = _NOTHING_SAID
    if get_origin(annotation) is Annotated:
        markers, annotation = annotation.__metadata__, annotation.__origin__
        constraints = read_constraints(markers)
        if get_origin(annotation) in _UNIONS:
            # What is said of a union is said of each of its options.
            markers = tuple(marker for marker in markers if not isinstance(marker, str))
            annotation = Union[tuple(_marked(option, markers) for option in get_args(annotation))]
    compiled = _compile(annotation, constraints)
    if constraints.description:
        compiled = compiled._replace(schema={**compiled.schema, "description": constraints.description})
    return compiled


def _compile(annotation: Any, constraints: Constraints) -> Type:
    scalar = scalars.MAKERS.get(annotation) if isinstance(annotation, type) else None
    if scalar is not None:
        return scalar(constraints)
    if annotation is Any or annotation is object:
        return _ANYTHING
    if annotation is type(None) or annotation is None:
        return _NULL
    if isinstance(annotation, type) and is_typeddict(annotation):
        return _record(annotation)
    annotation = _BARE.get(annotation, annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin in _UNIONS:
        return _union([compile_type(option) for option in arguments])
    container = _CONTAINERS.get(origin)
    if container is None:
        raise TypeError(f"a command's parameters and result have no use for the type {annotation!r}")
    return container(arguments, constraints)


def _marked(annotation: Any, markers: tuple[Any, ...]) -> Any:
    if not markers or annotation is type(None):
        return annotation
    content: Any = (annotation, *markers)
    return Annotated[content]


def nearest(wrong: str, known: Iterable[str]) -> list[str]:
    """Up to five known names like the wrong one, best first."""
    by_folded = {name.casefold(): name for name in known}
    return [by_folded[close] for close in get_close_matches(wrong.casefold(), by_folded, 5, 0.5)]


def did_you_mean(wrong: str, known: Iterable[str]) -> str:
    """The end of a sentence about a wrong name; empty where nothing is like it."""
    close = nearest(wrong, known)
    return f"; did you mean {close[0]!r}?" if close else ""


def _literal(options: tuple[Any, ...], _constraints: Constraints) -> Type:
    words = [option for option in options if isinstance(option, str)]
    if len(words) != len(options):
        raise TypeError("a Literal's options must be strings")
    allowed = frozenset(words)
    expected = "one of " + ", ".join(words)

    def check(value: Any, _parts: Mapping[str, Part]) -> Any:
        if type(value) is str and value in allowed:
            return value
        hint = did_you_mean(value, words) if isinstance(value, str) else ""
        raise Mismatch(f"expected {expected}, got {got(value)}{hint}")

    return Type({"type": "string", "enum": words}, check, expected, f"names ({', '.join(words)})")


def _list(arguments: tuple[Any, ...], constraints: Constraints) -> Type:
    item = compile_type(arguments[0])
    low, high = constraints.min_length, constraints.max_length
    schema = {"type": "array", "items": item.schema, **size_keywords(constraints, "minItems", "maxItems")}
    plural, check_item = item.plural, item.check
    limits = _limits(low, high)

    def check(value: Any, parts: Mapping[str, Part]) -> list[Any]:
        if type(value) is not list:
            raise Mismatch(f"expected a list of {plural}, got {got(value)}")
        if len(value) < low or (high is not None and len(value) > high):
            raise Mismatch(f"expected {limits} {plural}, got {len(value)}")
        return _check_items(value, parts, (check_item,) * len(value))

    return Type(schema, check, f"a list of {plural}", f"lists of {plural}")


def _limits(low: int, high: int | None) -> str:
    if high is None:
        return f"at least {low}"
    return f"at most {high}" if not low else f"{low} to {high}"


def _tuple(arguments: tuple[Any, ...], constraints: Constraints) -> Type:
    if len(arguments) == 2 and arguments[1] is ...:
        return _list(arguments[:1], constraints)
    items = [compile_type(argument) for argument in arguments]
    count = len(items)
    checks = tuple(item.check for item in items)
    schema: dict[str, Any] = {"type": "array", "minItems": count, "maxItems": count}
    alike = all(item.schema == items[0].schema for item in items)
    schema.update({"items": items[0].schema} if alike else {"prefixItems": [item.schema for item in items]})
    plural = f"{count} {items[0].plural if alike else 'values'}"

    def check(value: Any, parts: Mapping[str, Part]) -> tuple[Any, ...]:
        if type(value) is not list:
            raise Mismatch(f"expected a list of {plural}, got {got(value)}")
        if len(value) != count:
            raise Mismatch(f"expected {plural}, got {len(value)}")
        return tuple(_check_items(value, parts, checks))

    return Type(schema, check, f"a list of {plural}", f"lists of {plural}")


def _check_items(values: list[Any], parts: Mapping[str, Part], checks: tuple[Check, ...]) -> list[Any]:
    try:
        return [check(value, parts) for check, value in zip(checks, values)]  # noqa: B905  # as many as there are values
    except Mismatch:
        entries = ((f"[{index}]", checks[index], value) for index, value in enumerate(values))
        raise _all_problems(entries, parts) from None


def _all_problems(entries: Iterable[tuple[str, Check, Any]], parts: Mapping[str, Part]) -> Mismatch:
    found = Mismatch()
    for path, check, value in entries:
        try:
            check(value, parts)
        except Mismatch as mismatch:  # noqa: PERF203  # every problem is told
            found.include(path, mismatch)
    return found


def _dict(arguments: tuple[Any, ...], _constraints: Constraints) -> Type:
    if arguments[0] is not str:
        raise TypeError("a JSON object's keys are strings")
    item = compile_type(arguments[1])
    schema: dict[str, Any] = {"type": "object"}
    if item.schema:
        schema["additionalProperties"] = item.schema

    def check(value: Any, parts: Mapping[str, Part]) -> dict[str, Any]:
        if type(value) is not dict:
            raise Mismatch(f"expected an object, got {got(value)}")
        try:
            return {key: item.check(entry, parts) for key, entry in value.items()}
        except Mismatch:
            raise _all_problems(((f".{key}", item.check, entry) for key, entry in value.items()), parts) from None

    return Type(schema, check, "an object", "objects")


def _record(annotation: Any) -> Type:
    hints = get_type_hints(annotation, include_extras=True)
    required = annotation.__required_keys__
    fields = {name: compile_type(hint) for name, hint in hints.items()}
    checks = {name: field.check for name, field in fields.items()}
    schema = {
        "type": "object",
        "properties": {name: field.schema for name, field in fields.items()},
        "required": [name for name in fields if name in required],
        "additionalProperties": False,
    }

    def check(value: Any, parts: Mapping[str, Part]) -> dict[str, Any]:
        if type(value) is not dict:
            raise Mismatch(f"expected an object, got {got(value)}")
        try:
            checked = {key: checks[key](entry, parts) for key, entry in value.items()}
        except (KeyError, Mismatch):
            raise problems_of(value, checks, required, parts, ".") from None
        if not required <= checked.keys():
            raise problems_of(value, checks, required, parts, ".")
        return checked

    return Type(schema, check, "an object", "objects")


def problems_of(
    value: Mapping[str, Any],
    checks: Mapping[str, Check],
    required: Collection[str],
    parts: Mapping[str, Part],
    prefix: str = "",
) -> Mismatch:
    """Every problem of an object with known fields; `prefix` comes before each field's name."""
    found = Mismatch()
    for key in value:
        if key not in checks:
            hint = did_you_mean(key, checks.keys() - value.keys())
            found.add(prefix + key, f"there is no such {'field' if prefix else 'parameter'}{hint}")
    known = ((prefix + key, checks[key], entry) for key, entry in value.items() if key in checks)
    found.include("", _all_problems(known, parts))
    for key in checks:
        if key in required and key not in value:
            found.add(prefix + key, "is required")
    return found


def _union(options: list[Type]) -> Type:
    schema: dict[str, Any] = {"anyOf": [option.schema for option in options]}
    said = {option.schema["description"] for option in options if "description" in option.schema}
    if len(said) == 1:
        schema["description"] = said.pop()
    present = [option for option in options if option is not _NULL]
    if len(present) == 1:
        return _optional(schema, present[0])
    return _one_of(schema, options)


def _optional(schema: dict[str, Any], option: Type) -> Type:
    check_present = option.check

    def check(value: Any, parts: Mapping[str, Part]) -> Any:
        return None if value is None else check_present(value, parts)

    return Type(schema, check, option.noun, option.plural)


def _one_of(schema: dict[str, Any], options: list[Type]) -> Type:
    expected = " or ".join(option.noun for option in options)
    by_kind: dict[str, list[Type]] = {}
    for option in options:
        kind = option.schema.get("type", "")
        by_kind.setdefault("number" if kind == "integer" else kind, []).append(option)
    checks = tuple(option.check for option in options)

    def check(value: Any, parts: Mapping[str, Part]) -> Any:
        for attempt in checks:
            try:
                return attempt(value, parts)
            except Mismatch:  # noqa: PERF203  # the next option may take it
                continue
        # The only option that takes a value of this kind says best what is wrong with it.
        meant = by_kind.get(scalars.json_kind(value), [])
        if len(meant) == 1:
            return meant[0].check(value, parts)
        raise Mismatch(f"expected {expected}, got {got(value)}")

    return Type(schema, check, expected, expected)


_CONTAINERS: dict[Any, Callable[[tuple[Any, ...], Constraints], Type]] = {
    Literal: _literal,
    list: _list,
    tuple: _tuple,
    dict: _dict,
}
