"""What pydantic found wrong → one line for a person: the setting, where it was set, what is wrong, an example."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from .sources import Environment, Path_, Source, environment_name

_SECRETS = frozenset({"token"})


def explain(error: ValidationError, model: type[BaseModel], sources: Sequence[Source]) -> str:
    """Every error, one line each; `sources` in order of precedence."""
    return "\n".join(dict.fromkeys(_line(details, model, sources) for details in error.errors()))


def _line(details: ErrorDetails, model: type[BaseModel], sources: Sequence[Source]) -> str:
    path = tuple(part for part in details["loc"] if isinstance(part, str) and part != "[key]")
    if not path:
        return _problem(details, ("",))
    source = _source(path, sources)
    if details["type"] == "extra_forbidden":
        return _unknown(path, model, source)
    where = f"from {source.origin(path)}" if source else "which is not set"
    problem = _problem(details, path)
    # A message may show how it is written already.
    shown = ", for example " in problem or ": write " in problem
    named = path[:1] if "pattern" in details["type"] else path
    example = "" if shown else f"; {_example(named, model, source)}"
    return f"{'.'.join(path)}, {where}: {problem}{example}"


def _source(path: Path_, sources: Sequence[Source]) -> Source | None:
    return next((source for source in sources if _has(source.values, path)), None)


def _has(values: Any, path: Path_) -> bool:
    for part in path:
        if not isinstance(values, dict):
            return True  # a text or a list where the setting is inside
        if part not in values:
            return False
        values = values[part]
    return True


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
    said = message.replace("Input should be", "must be").replace("List should have", "must have").split(", unable")[0]
    return said if path[-1] in _SECRETS else f"{said}, not {_short(value)}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def _example(path: Path_, model: type[BaseModel], source: Source | None) -> str:
    field = _field(path, model)
    if field is None or _table(field.annotation) is not None:
        named = ("studio",) if len(path) == 1 and field is not None and get_origin(field.annotation) is dict else ()
        path = (*path, *named, next(iter(_names(path, model)), "…"))
        field = _field(path, model)
    if field is None:
        return f"for example {environment_name(path)}=…"
    value = field.examples[0] if field.examples else field.get_default(call_default_factory=True)
    text = str(60 if value == float("inf") else value)
    return f"for example {source.written(path, text) if source else f'{environment_name(path)}={text}'}"


def _unknown(path: Path_, model: type[BaseModel], source: Source | None) -> str:
    known = _names(path[:-1], model)
    near = difflib.get_close_matches(path[-1], known, n=1)
    setting = ".".join(path)
    if isinstance(source, Environment):
        setting = source.origin(path).removeprefix("the environment variable ")
        written = [environment_name((*path[:-1], name)) for name in (near or known)]
        where = ""
    else:
        written = [".".join((*path[:-1], name)) for name in (near or known)]
        where = f", in {source.origin(path)}," if source else ""
    return f"{setting}{where} is no setting: " + (
        f"did you mean {written[0]}?" if near else f"there are {', '.join(written)}"
    )


def _names(path: Path_, model: type[BaseModel]) -> list[str]:
    found = model if not path else _table(getattr(_field(path, model), "annotation", None))
    return list(found.model_fields) if found is not None else []


def _field(path: Path_, model: type[BaseModel]) -> FieldInfo | None:
    """The field at the path, stepping over the names of instances and workers; None where there is none."""
    field = model.model_fields.get(path[0]) if path else None
    for index, part in enumerate(path[1:], start=1):
        if field is None:
            return None
        if index == 1 and get_origin(field.annotation) is dict:
            continue
        table = _table(field.annotation)
        field = table.model_fields.get(part) if table is not None else None
    return field


def _table(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is dict:
        return _table(get_args(annotation)[1])
    if get_origin(annotation) in (Union, types.UnionType):
        return next((table for table in map(_table, get_args(annotation)) if table), None)
    return None
