"""geometry_nodes.*: node groups as modifiers, and their inputs by name."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Mapping, Optional, Tuple, TypedDict

from ..constraints import Size
from ..scalars import Mismatch, got
from ..schema import did_you_mean, nearest
from .catalogue import command
from .described import rounded
from .group_interface import add_socket, by_name, group_sockets, socket_kind
from .lookup import object_named, refuse, refuse_all
from .modifier_inputs import FIELDS, input_sockets, menu_items, read_input, write_attribute_name, write_input
from .node_values import checked_default
from .paging import Limit, Offset, page
from .parameters import Name
from .rna import property_values

ModifierName = Annotated[
    Optional[Name], "the modifier's name; default: the only geometry-nodes modifier that the object has"
]
Inputs = Annotated[
    Optional[Dict[str, Any]],
    'values by input name: {"Count": 5, "Material": "Gold"}; {"Scale": {"attribute": "name"}} lets it read an '
    "attribute of the geometry",
]
# More of them in a result would help nobody.
_MOST_INPUTS = 100


class Group(TypedDict):
    """A node group. `inputs` and `outputs` are "name: kind"; `users` counts modifiers and nodes that it is in."""

    name: str
    users: int
    nodes: int
    inputs: List[str]
    outputs: List[str]


class Groups(TypedDict):
    groups: List[Group]
    next_offset: Optional[int]


class _Input(TypedDict):
    name: str
    identifier: str
    type: str
    value: Any


class Input(_Input, total=False):
    """One input: `value` is JSON, data by name, or {"attribute": name} where it reads one."""

    min: float
    max: float
    values: List[str]
    default: Any
    description: str


class ModifierInputs(TypedDict):
    object: str
    modifier: str
    group: Optional[str]
    inputs: List[Input]


class CreatedGroup(TypedDict):
    group: str
    inputs: List[str]
    outputs: List[str]


class _Setting(TypedDict):
    socket: Any
    value: Any
    attribute: Optional[str]


@command("geometry_nodes.list", read_only=True)
def list_groups(
    *,
    search: Annotated[str, "only those whose name contains this", Size(0, 255)] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Groups:
    """List the geometry node groups of the file, with what goes into them and out of them."""
    import bpy

    groups = [group for group in bpy.data.node_groups if group.bl_idname == "GeometryNodeTree"]
    found = [group for group in groups if search.casefold() in group.name.casefold()]
    shown, following = page(found, limit, offset)
    return {"groups": [_group(group) for group in shown], "next_offset": following}


@command("geometry_nodes.create_group")
def create_group(
    *,
    name: Annotated[Name, "its name; Blender adds .001 and so on where it is taken"],
    inputs: Annotated[
        Optional[Dict[str, str]], 'inputs beside the geometry, name to kind: {"Count": "Int", "Material": "Material"}'
    ] = None,
) -> CreatedGroup:
    """Make a geometry node group that passes its geometry on; build it with node.add and node.link.

    Its nodes "Group Input" and "Group Output" are linked. Kinds: Float, Int, Bool, Vector, Color, Rotation, Matrix,
    String, Menu, Object, Collection, Material, Image.
    """
    import bpy

    group = bpy.data.node_groups.new(name, "GeometryNodeTree")
    try:
        add_socket(group, "Geometry", "NodeSocketGeometry")
        for socket, kind in (inputs or {}).items():
            _add(group, socket, kind)
        add_socket(group, "Geometry", "NodeSocketGeometry", output=True)
    except BaseException:
        bpy.data.node_groups.remove(group)
        raise
    start, end = group.nodes.new("NodeGroupInput"), group.nodes.new("NodeGroupOutput")
    start.location, end.location = (-300, 0), (300, 0)
    group.links.new(start.outputs[0], end.inputs[0])
    if hasattr(group, "is_modifier"):
        group.is_modifier = True
    said = _group(group)
    return {"group": said["name"], "inputs": said["inputs"], "outputs": said["outputs"]}


@command("geometry_nodes.add")
def add(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    group: Annotated[Name, "the node group's name"],
    name: Annotated[Optional[Name], "the modifier's name; default: the group's"] = None,
    inputs: Inputs = None,
) -> ModifierInputs:
    """Give an object a modifier that is a geometry node group, with its inputs set by name."""
    item = object_named(object, "object")
    wanted = _group_named(group)
    modifier = item.modifiers.new(name or wanted.name, "NODES")
    if modifier is None:
        raise refuse("object", f"{object!r} is a {item.type.lower()}, which takes no geometry nodes")
    try:
        modifier.node_group = wanted
        _set_inputs(modifier, inputs or {})
    except BaseException:
        item.modifiers.remove(modifier)
        raise
    return _inputs(item, modifier)


@command("geometry_nodes.get", read_only=True)
def get(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    modifier: ModifierName = None,
) -> ModifierInputs:
    """Tell a geometry-nodes modifier's inputs: names, types, values, ranges and choices."""
    item = object_named(object, "object")
    return _inputs(item, _modifier_of(item, modifier))


@command("geometry_nodes.set", idempotent=True)
def set_inputs(
    *,
    object: Annotated[Name, "the object's name"],  # noqa: A002  # the name is the public parameter
    modifier: ModifierName = None,
    inputs: Inputs = None,
    group: Annotated[Optional[Name], "give it another node group first"] = None,
) -> ModifierInputs:
    """Set inputs of a geometry-nodes modifier by name: all of them, or none. What is not given stays."""
    item = object_named(object, "object")
    found = _modifier_of(item, modifier)
    before = found.node_group
    if group is not None:
        found.node_group = _group_named(group)
    try:
        _set_inputs(found, inputs or {})
    except BaseException:
        found.node_group = before
        raise
    return _inputs(item, found)


