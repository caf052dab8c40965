"""Whose nodes: a reference like {"material": "Gold"} → its node tree, and names → nodes and sockets in it."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, Sequence, Tuple, TypedDict

from ..schema import did_you_mean, nearest
from .lookup import data_named, refuse
from .parameters import Name
from .principled import other_name
from .versions import blender_version


class Tree(TypedDict, total=False):
    """One of these, by name. `group` is a node group: geometry nodes, or shaders that are used in several materials;
    `scene` is its compositor."""

    material: Name
    world: Name
    light: Name
    group: Name
    scene: Name


WhichTree = Annotated[Tree, 'whose nodes: {"material": "Gold"}, or world, light, group (geometry nodes too) or scene']
SocketName = Annotated[Name, "the socket's name, or its identifier where several have that name"]
_PLACES = {
    "material": "materials",
    "world": "worlds",
    "light": "lights",
    "group": "node_groups",
    "scene": "scenes",
}


def tree_of(tree: Tree) -> Any:
    """The node tree, which is None where there are no nodes. Raises Fault `invalid_params`."""
    owner, kind = _owner(tree)
    if kind == "group":
        return owner
    if hasattr(owner, "compositing_node_group"):
        return owner.compositing_node_group
    # From 5.0 on materials and worlds have nodes always, and asking warns.
    asks = kind == "light" or blender_version() < (5, 0)
    return owner.node_tree if not asks or owner.use_nodes else None


def tree_to_change(tree: Tree) -> Any:
    """The node tree, made where there is none yet. Raises Fault `invalid_params`."""
    found = tree_of(tree)
    if found is not None:
        return found
    import bpy

    owner, kind = _owner(tree)
    if kind == "scene" and hasattr(owner, "compositing_node_group"):
        owner.compositing_node_group = bpy.data.node_groups.new(owner.name, "CompositorNodeTree")
        return owner.compositing_node_group
    owner.use_nodes = True
    return owner.node_tree


def _owner(tree: Tree) -> Tuple[Any, str]:
    import bpy

    if len(tree) != 1:
        raise refuse("tree", f"expected one of {', '.join(_PLACES)}, got {', '.join(tree) or 'none'}")
    ((kind, name),) = tree.items()
    known = getattr(bpy.data, _PLACES[kind])
    assert isinstance(name, str)
    found = None if name in known else _of_the_object(kind, name)
    return found or data_named(known, kind, name, f"tree.{kind}"), kind


def _of_the_object(kind: str, name: str) -> Any:
    """A light is known by its object's name, which often is not its data's."""
    import bpy

    item = bpy.data.objects.get(name) if kind == "light" else None
    return item.data if item is not None and item.type == "LIGHT" else None


def node_named(tree: Any, name: str, param: str = "node") -> Any:
    """The node of that name. Raises Fault `invalid_params` with the nearest, which a label or a type may be too."""
    found = tree.nodes.get(name) if tree is not None else None
    if found is None:
        nodes = list(tree.nodes) if tree is not None else []
        names = [node.name for node in nodes]
        close = [node.name for node in nodes if name in (node.label, node.bl_idname)] or nearest(name, names)
        hint = did_you_mean(name, names) or f"; there are {', '.join(names[:30]) or 'none at all'}"
        raise refuse(param, f"there is no node named {name!r}{hint}", close)
    return found


def find_socket(node: Any, sockets: Any, name: str) -> Any:
    """The socket of that name or identifier, None where there is none. One in use is before one that is not."""
    wanted = [name]
    if node.bl_idname == "ShaderNodeBsdfPrincipled" and (renamed := other_name(name)):
        wanted.append(renamed)
    for candidate in wanted:
        by_name = [socket for socket in sockets if socket.name == candidate]
        by_identifier = [socket for socket in sockets if socket.identifier == candidate]
        for socket in (*filter(in_use, by_name), *by_identifier, *by_name):
            return socket
    return None


def socket_named(node: Any, sockets: Any, name: str, param: str) -> Any:
    """The socket of that name or identifier. Raises Fault `invalid_params` with the nearest."""
    found = find_socket(node, sockets, name)
    if found is None:
        known = socket_names(sockets)
        hint = did_you_mean(name, known) or f"; it has {', '.join(known) or 'none'}"
        side = "output" if sockets == node.outputs else "input"
        raise refuse(param, f"{node.name!r} has no {side} {name!r}{hint}", nearest(name, known))
    return found


def in_use(socket: Any) -> bool:
    """The node's settings leave the socket to be used; others are not drawn."""
    return bool(socket.enabled) and not getattr(socket, "is_unavailable", False)


def socket_names(sockets: Any) -> List[str]:
    """A name for each socket in use that finds it: the identifier where another has the name too."""
    return list(named_sockets(sockets))


def named_sockets(sockets: Any) -> Dict[str, Any]:
    """The sockets in use, each under a name that finds it."""
    found: Dict[str, Any] = {}
    for socket in sockets:
        if in_use(socket):
            found[socket.name if socket.name and socket.name not in found else socket.identifier] = socket
    return found


def key_of(socket: Any, sockets: Sequence[Any]) -> str:
    """The name that finds this socket among those of its side of its node."""
    for name, known in named_sockets(sockets).items():
        if known == socket:
            return name
    return str(socket.identifier)


def node_types(tree: Optional[Any]) -> Dict[str, str]:
    """Every node type there is: its identifier by its label, those of this kind of tree before others."""
    import bpy

    found: Dict[str, str] = {}
    prefix = (tree.bl_idname if tree is not None else "").replace("NodeTree", "Node")
    for identifier in dir(bpy.types):
        kind = getattr(bpy.types, identifier)
        if isinstance(kind, type) and issubclass(kind, bpy.types.Node) and "Node" in identifier:
            label = str(getattr(kind, "bl_rna").name)  # noqa: B009  # a class of Blender's, which a checker cannot know
            if label not in found or identifier.startswith(prefix):
                found[label] = identifier
    return found
