"""The inputs of a geometry-nodes modifier: custom properties up to Blender 5.1, real ones from 5.2 on."""

from __future__ import annotations

from typing import Any, Dict, Optional

from .described import rounded
from .group_interface import by_name, group_sockets, socket_kind

# The kinds that may read an attribute of the geometry instead of having one value.
FIELDS = frozenset({"Float", "Int", "Bool", "Vector", "Color", "Rotation", "Matrix"})


def input_sockets(group: Any) -> Dict[str, Any]:
    """The group's inputs that a modifier has values for, under names that find them."""
    return by_name([socket for socket in group_sockets(group) if socket_kind(socket) != "Geometry"])


def read_input(modifier: Any, socket: Any) -> Any:
    """The input's value as JSON, or {"attribute": name} where it reads one."""
    attribute = read_attribute_name(modifier, socket)
    if attribute is not None:
        return {"attribute": attribute}
    entry = _entry(modifier, socket)
    value = entry.value if entry is not None else modifier.get(socket.identifier)
    return _as_json(_menu_word(modifier, socket, value))


def read_attribute_name(modifier: Any, socket: Any) -> Optional[str]:
    """The name of the attribute that the input reads, None where it has a value of its own."""
    entry = _entry(modifier, socket)
    if entry is not None:
        return entry.attribute_name if getattr(entry, "type", "VALUE") == "ATTRIBUTE" else None
    if not modifier.get(f"{socket.identifier}_use_attribute"):
        return None
    return str(modifier[f"{socket.identifier}_attribute_name"])


def write_input(modifier: Any, socket: Any, value: Any) -> None:
    """Set a value that was checked."""
    entry = _entry(modifier, socket)
    if entry is not None:
        if hasattr(entry, "type"):
            entry.type = "VALUE"
        entry.value = value
        return
    _use_attribute(modifier, socket, use=False)
    known = modifier.get(socket.identifier)
    items = menu_items(modifier, socket)
    if items:
        value = items[value]
    elif isinstance(known, int):
        # 3.4 keeps a truth value as a number, and later ones refuse that.
        value = type(known)(value)
    elif hasattr(known, "__len__") and not isinstance(known, str):
        # A list in its place would be of 64-bit numbers, which 3.4 does not take for the input's.
        known[:] = value
        return
    modifier[socket.identifier] = value


def write_attribute_name(modifier: Any, socket: Any, name: str) -> None:
    """Let the input read an attribute."""
    entry = _entry(modifier, socket)
    if entry is not None:
        entry.type = "ATTRIBUTE"
        entry.attribute_name = name
        return
    _use_attribute(modifier, socket, use=True)
    modifier[f"{socket.identifier}_attribute_name"] = name


def _entry(modifier: Any, socket: Any) -> Any:
    """The input as 5.2 has it, None before."""
    inputs = getattr(getattr(modifier, "properties", None), "inputs", None)
    return getattr(inputs, socket.identifier, None)


def _use_attribute(modifier: Any, socket: Any, *, use: bool) -> None:
    key = f"{socket.identifier}_use_attribute"
    known = modifier.get(key)
    if known is not None:
        # A number in 3.4, a truth value in 5.0: each refuses the other.
        modifier[key] = type(known)(use)


def _as_json(value: Any) -> Any:
    if isinstance(value, float):
        return rounded([value])[0]
    if hasattr(value, "bl_rna"):
        return value.name
    if hasattr(value, "__len__") and not isinstance(value, str):
        return rounded(value)
    return value


def menu_items(modifier: Any, socket: Any) -> Dict[str, int]:
    """The words of a menu and their numbers; none where it is no menu, or leads to no node with choices."""
    if socket_kind(socket) != "Menu":
        return {}
    entry = _entry(modifier, socket)
    if entry is not None:
        return {item.identifier: item.value for item in entry.bl_rna.properties["value"].enum_items}
    described = modifier.id_properties_ui(socket.identifier).as_dict()
    return {str(item[0]): int(item[4]) for item in described.get("items") or ()}


def _menu_word(modifier: Any, socket: Any, value: Any) -> Any:
    return next((word for word, number in menu_items(modifier, socket).items() if number == value), value)
