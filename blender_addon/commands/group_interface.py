"""The inputs and outputs of a node group: group.inputs in Blender 3.x, group.interface from 4.0 on."""

from __future__ import annotations

from typing import Any, Dict, List


def group_sockets(group: Any, *, outputs: bool = False) -> List[Any]:
    """The sockets of one side, in order; each has name, identifier, and bl_socket_idname."""
    if hasattr(group, "interface"):
        side = "OUTPUT" if outputs else "INPUT"
        items = group.interface.items_tree
        return [item for item in items if item.item_type == "SOCKET" and item.in_out == side]
    return list(group.outputs if outputs else group.inputs)


def add_socket(group: Any, name: str, kind: str, *, output: bool = False) -> Any:
    """A new socket; `kind` is a bl_socket_idname."""
    if hasattr(group, "interface"):
        return group.interface.new_socket(name, in_out="OUTPUT" if output else "INPUT", socket_type=kind)
    return (group.outputs if output else group.inputs).new(kind, name)


def socket_kind(socket: Any) -> str:
    """What it carries: Float, Int, Vector, Geometry, …"""
    # Subtypes have longer names: NodeSocketFloatDistance.
    name = str(socket.bl_socket_idname).replace("NodeSocket", "")
    return next((kind for kind in KINDS if name.startswith(kind)), name)


def by_name(sockets: List[Any]) -> Dict[str, Any]:
    """Each socket under a name that finds it: its identifier where another has its name too."""
    found: Dict[str, Any] = {}
    for socket in sockets:
        found[socket.name if socket.name and socket.name not in found else socket.identifier] = socket
    return found


KINDS = (
    "Float", "Int", "Bool", "Vector", "Color", "Rotation", "Matrix", "String", "Menu",
    "Object", "Collection", "Material", "Image", "Texture", "Geometry", "Shader",
)  # fmt: skip
