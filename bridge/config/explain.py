"""What pydantic found wrong → one line for a person: the setting, where it was set, what is wrong, an example."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .sources import Environment, Path_, Source, environment_name, source_of

_SECRETS = frozenset({"token"})
_WORDS = {
    "Input should be": "must be",
    "List should have": "must have",
    "Value should have": "must have",
    " after validation, not 0": "",
    "could not parse value and unit from byte string": "must be a number of bytes, with a unit or without",
}


def explain(error: ValidationError, model: type[BaseModel], sources: Sequence[Source]) -> str:
    """Every error, one line each; `sources` in order of precedence."""
    return "\n".join(dict.fromkeys(_line(details, model, sources) for details in error.errors()))


def _line(details: ErrorDetails, model: type[BaseModel], sources: Sequence[Source]) -> str:
    path = tuple(part for part in details["loc"] if isinstance(part, str) and part != "[key]")
    if not path:
        return _problem(details, ("",))
    source = source_of(path, sources)
    if details["type"] == "extra_forbidden":
        return _unknown(path, model, source)
    where = f"from the {source.kind} {source.where(path)}" if source else "which is not set"
    problem = _problem(details, path)
    # A message may show how it is written already.
    shown = ", for example " in problem or ": write " in problem
    named = path[:-1] if "[key]" in details["loc"] else path
    example = "" if shown else f"; {_example(named, model, source)}"
    return f"{'.'.join(path)}, {where}: {problem}{example}"


def _problem(details: ErrorDetails, path: Path_) -> str:
    value, message = details["input"], details["msg"]
    if value == "" and details["type"] != "missing":
        return "it is empty"
    if details["type"] == "missing":
        return "it is required"
    if details["type"] == "value_error":
        return message.removeprefix("Value error, ")
    if "model" in details["type"] or details["type"] == "dict_type":
        return "it is a table of settings, not one value"
    if "pattern" in details["type"]:
        return f"{value!r} is no name: up to 64 letters, digits, '.', '_' and '-'"
    for theirs, ours in _WORDS.items():
        message = message.replace(theirs, ours)
    said = message.split(", unable")[0]
    return said if is_secret(path) else f"{said}, not {_short(value)}"


def is_secret(path: Path_) -> bool:
    """Whether what is there must not be shown. What a worker's environment holds may be anything."""
    return path[-1] in _SECRETS or path[2:3] == ("env",)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _example(path: Path_, model: type[BaseModel], source: Source | None) -> str:
    field = field_at(path, model)
    if field is None or table_of(field.annotation) is not None:
        named = ("studio",) if len(path) == 1 and field is not None and get_origin(field.annotation) is dict else ()
        path = (*path, *named, next(iter(_names(path, model)), "…"))
        field = field_at(path, model)
    if field is None:
        return f"for example {environment_name(path)}=…"
    value = field.examples[0] if field.examples else field.get_default(call_default_factory=True)
    if isinstance(value, dict):
        [(name, value)] = value.items()
        path = path if field_at(path[:-1], model) is field else (*path, name)
    text = as_text(60 if value == float("inf") else value)
    return f"for example {source.written(path, text) if source else f'{environment_name(path)}={text}'}"


def as_text(value: Any) -> str:
    """A value as an environment variable takes it."""
    return str(value).lower() if isinstance(value, bool) else str(value).removesuffix(".0")


def _unknown(path: Path_, model: type[BaseModel], source: Source | None) -> str:
    known = _names(path[:-1], model)
    near = difflib.get_close_matches(path[-1], known, n=1)
    setting = ".".join(path)
    if isinstance(source, Environment):
        setting = source.where(path)
        written = [environment_name((*path[:-1], name)) for name in (near or known)]
        where = ""
    else:
        written = [".".join((*path[:-1], name)) for name in (near or known)]
        where = f", in the {source.kind} {source.where(path)}," if source else ""
    return f"{setting}{where} is no setting: " + (
        f"did you mean {written[0]}?" if near else f"there are {', '.join(written)}"
    )


def _names(path: Path_, model: type[BaseModel]) -> list[str]:
    found = model if not path else table_of(getattr(field_at(path, model), "annotation", None))
    return list(found.model_fields) if found is not None else []


def field_at(path: Path_, model: type[BaseModel]) -> FieldInfo | None:
    """The field at the path, stepping over the names in tables of tables; None where there is none."""
    field = model.model_fields.get(path[0]) if path else None
    named = False
    for part in path[1:]:
        if field is None:
            return None
        if get_origin(field.annotation) is dict and not named:
            named = True
            continue
        named = False
        table = table_of(field.annotation)
        field = table.model_fields.get(part) if table is not None else None
    return field


def table_of(annotation: Any) -> type[BaseModel] | None:
    """The model of a table, or of the tables in a table by name; None where it is a plain value."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return table_of(get_args(annotation)[1])
    if get_origin(annotation) in (Union, types.UnionType):
        return next((table for table in map(table_of, get_args(annotation)) if table), None)
    return None
