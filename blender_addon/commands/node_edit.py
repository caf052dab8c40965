"""node.add, set, remove, link, unlink: nodes of any tree changed by name."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, Tuple, TypedDict

from ..constraints import Size
from ..schema import did_you_mean, nearest
from ..wire import Fault
from .catalogue import command
from .lookup import data_named, refuse
from .node import Link, NodeDetails, link_state, node_details
from .node_trees import SocketName, WhichTree, node_named, node_types, socket_named, tree_of, tree_to_change
from .node_values import set_inputs
from .parameters import Name
from .rna import property_values, set_properties

NodeName = Annotated[Name, "the node's name"]
Inputs = Annotated[
    Optional[Dict[str, Any]],
    'values of inputs by name: {"Scale": 5, "Color": "#ff8800"}; one number sets all of a vector',
]
Properties = Annotated[
    Optional[Dict[str, Any]], 'Blender\'s own properties of the node by name: {"operation": "MULTIPLY"}'
]
Where = Annotated[Optional[Tuple[float, float]], "x and y in the node editor; a node is about 200 wide"]


class Removed(TypedDict):
    removed: List[str]


class Unlinked(TypedDict):
    """The links that are no more."""

    removed: List[Link]


@command("node.add")
def add(
    *,
    tree: WhichTree,
    type: Annotated[Name, "ShaderNodeTexNoise, GeometryNodeSetPosition …, or its label: Noise Texture"],  # noqa: A002
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    group: Annotated[Optional[Name], "for group nodes: the node group that it is"] = None,
    properties: Properties = None,
    inputs: Inputs = None,
    location: Where = None,
) -> NodeDetails:
    """Add a node, with its properties and input values. node.link connects it. The answer has the name it got.

    Properties are set before inputs, since they decide which inputs a node has.
    """
    found = tree_to_change(tree)
    inner = _group_named(group)
    node = _new_node(found, type)
    try:
        if inner is not None:
            _make_group(node, inner)
        _set(found, node, properties, inputs)
    except BaseException:
        found.nodes.remove(node)
        raise
    if name:
        node.name = name
    node.location = location or _free_place(found, node)
    return node_details(node)


@command("node.set", idempotent=True)
def set_node(
    *,
    tree: WhichTree,
    node: NodeName,
    properties: Properties = None,
    inputs: Inputs = None,
    location: Where = None,
) -> NodeDetails:
    """Change a node's properties and the values of its inputs; what was linked to an input that is set is unlinked.

    What is not given stays. Names of the Principled shader's inputs from before and after Blender 4.0 both work.
    """
    found = tree_to_change(tree)
    item = node_named(found, node)
    _set(found, item, properties, inputs)
    if location is not None:
        item.location = location
    return node_details(item)


@command("node.remove", destructive=True)
def remove(*, tree: WhichTree, nodes: Annotated[List[NodeName], "the nodes' names", Size(1, 1000)]) -> Removed:
    """Remove nodes and their links. If a name is missing none is removed."""
    found = tree_of(tree)
    items = [node_named(found, name, "nodes") for name in dict.fromkeys(nodes)]
    names = [item.name for item in items]
    for item in items:
        found.nodes.remove(item)
    return {"removed": names}


@command("node.link", idempotent=True)
def link(
    *,
    tree: WhichTree,
    from_node: NodeName,
    from_socket: Annotated[SocketName, "an output of it"],
    to_node: NodeName,
    to_socket: Annotated[SocketName, "an input of it"],
) -> Link:
    """Link an output to an input. The link that the input had gives way, but for inputs that take several."""
    found = tree_to_change(tree)
    start, end = node_named(found, from_node, "from_node"), node_named(found, to_node, "to_node")
    source = socket_named(start, start.outputs, from_socket, "from_socket")
    target = socket_named(end, end.inputs, to_socket, "to_socket")
    if start == end or _leads_to(end, start):
        raise refuse("to_node", f"{from_node!r} depends on {to_node!r} already: nodes make no loops")
    problem = _mismatch(source, target)
    if problem:
        raise refuse("to_socket", problem)
    return link_state(found.links.new(source, target))


@command("node.unlink", destructive=True)
def unlink(
    *,
    tree: WhichTree,
    to_node: NodeName,
    to_socket: Annotated[Optional[SocketName], "an input of it; default: all of them"] = None,
    from_node: Annotated[Optional[Name], "only links from this node"] = None,
) -> Unlinked:
    """Remove the links to a node's input, or to all its inputs, and tell which they were."""
    found = tree_of(tree)
    end = node_named(found, to_node, "to_node")
    if from_node is not None:
        node_named(found, from_node, "from_node")
    sockets = list(end.inputs) if to_socket is None else [socket_named(end, end.inputs, to_socket, "to_socket")]
    links = [item for socket in sockets for item in socket.links if from_node in (None, item.from_node.name)]
    if not links:
        raise refuse("to_socket", f"nothing is linked to {to_socket or to_node!r}")
    removed = [link_state(item) for item in links]
    for item in links:
        found.links.remove(item)
    return {"removed": removed}


