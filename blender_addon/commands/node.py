"""node.tree and node.get: what the nodes of a material, a world, a light, a group or a compositor are."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, TypedDict

from ..constraints import Range
from .catalogue import command
from .described import rounded
from .node_trees import WhichTree, key_of, named_sockets, node_named, tree_of
from .node_values import input_values, socket_value
from .paging import Fields, Limit, Offset, only, page
from .parameters import Name
from .rna import is_setting, property_values

# Every node has these; they say where it is drawn and how.
_DRAWN = {
    "name", "label", "location", "location_absolute", "width", "width_hidden", "height", "parent", "color",
    "use_custom_color", "select", "show_options", "show_preview", "hide", "mute", "show_texture", "bl_idname",
    "bl_label", "bl_description", "bl_icon", "bl_static_type", "bl_width_default", "bl_width_min", "bl_width_max",
    "bl_height_default", "bl_height_min", "bl_height_max", "warning_propagation", "active_item", "active_index",
    "color_tag",
}  # fmt: skip
_SUMMARY = ["name", "type", "label", "inputs"]


class Link(TypedDict):
    from_node: str
    from_socket: str
    to_node: str
    to_socket: str


class TreeDetails(TypedDict):
    """A page of the nodes, and the links from and to them. `type`: ShaderNodeTree, GeometryNodeTree and so on."""

    type: str
    nodes: List[Dict[str, Any]]
    total: int
    next_offset: Optional[int]
    links: List[Link]
    links_left_out: int


class Socket(TypedDict):
    """One socket; `value` is what it holds, null where it takes links only; `linked`: "node.socket" of each."""

    name: str
    type: str
    value: Any
    linked: List[str]


class NodeDetails(TypedDict):
    """`inputs` and `outputs` are those that the node's properties leave in use."""

    name: str
    type: str
    label: str
    location: List[float]
    mute: bool
    properties: Dict[str, Any]
    inputs: List[Socket]
    outputs: List[Socket]


@command("node.tree", read_only=True)
def tree(
    *,
    tree: WhichTree,
    fields: Fields = None,
    limit: Limit = 50,
    offset: Offset = 0,
    link_limit: Annotated[int, "how many links at most", Range(0, 2000)] = 200,
) -> TreeDetails:
    """List nodes and links. Of each node: name, type, label and the values of inputs that are not linked.

    Further `fields`: location, mute, properties.
    """
    found = tree_of(tree)
    nodes = list(found.nodes) if found is not None else []
    shown, following = page(nodes, limit, offset)
    names = {node.name for node in shown}
    links = [link for link in (found.links if found else ()) if {link.from_node.name, link.to_node.name} & names]
    return {
        "type": found.bl_idname if found is not None else "",
        "nodes": [only(fields or _SUMMARY, _described(node)) for node in shown],
        "total": len(nodes),
        "next_offset": following,
        "links": [link_state(link) for link in links[:link_limit]],
        "links_left_out": max(0, len(links) - link_limit),
    }


@command("node.get", read_only=True)
def get(*, tree: WhichTree, node: Annotated[Name, "the node's name"]) -> NodeDetails:
    """Tell all about one node: its properties, inputs with their values, outputs, and what is linked to them."""
    return node_details(node_named(tree_of(tree), node))


def node_details(node: Any) -> NodeDetails:
    """The long description of a node."""
    return {
        "name": node.name,
        "type": node.bl_idname,
        "label": node.label,
        "location": rounded(node.location),
        "mute": node.mute,
        "properties": _properties(node),
        "inputs": [_socket(name, socket) for name, socket in named_sockets(node.inputs).items()],
        "outputs": [_socket(name, socket) for name, socket in named_sockets(node.outputs).items()],
    }


def link_state(link: Any) -> Link:
    """What a result says of a link."""
    return {
        "from_node": link.from_node.name,
        "from_socket": key_of(link.from_socket, link.from_node.outputs),
        "to_node": link.to_node.name,
        "to_socket": key_of(link.to_socket, link.to_node.inputs),
    }


def _described(node: Any) -> Dict[str, Any]:
    return {
        "name": node.name,
        "type": node.bl_idname,
        "label": node.label,
        "inputs": input_values(node),
        "location": rounded(node.location),
        "mute": node.mute,
        "properties": _properties(node),
    }


def _properties(node: Any) -> Dict[str, Any]:
    own = [prop.identifier for prop in node.bl_rna.properties if is_setting(prop) and prop.identifier not in _DRAWN]
    return property_values(node, own[:50])


def _socket(name: str, socket: Any) -> Socket:
    linked = []
    for link in socket.links[:20]:
        node, other = (link.from_node, link.from_socket) if not socket.is_output else (link.to_node, link.to_socket)
        linked.append(f"{node.name}.{key_of(other, node.inputs if socket.is_output else node.outputs)}")
    value = None if socket.is_output else socket_value(socket)
    return {"name": name, "type": socket.type, "value": value, "linked": linked}
