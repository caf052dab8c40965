"""object.properties and object.set_properties: an object's own (custom) properties."""

from __future__ import annotations

from typing import Annotated, Any, Dict, Optional, TypedDict

from ..results import plain
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import MOST_NAMES
from .lookup import object_named, refuse_all
from .parameters import Name


class Properties(TypedDict):
    object: str
    properties: Dict[str, Any]


@command("object.properties", read_only=True)
def properties(*, name: Annotated[Name, "the object's name"]) -> Properties:
    """Read an object's own (custom) properties: what people, rigs, exporters and scripts have noted on it."""
    return _own_properties(object_named(name))


@command("object.set_properties", idempotent=True)
def set_own_properties(
    *,
    name: Annotated[Name, "the object's name"],
    properties: Annotated[
        Dict[str, Any], "numbers, strings, booleans, lists of numbers or strings, objects; null removes one"
    ],
) -> Properties:
    """Note custom properties on an object, saved with the file. Blender's own are object.update's `properties`."""
    item = object_named(name)
    problems = [(f"properties.{key}", said) for key, value in properties.items() if (said := _unfit(key, value))]
    absent = [key for key, value in properties.items() if value is None and key not in item.keys()]  # noqa: SIM118  # an ID's own
    problems += [(f"properties.{key}", f"is not there{did_you_mean(key, item.keys())}") for key in absent]
    if problems:
        raise refuse_all(problems, [close for key in absent for close in nearest(key, item.keys())])
    for key, value in properties.items():
        if value is None:
            del item[key]
        else:
            item[key] = value
    # The dependency graph does not watch them: drivers on them would stay as they were.
    item.update_tag()
    return _own_properties(item)


def _own_properties(item: Any) -> Properties:
    found = {key: item[key] for key in list(item.keys())[:MOST_NAMES]}
    return {"object": item.name, "properties": {key: plain(_told(value)) for key, value in found.items()}}


def _told(value: Any) -> Any:
    """Groups and arrays of ID properties have converters of their own."""
    for convert in ("to_dict", "to_list"):
        if hasattr(value, convert):
            return getattr(value, convert)()
    return value


def _unfit(key: str, value: Any) -> Optional[str]:
    if not 0 < len(key.encode()) < 64:
        return "a property's name has 1 to 63 bytes"
    if isinstance(value, int) and not isinstance(value, bool) and not -(2**31) <= value < 2**31:
        return "a whole number must fit into 32 bits"
    if isinstance(value, list):
        kinds = {"string" if isinstance(entry, str) else "number" for entry in value}
        simple = all(isinstance(entry, (str, int, float)) for entry in value)
        if not value or not simple or len(kinds) > 1:
            return "a list must have numbers alone or strings alone, and one of them at least"
    if isinstance(value, dict):
        return next((said for name, entry in value.items() if (said := _unfit(name, entry))), None)
    if isinstance(value, str) and "\0" in value:
        return "a string has no NUL characters"
    return None