def _group(group: Any) -> Group:
    sides = [by_name(group_sockets(group, outputs=outputs)) for outputs in (False, True)]
    inputs, outputs = ([f"{name}: {socket_kind(socket)}" for name, socket in side.items()] for side in sides)
    return {
        "name": group.name,
        "users": int(group.users) - int(group.use_fake_user),
        "nodes": len(group.nodes),
        "inputs": inputs[:_MOST_INPUTS],
        "outputs": outputs[:_MOST_INPUTS],
    }


def _add(group: Any, name: str, kind: str) -> None:
    try:
        add_socket(group, name, f"NodeSocket{kind}")
    except (TypeError, RuntimeError):
        raise refuse(f"inputs.{name}", f"this Blender has no inputs of the kind {kind!r}") from None


def _group_named(name: str) -> Any:
    import bpy

    found = bpy.data.node_groups.get(name)
    known = [group.name for group in bpy.data.node_groups if group.bl_idname == "GeometryNodeTree"]
    if found is None or found.name not in known:
        problem = "is no geometry node group" if found else "is not there"
        raise refuse("group", f"{name!r} {problem}{did_you_mean(name, known)}", nearest(name, known))
    return found


def _modifier_of(item: Any, name: Optional[str]) -> Any:
    known = [modifier for modifier in item.modifiers if modifier.type == "NODES"]
    names = [modifier.name for modifier in known]
    if name is None and len(known) == 1:
        return known[0]
    if name not in names:
        problem = f"has no geometry-nodes modifier {name!r}" if name else "has not one geometry-nodes modifier: name it"
        listed = f"; it has {', '.join(names)}" if names else ""
        raise refuse("modifier", f"{item.name!r} {problem}{listed}", nearest(name or "", names) or names[:5])
    return item.modifiers[name]


def _inputs(item: Any, modifier: Any) -> ModifierInputs:
    group = modifier.node_group
    sockets = input_sockets(group) if group else {}
    return {
        "object": item.name,
        "modifier": modifier.name,
        "group": group.name if group else None,
        "inputs": [_input(modifier, name, socket) for name, socket in list(sockets.items())[:_MOST_INPUTS]],
    }


def _input(modifier: Any, name: str, socket: Any) -> Input:
    value = read_input(modifier, socket)
    if isinstance(value, int) and socket_kind(socket) == "Bool":
        value = bool(value)
    said: Input = {"name": name, "identifier": socket.identifier, "type": socket_kind(socket), "value": value}
    if hasattr(socket, "min_value"):
        least, most = rounded((socket.min_value, socket.max_value))
        # Blender's words for "no limit" are the largest numbers.
        if least > (-3.4e38 if said["type"] != "Int" else -2147483647):
            said["min"] = least
        if most < (3.4e38 if said["type"] != "Int" else 2147483646):
            said["max"] = most
    if said["type"] == "Menu":
        said["values"] = list(menu_items(modifier, socket))
    elif "default_value" in socket.bl_rna.properties:
        said["default"] = property_values(socket, ["default_value"])["default_value"]
    if socket.description:
        said["description"] = socket.description[:200]
    return said


def _set_inputs(modifier: Any, values: Mapping[str, Any]) -> None:
    if modifier.node_group is None and values:
        raise refuse("modifier", f"{modifier.name!r} has no node group yet")
    sockets = input_sockets(modifier.node_group) if values else {}
    by_identifier = {socket.identifier: socket for socket in sockets.values()}
    problems: List[Tuple[str, str]] = []
    close: List[str] = []
    settings: List[_Setting] = []
    for name, value in values.items():
        socket = sockets.get(name) or by_identifier.get(name)
        if socket is None:
            hint = did_you_mean(name, sockets) or f"; it has {', '.join(sockets) or 'none'}"
            problems.append((f"inputs.{name}", f"there is no input {name!r}{hint}"))
            close += nearest(name, sockets)
            continue
        try:
            settings.append(_checked(modifier, socket, value, close))
        except Mismatch as mismatch:
            problems += [(f"inputs.{name}{deeper}", problem) for deeper, problem in mismatch.problems]
    if problems:
        raise refuse_all(problems, close)
    for setting in settings:
        if setting["attribute"] is not None:
            write_attribute_name(modifier, setting["socket"], setting["attribute"])
        else:
            write_input(modifier, setting["socket"], setting["value"])
    # Values that are set from Python do not tell Blender of it.
    modifier.id_data.update_tag()


def _checked(modifier: Any, socket: Any, value: Any, close: List[str]) -> _Setting:
    if isinstance(value, dict):
        attribute = value.get("attribute")
        if len(value) != 1 or not isinstance(attribute, str):
            raise Mismatch('expected a value or {"attribute": name}, got an object of another kind')
        if socket_kind(socket) not in FIELDS:
            raise Mismatch(f"takes a value, no attribute: it is a {socket_kind(socket)}")
        return {"socket": socket, "value": None, "attribute": attribute}
    words = menu_items(modifier, socket)
    if socket_kind(socket) == "Menu":
        if value not in words:
            raise Mismatch(f"expected one of {', '.join(words) or 'no choices yet'}, got {got(value)}")
        return {"socket": socket, "value": value, "attribute": None}
    checked = checked_default(socket, value, close)
    if hasattr(socket, "min_value"):
        numbers = checked if isinstance(checked, (list, tuple)) else [checked]
        if not all(socket.min_value <= number <= socket.max_value for number in numbers):
            raise Mismatch(f"expected from {socket.min_value:g} to {socket.max_value:g}, got {got(value)}")
    return {"socket": socket, "value": checked, "attribute": None}
