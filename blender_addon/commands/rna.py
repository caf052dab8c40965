"""Blender's own properties, read and set by name from JSON.

    set_properties(modifier, {"levels": 2, "subdivision_type": "SIMPLE"}, "properties")

Everything is checked before anything is set: a name that the owner does not have comes back with the nearest, a wrong
value with what the property takes. What only Blender itself can refuse is put back as it was.
"""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Mapping, NamedTuple, Optional, Sequence, Tuple

from ..scalars import Mismatch, got
from ..schema import did_you_mean, nearest
from .described import rounded
from .lookup import refuse_all
from .rna_types import (
    PropertyDescription,
    check_path,
    check_value,
    describe_property,
    points_to_data,
)

__all__ = ["PropertyDescription", "describe_property", "property_values", "set_properties"]


def set_properties(owner: Any, values: Mapping[str, Any], param: str) -> None:
    """Set these properties of a Blender object, in this order: all of them, or none.

    Numbers, strings, booleans and enums (one identifier, a list of them where several may be chosen) as JSON; vectors
    and colours as lists, colours also as "#rrggbb"; objects, materials and other data by name, null for none; a
    struct's own properties as an object in the object. Raises Fault `invalid_params`, each problem under
    `param.property`; `forbidden` for a path outside of where this Blender may write.
    """
    found = _Found([], [], [])
    _check(owner, values, param, found)
    if found.problems:
        raise refuse_all(found.problems, found.close)
    _apply(found.settings)


def property_values(owner: Any, names: Optional[Sequence[str]] = None, limit: int = 100) -> Dict[str, Any]:
    """What these properties are now, as JSON; None: all that can be set, at most `limit` of them.

    Data is named, another struct is its type's name, of a collection there is the length.
    """
    properties = owner.bl_rna.properties
    if names is None:
        names = [prop.identifier for prop in properties if is_setting(prop)][:limit]
    return {name: _as_json(owner, properties[name]) for name in names}


def is_setting(prop: Any) -> bool:
    """A person could set this property to another value."""
    if prop.identifier == "rna_type" or prop.is_readonly or prop.is_hidden or prop.type == "COLLECTION":
        return False
    return prop.type != "POINTER" or points_to_data(prop)


class _Setting(NamedTuple):
    owner: Any
    prop: Any
    value: Any
    path: str


class _Found(NamedTuple):
    settings: List[_Setting]
    problems: List[Tuple[str, str]]
    close: List[str]


def _check(owner: Any, values: Mapping[str, Any], path: str, found: _Found) -> None:
    properties = owner.bl_rna.properties
    for name, value in values.items():
        place = f"{path}.{name}"
        prop = properties.get(name)
        if prop is None or name == "rna_type":
            known = [other.identifier for other in properties if _may_be_named(other)]
            kind = owner.bl_rna.name or owner.bl_rna.identifier
            hint = did_you_mean(name, known) or f"; it has {', '.join(known[:30])}"
            found.problems.append((place, f"{kind} has no property {name!r}{hint}"))
            found.close.extend(nearest(name, known))
            continue
        inner = getattr(owner, name) if prop.type == "POINTER" and isinstance(value, dict) else None
        if inner is not None:
            _check(inner, value, place, found)
            continue
        try:
            found.settings.append(_Setting(owner, prop, _checked(owner, prop, value, found), place))
        except Mismatch as mismatch:
            found.problems.extend((place + deeper, problem) for deeper, problem in mismatch.problems)


def _may_be_named(prop: Any) -> bool:
    return prop.identifier != "rna_type" and (not prop.is_readonly or prop.type == "POINTER")


def _checked(owner: Any, prop: Any, value: Any, found: _Found) -> Any:
    if prop.type == "COLLECTION":
        raise Mismatch("is a collection, whose entries are not set this way")
    if prop.type == "POINTER" and not points_to_data(prop):
        raise Mismatch(f"expected an object with properties of {prop.fixed_type.identifier}, got {got(value)}")
    if prop.is_readonly or owner.is_property_readonly(prop.identifier):
        raise Mismatch("cannot be set")
    if prop.type == "STRING" and prop.subtype in ("FILE_PATH", "DIR_PATH"):
        check_path(value)
    return check_value(owner, prop, value, found.close)


def _apply(settings: Sequence[_Setting]) -> None:
    done: List[_Setting] = []
    for setting in settings:
        name = setting.prop.identifier
        before = setting._replace(value=_copy(getattr(setting.owner, name), setting.prop))
        try:
            setattr(setting.owner, name, setting.value)
        except (TypeError, ValueError, AttributeError, OverflowError) as error:
            problem = _said(error)
        else:
            done.append(before)
            # Some setters ignore data of a kind that they have no use for, without a word.
            if setting.prop.type != "POINTER" or getattr(setting.owner, name) == setting.value:
                continue
            problem = f"Blender does not take {setting.value.name!r} here" if setting.value else "cannot be none"
        for kept in reversed(done):
            setattr(kept.owner, kept.prop.identifier, kept.value)
        raise refuse_all([(setting.path, problem)])


def _said(error: Exception) -> str:
    """Blender's own words without where they come from: `bpy_struct: item.attr = val: enum "A" not found in (…)`."""
    return str(error).rpartition("= val: ")[2][:1000]


def _copy(value: Any, prop: Any) -> Any:
    """A value that stays when the property changes: Blender's vectors and arrays look into the property itself."""
    if prop.type in ("BOOLEAN", "INT", "FLOAT") and prop.is_array:
        return _listed(value)
    return value


def _listed(value: Any) -> Any:
    return [_listed(item) for item in value] if hasattr(value, "__len__") else value


def _as_json(owner: Any, prop: Any) -> Any:
    value = getattr(owner, prop.identifier)
    if prop.type == "POINTER":
        name = value.name if value is not None and points_to_data(prop) else None
        return name if value is None or name else value.bl_rna.identifier
    if isinstance(value, bytes):
        return value[:10_000].decode("utf-8", "replace")
    as_json = _AS_JSON.get(prop.type)
    return as_json(value) if as_json else value


def _chosen(value: Any) -> Any:
    return sorted(value) if isinstance(value, set) else value


def _rounded(value: Any) -> Any:
    if not hasattr(value, "__len__"):
        return rounded([value])[0]
    return [_rounded(item) for item in value]


_AS_JSON: Mapping[str, Callable[[Any], Any]] = {
    "FLOAT": _rounded,
    "INT": _listed,
    "BOOLEAN": _listed,
    "ENUM": _chosen,
    "COLLECTION": len,
    "STRING": lambda value: value[:10_000],
}
