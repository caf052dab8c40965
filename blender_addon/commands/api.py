"""api.*: what Blender's own Python API has, from RNA, so that code and options need no guessing."""

from __future__ import annotations

from typing import Annotated, Any, List, Optional, Sequence, TypedDict

from ..constraints import Size
from ..schema import did_you_mean, nearest
from .api_index import Kind, find, names, types
from .api_text import signature
from .catalogue import command
from .described import MOST_NAMES
from .lookup import refuse
from .operator_call import is_operator, operator_named
from .paging import Limit, Offset, page
from .parameters import Name
from .rna_types import PropertyDescription, describe_property
from .silence import without_warnings

_LONGEST = 500
Only = Annotated[Optional[List[Name]], "only these properties; default: all", Size(1, 200)]


class Found(TypedDict):
    kind: str
    name: str
    label: str
    description: str


class Matches(TypedDict):
    matches: List[Found]
    total: int
    next_offset: Optional[int]


class TypeDescription(TypedDict):
    """`bases`: what it inherits from, nearest first; `subtypes`: the first 100. Of its own and inherited properties a
    page. `functions`: their signatures, the first 100, on the first page."""

    name: str
    label: str
    description: str
    bases: List[str]
    subtypes: List[str]
    properties: List[PropertyDescription]
    property_count: int
    next_offset: Optional[int]
    functions: List[str]


class OperatorDescription(TypedDict):
    """`call`: how to call it from Python. `possible`: its poll in the present context says yes."""

    name: str
    label: str
    description: str
    call: str
    possible: bool
    properties: List[PropertyDescription]
    property_count: int
    next_offset: Optional[int]


@command("api.search", read_only=True)
def search(
    *,
    query: Annotated[str, 'words that must all be there: "bevel", "subdivision surface", "import obj"', Size(1, 200)],
    kinds: Annotated[Optional[List[Kind]], "default: all", Size(1, 5)] = None,
    limit: Limit = 20,
    offset: Offset = 0,
) -> Matches:
    """Search this Blender's operators, types, nodes, properties and functions by name, label and description.

    api.operator, api.type and api.node describe what was found.
    """
    matches = find(query, kinds or ())
    some, more = page(matches, limit, offset)
    found: List[Found] = [
        {"kind": one.kind, "name": one.name, "label": one.label, "description": one.description[:_LONGEST]}
        for one in some
    ]
    return {"matches": found, "total": len(matches), "next_offset": more}


@command("api.type", read_only=True)
def describe_type(
    *,
    name: Annotated[Name, 'a type of bpy.types: "Object", "SubsurfModifier"'],
    properties: Only = None,
    inherited: Annotated[bool, "with what it has from its bases"] = True,
    limit: Limit = 50,
    offset: Offset = 0,
) -> TypeDescription:
    """Describe a type: its properties with their kinds, ranges, defaults and enum values, and its functions."""
    known = types()
    rna = known.get(name.removeprefix("bpy.types."))
    if rna is None:
        raise refuse("name", f"there is no type {name!r}{did_you_mean(name, known)}", nearest(name, known))
    with without_warnings():
        base = rna.base if not inherited else None
        own = [prop for prop in rna.properties if base is None or prop.identifier not in base.properties]
        chosen = _chosen([prop for prop in own if prop.identifier != "rna_type"], properties, name)
        some, more = page(chosen, limit, offset)
        functions = [one for one in rna.functions if base is None or one.identifier not in base.functions]
        return {
            "name": rna.identifier,
            "label": rna.name,
            "description": rna.description[:_LONGEST],
            "bases": [one.identifier for one in _bases(rna)],
            "subtypes": sorted(other.identifier for other in known.values() if other.base == rna)[:MOST_NAMES],
            "properties": [describe_property(prop) for prop in some],
            "property_count": len(chosen),
            "next_offset": more,
            "functions": [] if offset or properties else [signature(one) for one in functions[:MOST_NAMES]],
        }


@command("api.operator", read_only=True)
def describe_operator(
    *,
    name: Annotated[Name, '"mesh.primitive_cube_add", with or without bpy.ops'],
    properties: Only = None,
    limit: Limit = 50,
    offset: Offset = 0,
) -> OperatorDescription:
    """Describe an operator of bpy.ops: what it does, its properties with kinds, ranges, defaults and enum values."""
    plain = _operator_name(name)
    if not is_operator(plain):
        known = names("operator")
        raise refuse("name", f"there is no operator {plain!r}{did_you_mean(plain, known)}", nearest(plain, known))
    operator = operator_named(plain)
    with without_warnings():
        rna = operator.get_rna_type()
        all_of_them = [prop for prop in rna.properties if prop.identifier != "rna_type"]
        some, more = page(_chosen(all_of_them, properties, plain), limit, offset)
        return {
            "name": plain,
            "label": rna.name,
            "description": rna.description[:_LONGEST],
            "call": f"bpy.ops.{plain}({', '.join(prop.identifier for prop in all_of_them[:20])})",
            "possible": bool(operator.poll()),
            "properties": [describe_property(prop) for prop in some],
            "property_count": len(all_of_them) if properties is None else len(some),
            "next_offset": more,
        }


def _operator_name(name: str) -> str:
    """MESH_OT_primitive_cube_add and bpy.ops.mesh.primitive_cube_add() mean the same."""
    plain = name.removeprefix("bpy.ops.").partition("(")[0]
    module, joint, function = plain.partition("_OT_")
    return f"{module.lower()}.{function}" if joint else plain


def _chosen(known: Sequence[Any], wanted: Optional[Sequence[str]], owner: str) -> List[Any]:
    if wanted is None:
        return list(known)
    by_name = {prop.identifier: prop for prop in known}
    for index, name in enumerate(wanted):
        if name not in by_name:
            problem = f"{owner} has no property {name!r}{did_you_mean(name, by_name)}"
            raise refuse(f"properties[{index}]", problem, nearest(name, by_name))
    return [by_name[name] for name in wanted]


def _bases(rna: Any) -> List[Any]:
    found: List[Any] = []
    while rna.base is not None:
        rna = rna.base
        found.append(rna)
    return found
