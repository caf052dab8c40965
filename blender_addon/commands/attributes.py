"""A mesh's named attributes: UV maps, colours and whatever else it carries.

Blender 3.4 keeps UV maps beside the attributes, later ones among them; here they are attributes always.
"""

from __future__ import annotations

from array import array
from typing import Any, Iterator, List, NamedTuple, Optional

from ..schema import did_you_mean, nearest
from ..wire import Part
from .attribute_types import LAYOUTS, Layout, domain_sizes, read_items
from .lookup import refuse


class Attribute(NamedTuple):
    """One named attribute; `layout` is None where it has no numbers (strings), `items` is what foreach_get is of."""

    name: str
    domain: str
    type: str
    role: str
    layout: Optional[Layout]
    items: Any


def attributes_of(mesh: Any) -> Iterator[Attribute]:
    """Each attribute that a user can see, UV maps and colours included; Blender's own have a dot in front."""
    uv_maps = set(mesh.uv_layers.keys())
    colours = set(mesh.color_attributes.keys())
    for item in mesh.attributes:
        if not item.name.startswith("."):
            role = "uv" if item.name in uv_maps else "color" if item.name in colours else ""
            uv_maps.discard(item.name)
            yield Attribute(item.name, item.domain, item.data_type, role, LAYOUTS.get(item.data_type), item.data)
    for name in sorted(uv_maps):
        layout = Layout(LAYOUTS["FLOAT2"].array, "uv")
        yield Attribute(name, "CORNER", "FLOAT2", "uv", layout, mesh.uv_layers[name].data)


def find_attribute(mesh: Any, name: str) -> Optional[Attribute]:
    """The attribute of that name, None where there is none."""
    return next((known for known in attributes_of(mesh) if known.name == name), None)


def attribute_named(mesh: Any, name: str, param: str, others: List[str]) -> Attribute:
    """The attribute of that name. Raises Fault `invalid_params` with the nearest; `others` are names beside them."""
    found = find_attribute(mesh, name)
    if found is None:
        known = [*others, *(attribute.name for attribute in attributes_of(mesh))]
        hint = did_you_mean(name, known) or f"; it has {', '.join(known[:30])}"
        raise refuse(param, f"the mesh has no attribute {name!r}{hint}", nearest(name, known))
    return found


def read_values(mesh: Any, attribute: Attribute, param: str) -> Part:
    """Its values as a binary part. Raises Fault `invalid_params` for strings."""
    if attribute.layout is None:
        raise refuse(param, f"{attribute.name!r} holds values of {attribute.type}, which are no numbers")
    # In edit mode the items are empty.
    rows = min(domain_sizes(mesh)[attribute.domain], len(attribute.items))
    return read_items(attribute.items, attribute.layout.key, attribute.layout.array, rows)


def write_values(mesh: Any, name: str, domain: str, kind: str, values: array[Any]) -> bool:
    """Create or overwrite an attribute; one of another type or domain is replaced. True where it is new."""
    known = find_attribute(mesh, name)
    if known is not None and (known.domain, known.type) != (domain, kind):
        remove(mesh, known)
        known = None
    if known is None:
        _make(mesh, name, domain, kind)
    # Making one may move the others: it is looked up again.
    made = find_attribute(mesh, name)
    assert made is not None
    assert made.layout is not None
    if values:
        made.items.foreach_set(made.layout.key, values)
    mesh.update()
    return known is None


def remove(mesh: Any, attribute: Attribute) -> None:
    """Remove it from the mesh."""
    if attribute.role == "uv":
        mesh.uv_layers.remove(mesh.uv_layers[attribute.name])
    else:
        mesh.attributes.remove(mesh.attributes[attribute.name])


def _make(mesh: Any, name: str, domain: str, kind: str) -> None:
    if domain == "CORNER" and kind == "FLOAT2":
        # As many as Blender renders; beyond them it makes none and says so on the console only.
        if mesh.uv_layers.new(name=name, do_init=False) is None:
            raise refuse("name", f"the mesh has {len(mesh.uv_layers)} UV maps, and Blender allows no more")
        return
    made = mesh.attributes.new(name, kind, domain)
    if made.name != name:
        taken = made.name
        mesh.attributes.remove(made)
        raise refuse("name", f"{name!r} is taken by something else in this mesh; {taken!r} is free")
