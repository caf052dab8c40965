"""What one of Blender's properties takes: described as JSON, and a JSON value checked against it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Dict, List, Optional, Tuple, TypedDict

from ..constraints import Range, Size
from ..policy import permit_write
from ..scalars import Mismatch, got
from ..schema import compile_type, did_you_mean, nearest
from .data_counts import data_collections
from .described import rounded
from .parameters import HexColour, linear_rgba

# A list of an enum's values ends here, and so does a description.
_MOST_VALUES = 200
_LONGEST = 500
# Blender's word for "no limit" is the largest 32-bit number.
_NO_LIMIT = 3.4e38


class PropertyDescription(TypedDict, total=False):
    """One property. `type`: boolean, integer, number, string, enum, flags (a list of enum values), data (a name of
    what `of` says), struct or collection; `length`: it is a list of as many; `unit`: ROTATION is in radians, LENGTH in
    metres."""

    name: str
    type: str
    description: str
    read_only: bool
    default: Any
    min: float
    max: float
    unit: str
    length: int
    values: List[str]
    of: str


_KINDS = {"BOOLEAN": "boolean", "INT": "integer", "FLOAT": "number", "STRING": "string", "COLLECTION": "collection"}


def describe_property(prop: Any) -> PropertyDescription:
    """Describe one of `owner.bl_rna.properties`; what says nothing is left out."""
    said: PropertyDescription = {"name": prop.identifier, "type": _kind(prop)}
    if prop.description:
        said["description"] = prop.description[:_LONGEST]
    if prop.is_readonly:
        said["read_only"] = True
    if prop.type in ("POINTER", "COLLECTION"):
        said["of"] = prop.fixed_type.identifier
    elif prop.type == "ENUM":
        said["values"] = prop.enum_items.keys()[:_MOST_VALUES]
        said["default"] = sorted(prop.default_flag) if prop.is_enum_flag else prop.default
    elif prop.type == "STRING":
        said["default"] = prop.default
    else:
        _describe_numbers(said, prop)
    return said


def _kind(prop: Any) -> str:
    if prop.type == "ENUM":
        return "flags" if prop.is_enum_flag else "enum"
    if prop.type == "POINTER":
        return "data" if points_to_data(prop) else "struct"
    return _KINDS[prop.type]


def _describe_numbers(said: PropertyDescription, prop: Any) -> None:
    defaults = list(prop.default_array) if prop.is_array else [prop.default]
    if prop.type == "FLOAT":
        defaults = rounded(defaults)
    said["default"] = defaults if prop.is_array else defaults[0]
    if prop.is_array:
        said["length"] = prop.array_length
    if prop.type == "BOOLEAN":
        return
    if prop.hard_min > (-(2**31) if prop.type == "INT" else -_NO_LIMIT):
        said["min"] = rounded([prop.hard_min])[0]
    if prop.hard_max < (2**31 - 1 if prop.type == "INT" else _NO_LIMIT):
        said["max"] = rounded([prop.hard_max])[0]
    if prop.unit != "NONE":
        said["unit"] = prop.unit


def check_value(owner: Any, prop: Any, value: Any, close: List[str]) -> Any:
    """The value as this property of the owner takes it. Raises Mismatch.

    Names like a wrong one are added to `close`.
    """
    if prop.type == "POINTER":
        return _check_data(owner, prop, value, close)
    if prop.type == "ENUM":
        return _check_enum(owner, prop, value, close)
    if prop.type == "STRING":
        longest = prop.length_max - 1 if prop.length_max else 1_000_000
        return compile_type(Annotated[str, Size(0, longest)]).check(value, {})
    if not prop.is_array:
        return compile_type(_item(prop)).check(value, {})
    return _check_array(owner, prop, value)


def _check_array(owner: Any, prop: Any, value: Any) -> Any:
    if prop.type == "FLOAT" and prop.subtype in ("COLOR", "COLOR_GAMMA"):
        value = _as_colour(prop, value)
    wanted = _item(prop)
    for length in reversed(_shape(getattr(owner, prop.identifier))):
        wanted = Tuple[(wanted,) * length]
    checked = compile_type(wanted).check(value, {})
    if prop.subtype != "MATRIX":
        return checked
    from mathutils import Matrix

    # Lists would be taken for columns; a matrix is written in rows, as it is read.
    return Matrix(checked)


def _item(prop: Any) -> Any:
    if prop.type == "BOOLEAN":
        return bool
    if prop.type == "INT":
        return Annotated[int, Range(prop.hard_min, prop.hard_max)]
    low = None if prop.hard_min <= -_NO_LIMIT else prop.hard_min
    high = None if prop.hard_max >= _NO_LIMIT else prop.hard_max
    return Annotated[float, Range(low, high)]


def _shape(value: Any) -> List[int]:
    """The lengths of an array in each dimension: a matrix has two."""
    shape = []
    while hasattr(value, "__len__"):
        shape.append(len(value))
        value = value[0] if len(value) else None
    return shape


def _as_colour(prop: Any, value: Any) -> Any:
    """A hex colour as numbers; alpha 1 where the property has one and the value has none."""
    if isinstance(value, str):
        hexadecimal = compile_type(HexColour).check(value, {})
        value = list(linear_rgba(hexadecimal))[: prop.array_length]
        if prop.subtype == "COLOR_GAMMA":
            value[:3] = [int(hexadecimal[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    elif isinstance(value, list) and len(value) == 3 and prop.array_length == 4:
        value = [*value, 1.0]
    return value


def _check_enum(owner: Any, prop: Any, value: Any, close: List[str]) -> Any:
    known = prop.enum_items.keys()
    if not prop.is_enum_flag:
        return _enum_value(owner, prop, value, close)
    if not isinstance(value, list):
        raise Mismatch(f"expected a list of {', '.join(known[:_MOST_VALUES])}, got {got(value)}")
    return {_enum_value(owner, prop, item, close) for item in value}


def _enum_value(owner: Any, prop: Any, value: Any, close: List[str]) -> str:
    known: List[str] = prop.enum_items.keys()
    if isinstance(value, str):
        if value in known:
            return value
        folded = {name.casefold(): name for name in known}
        if value.casefold() in folded:
            return folded[value.casefold()]
        known = _known_now(owner, prop, value) or known
        if value in known:
            return value
        close += nearest(value, known)
    hint = did_you_mean(value, known) if isinstance(value, str) else ""
    raise Mismatch(f"expected one of {', '.join(known[:_MOST_VALUES])}, got {got(value)}{hint}")


def _known_now(owner: Any, prop: Any, value: str) -> List[str]:
    """The values that an enum has just now, where they depend on more than its definition: engines, colour spaces.

    Blender tells them only to who sets a wrong one.
    """
    compile_type(str).check(value, {})
    name = prop.identifier
    before = getattr(owner, name)
    try:
        setattr(owner, name, {value} if prop.is_enum_flag else value)
    except TypeError as error:
        return re.findall(r"'([^']*)'", str(error).rpartition("not found in ")[2])
    if before:
        setattr(owner, name, before)
    return [value]


def check_path(value: Any) -> None:
    """Blender may write where a path property points. Raises Fault `forbidden` where it must not."""
    import bpy

    if isinstance(value, str) and value:
        permit_write(bpy.path.abspath(value))


def points_to_data(prop: Any) -> bool:
    """A pointer to an object, a material, … which the file has by name."""
    return prop.type == "POINTER" and (prop.fixed_type.identifier == "ID" or _data_of(prop.fixed_type) is not None)


def _check_data(owner: Any, prop: Any, value: Any, close: List[str]) -> Any:
    if value is None:
        if prop.is_never_none:
            raise Mismatch("cannot be none")
        return None
    kind, now = prop.fixed_type, getattr(owner, prop.identifier)
    # What may be of any kind stays of the kind that it is: a mesh object's data.
    blocks = _data_of(now.bl_rna if kind.identifier == "ID" and now is not None else kind)
    word = (kind if now is None else now.bl_rna).name.lower()
    if not isinstance(value, str):
        raise Mismatch(f"expected the name of a {word}, or null, got {got(value)}")
    if blocks is None:
        raise Mismatch("may be of any kind, and a name alone does not say which")
    found = blocks.get(value)
    if found is None:
        close += nearest(value, blocks.keys())
        raise Mismatch(f"there is no {word} named {value!r}{did_you_mean(value, blocks.keys())}")
    return found


_places: Dict[str, Optional[str]] = {}


def _data_of(kind: Any) -> Any:
    """The part of bpy.data that holds data of this RNA type or of one that it derives from; None for a plain struct."""
    import bpy

    if not _places:
        _places.update((prop.fixed_type.identifier, prop.identifier) for prop in data_collections())
    while kind is not None:
        place = _places.get(kind.identifier)
        if place is not None:
            return getattr(bpy.data, place)
        kind = kind.base
    return None
