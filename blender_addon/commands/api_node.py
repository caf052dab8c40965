"""api.node: a node's sockets and properties, from one that is made for it and removed again."""

from __future__ import annotations

import contextlib
from functools import partial
from typing import Annotated, Any, Callable, Iterator, List, Optional, Tuple, TypedDict

from ..schema import did_you_mean, nearest
from .api_index import find, names
from .catalogue import command
from .described import rounded
from .lookup import refuse
from .parameters import Name
from .rna_types import PropertyDescription, describe_property
from .silence import without_warnings

_LONGEST = 500
_MOST_SOCKETS = 100


class Socket(TypedDict, total=False):
    """`default` is what it has in a new node. `identifier`: where it is not the name, and names repeat. `enabled` is
    false where it is there only after a property of the node is changed."""

    name: str
    identifier: str
    type: str
    default: Any
    min: float
    max: float
    enabled: bool
    multiple: bool


class NodeDescription(TypedDict):
    """`tree`: the kind of node tree it was made in. `properties`: its own, without those that every node has."""

    name: str
    label: str
    description: str
    tree: str
    inputs: List[Socket]
    outputs: List[Socket]
    properties: List[PropertyDescription]


@command("api.node", read_only=True)
def describe_node(
    *,
    name: Annotated[Name, 'its type or its label: "ShaderNodeBsdfPrincipled", "Principled BSDF"'],
) -> NodeDescription:
    """Describe a shader, geometry, compositor or texture node: inputs and outputs with their defaults, properties."""
    import bpy

    with without_warnings():
        kind = _node_type(name)
        rna = getattr(bpy.types, kind).bl_rna
        with _made(kind) as (node, tree):
            common = bpy.types.Node.bl_rna.properties
            own = [prop for prop in rna.properties if prop.identifier not in common]
            return {
                "name": kind,
                "label": rna.name,
                "description": rna.description[:_LONGEST],
                "tree": tree,
                "inputs": [_socket(one) for one in node.inputs[:_MOST_SOCKETS]],
                "outputs": [_socket(one) for one in node.outputs[:_MOST_SOCKETS]],
                "properties": [describe_property(prop) for prop in own],
            }


def _node_type(name: str) -> str:
    import bpy

    found = getattr(bpy.types, name, None)
    if isinstance(found, type) and issubclass(found, bpy.types.Node):
        return name
    known = names("node")
    labelled = [one.name for one in find(name, ("node",)) if one.label.casefold() == name.casefold()]
    if len(labelled) == 1:
        return labelled[0]
    if labelled:
        raise refuse("name", f"{name!r} is what several nodes are called: {', '.join(labelled)}", labelled)
    close = [one.name for one in find(name, ("node",))][:5] or nearest(name, known)
    raise refuse("name", f"there is no node {name!r}{did_you_mean(name, close or known)}", close)


@contextlib.contextmanager
def _made(kind: str) -> Iterator[Tuple[Any, str]]:
    """A node of that type in a tree of its own. Raises Fault for one that cannot be made by itself."""
    last: Optional[RuntimeError] = None
    for tree_type, place in _places(kind):
        with place() as tree:
            try:
                node = tree.nodes.new(kind)
            except RuntimeError as error:
                last = error
                continue
            yield node, tree_type
            return
    raise refuse("name", f"{kind} cannot be made by itself: {str(last).removeprefix('Error: ').strip()}")


Place = Callable[[], contextlib.AbstractContextManager[Any]]


def _places(kind: str) -> List[Tuple[str, Place]]:
    """Where such a node may be, likeliest first: a few are for materials, worlds or scenes and not for groups."""
    prefixes = {"Shader": "ShaderNodeTree", "Geometry": "GeometryNodeTree", "Function": "GeometryNodeTree",
                "Compositor": "CompositorNodeTree", "Texture": "TextureNodeTree"}  # fmt: skip
    likely = next((tree for prefix, tree in prefixes.items() if kind.startswith(prefix)), "GeometryNodeTree")
    trees = [likely, *(tree for tree in dict.fromkeys(prefixes.values()) if tree != likely)]
    groups: List[Tuple[str, Place]] = [(tree, partial(_group, tree)) for tree in trees]
    # Since Blender 5.0 the compositor is a group like any other.
    return [*groups, ("CompositorNodeTree", _compositor)] if _has_compositor() else groups


def _has_compositor() -> bool:
    import bpy

    return "node_tree" in bpy.types.Scene.bl_rna.properties


@contextlib.contextmanager
def _group(tree_type: str) -> Iterator[Any]:
    import bpy

    tree = bpy.data.node_groups.new("bpy-bridge", tree_type)
    try:
        yield tree
    finally:
        bpy.data.node_groups.remove(tree)


@contextlib.contextmanager
def _compositor() -> Iterator[Any]:
    """A scene's compositor, which has nodes that a group must not have."""
    import bpy

    scene = bpy.data.scenes.new("bpy-bridge")
    try:
        scene.use_nodes = True
        yield scene.node_tree
    finally:
        bpy.data.scenes.remove(scene)


def _socket(socket: Any) -> Socket:
    said: Socket = {"name": socket.name, "type": getattr(socket, "type", socket.bl_idname)}
    if socket.identifier != socket.name:
        said["identifier"] = socket.identifier
    if not socket.enabled:
        said["enabled"] = False
    if socket.is_multi_input:
        said["multiple"] = True
    prop = socket.bl_rna.properties.get("default_value")
    if prop is not None and not socket.is_output and not getattr(socket, "hide_value", False):
        described = describe_property(prop)
        said["default"] = _value(socket.default_value)
        for bound in ("min", "max"):
            if bound in described:
                said[bound] = described[bound]
    return said


def _value(value: Any) -> Any:
    if hasattr(value, "__len__") and not isinstance(value, str):
        return rounded(value)
    if isinstance(value, float):
        return rounded([value])[0]
    return getattr(value, "name", value)
