"""mesh.attributes, mesh.write_attribute and mesh.remove_attribute: UV maps, colours and attributes by name."""

from __future__ import annotations

from array import array
from typing import Annotated, Any, List, Optional, TypedDict, get_args

from ..scalars import Mismatch
from ..schema import compile_type
from ..wire import Part
from .attribute_types import LAYOUTS, AttributeType, Domain, domain_sizes, numbers
from .attributes import attribute_named, attributes_of, remove, write_values
from .catalogue import command
from .evaluated import mesh_of
from .geometry import LAYOUTS as GEOMETRY
from .geometry import all_finite
from .lookup import mesh_object_named, refuse
from .paging import Limit, Offset, page
from .parameters import Name
from .versions import blender_version, without

# These are columns of the faces rather than attributes of their own: (type, foreach_set's key).
_OF_FACES = {"material_index": ("INT", "material_index"), "smooth": ("BOOLEAN", "use_smooth")}
# Blender makes these itself, and there is a command for each.
_GEOMETRY = {"position": "co", "co": "co", "normal": "co", "edges": "co", "loop_vertex_index": "loop_vertex_index"}
_SINCE = {"INT32_2D": (4, 0), "QUATERNION": (4, 0), "FLOAT4X4": (4, 2)}


class AttributeEntry(TypedDict):
    """One attribute: a part of `dtype` with `columns` numbers for each of `length` items; `role` is uv, color or ""."""

    name: str
    domain: str
    type: str
    role: str
    active: bool
    length: int
    dtype: Optional[str]
    columns: int


class Attributes(TypedDict):
    object: str
    attributes: List[AttributeEntry]
    next_offset: Optional[int]


class WrittenAttribute(TypedDict):
    object: str
    name: str
    domain: str
    type: str
    length: int
    created: bool


class RemovedAttribute(TypedDict):
    object: str
    removed: str


@command("mesh.attributes", read_only=True)
def attributes(
    *,
    object: Annotated[Name, "an object's name"],  # noqa: A002  # the name is the public parameter
    evaluated: Annotated[bool, "those of the result of its modifiers"] = False,
    limit: Limit = 50,
    offset: Offset = 0,
) -> Attributes:
    """List a mesh's UV maps, colours and other named attributes, which mesh.read reads by name."""
    with mesh_of(object, evaluated=evaluated) as mesh:
        shown, following = page(list(attributes_of(mesh)), limit, offset)
        sizes = domain_sizes(mesh)
        active = _active_names(mesh)
        listed: List[AttributeEntry] = [
            {
                "name": item.name,
                "domain": item.domain,
                "type": item.type,
                "role": item.role,
                "active": item.name in active,
                "length": sizes[item.domain],
                "dtype": item.layout.array.dtype if item.layout else None,
                "columns": item.layout.array.columns if item.layout else 1,
            }
            for item in shown
        ]
    return {"object": object, "attributes": listed, "next_offset": following}


@command("mesh.write_attribute", destructive=True, idempotent=True)
def write_attribute(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    name: Annotated[Name, "the attribute's name; material_index (INT) and smooth (BOOLEAN) are of the faces"],
    values: Annotated[Part, "one row an item: FLOAT <f4, FLOAT_VECTOR <f4 [n, 3], BOOLEAN |u1, INT <i4 and so on"],
    type: Annotated[  # noqa: A002  # the name is the public parameter
        AttributeType, "FLOAT2 on CORNER is a UV map, FLOAT_COLOR and BYTE_COLOR (linear floats both) are colours"
    ],
    domain: Annotated[Domain, "what there is a row for: each vertex, edge, face or face corner"] = "POINT",
) -> WrittenAttribute:
    """Create or overwrite a UV map, a colour or another attribute of a mesh; one of another type is replaced."""
    mesh = mesh_to_change(object)
    if name in _GEOMETRY or name.startswith("."):
        raise refuse("name", f"{name!r} is the mesh's own geometry: mesh.write writes it")
    if name in _OF_FACES and (type, domain) != (_OF_FACES[name][0], "FACE"):
        raise refuse("name", f"{name!r} is {_OF_FACES[name][0]} on FACE")
    if blender_version() < _SINCE.get(type, (0, 0)):
        since = ".".join(map(str, _SINCE[type]))
        raise without("type", f"the attribute type {type}", f"it came with Blender {since}")
    checked = _checked(values, type, domain, domain_sizes(mesh)[domain])
    created = False
    if name in _OF_FACES:
        mesh.polygons.foreach_set(_OF_FACES[name][1], checked)
        mesh.update()
    else:
        created = write_values(mesh, name, domain, type, checked)
    length = domain_sizes(mesh)[domain]
    return {"object": object, "name": name, "domain": domain, "type": type, "length": length, "created": created}


@command("mesh.remove_attribute", destructive=True)
def remove_attribute(
    *,
    object: Annotated[Name, "a mesh object's name"],  # noqa: A002  # the name is the public parameter
    name: Annotated[Name, "the attribute's name, as mesh.attributes lists it"],
) -> RemovedAttribute:
    """Remove a UV map, a colour or another attribute from a mesh."""
    mesh = mesh_to_change(object)
    found = attribute_named(mesh, name, "name", [])
    if name == "position":
        raise refuse("name", "a mesh without positions is none")
    remove(mesh, found)
    return {"object": object, "removed": name}


def mesh_to_change(name: str, param: str = "object") -> Any:
    """The object's mesh, which nobody is editing. Raises Fault `invalid_params`."""
    item = mesh_object_named(name, param)
    if item.mode == "EDIT":
        raise refuse(param, f"{name!r} is being edited: leave its edit mode first")
    return item.data


def _checked(values: Part, kind: str, domain: str, rows: int) -> array[Any]:
    layout = LAYOUTS[kind].array
    try:
        compile_type(Annotated[Part, layout]).check(values, {})
    except Mismatch as mismatch:
        raise refuse("values", mismatch.problems[0][1]) from None
    count = len(values) // layout.row_bytes
    if count != rows:
        items = dict(zip(get_args(Domain), ("vertices", "edges", "faces", "face corners"), strict=True))[domain]
        raise refuse("values", f"{count} rows, and the mesh has {rows} {items}")
    found = numbers(values, layout)
    if layout.dtype == "<f4" and not all_finite(found):
        raise refuse("values", "has numbers that are not finite")
    return found


def _active_names(mesh: Any) -> List[str]:
    active = (mesh.uv_layers.active, mesh.color_attributes.active_color)
    return [item.name for item in active if item is not None]


assert set(get_args(AttributeType)) <= set(LAYOUTS)
assert set(_OF_FACES) <= set(GEOMETRY)