def _group_named(name: Optional[str]) -> Any:
    import bpy

    return None if name is None else data_named(bpy.data.node_groups, "node group", name, "group")


def _make_group(node: Any, group: Any) -> None:
    if not hasattr(node, "node_tree"):
        raise refuse("group", f"{node.bl_idname!r} is no group node")
    try:
        node.node_tree = group
    except TypeError:
        raise refuse("group", f"{group.name!r} is a {group.bl_idname}, and this is none") from None
    if node.node_tree != group:
        raise refuse("group", f"{group.name!r} cannot be put in here: it holds this tree itself, or is of another kind")


def _new_node(tree: Any, kind: str) -> Any:
    try:
        return tree.nodes.new(kind)
    except RuntimeError as error:
        if "undefined" not in str(error):
            raise refuse("type", str(error).removeprefix("Error: ").strip()) from None
    types = node_types(tree)
    folded = {label.casefold(): identifier for label, identifier in types.items()}
    if kind.casefold() in folded:
        return _new_node(tree, folded[kind.casefold()])
    known = [*types.values(), *types]
    raise refuse("type", f"there is no node type {kind!r}{did_you_mean(kind, known)}", nearest(kind, known))


def _set(tree: Any, node: Any, properties: Optional[Dict[str, Any]], inputs: Optional[Dict[str, Any]]) -> None:
    """All of it or none."""
    if not properties:
        set_inputs(tree, node, inputs or {}, "inputs")
        return
    known = [name for name in properties if name in node.bl_rna.properties]
    before = property_values(node, known)
    set_properties(node, properties, "properties")
    try:
        set_inputs(tree, node, inputs or {}, "inputs")
    except Fault:
        set_properties(node, before, "properties")
        raise


def _free_place(tree: Any, node: Any) -> Tuple[float, float]:
    """To the left of all others, in line with the leftmost: what is added mostly feeds what is there."""
    others = [other for other in tree.nodes if other != node]
    if not others:
        return 0.0, 0.0
    leftmost = min(others, key=lambda other: other.location.x)
    return leftmost.location.x - node.width - 60, leftmost.location.y


def _leads_to(start: Any, end: Any) -> bool:
    """Whether links lead from the node `start` to the node `end`."""
    seen, waiting = set(), [start]
    while waiting:
        node = waiting.pop()
        for output in node.outputs:
            for item in output.links:
                if item.to_node == end:
                    return True
                if item.to_node.name not in seen:
                    seen.add(item.to_node.name)
                    waiting.append(item.to_node)
    return False


_ONLY_THEIR_OWN = {
    "SHADER", "GEOMETRY", "OBJECT", "COLLECTION", "MATERIAL", "IMAGE", "TEXTURE", "STRING", "BUNDLE", "CLOSURE",
}  # fmt: skip


def _mismatch(source: Any, target: Any) -> str:
    """Why Blender would draw the link red, "" where it would not. A value can become a shader: emission."""
    if source.type == target.type or "CUSTOM" in (source.type, target.type):
        return ""
    if target.type == "SHADER" and source.type not in _ONLY_THEIR_OWN:
        return ""
    if source.type in _ONLY_THEIR_OWN or target.type in _ONLY_THEIR_OWN:
        return f"an output of type {source.type} does not fit an input of type {target.type}"
    return ""
