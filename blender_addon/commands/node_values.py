"""Values of node sockets as JSON, checked against what each socket takes."""

from __future__ import annotations

from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

from ..scalars import Mismatch
from ..schema import did_you_mean, nearest
from .lookup import refuse, refuse_all
from .node_trees import find_socket, named_sockets, socket_names
from .rna import property_values
from .rna_types import check_value


class _Setting(NamedTuple):
    socket: Any
    value: Any
    param: str


def socket_value(socket: Any) -> Any:
    """What the socket holds while nothing is linked to it, as JSON; None where it takes links only."""
    prop = socket.bl_rna.properties.get("default_value")
    return property_values(socket, ["default_value"])["default_value"] if prop is not None else None


def input_values(node: Any) -> Dict[str, Any]:
    """The inputs of a node that hold a value and are not linked."""
    values = {}
    for name, socket in named_sockets(node.inputs).items():
        if not socket.is_linked and "default_value" in socket.bl_rna.properties:
            values[name] = socket_value(socket)
    return values


def set_inputs(tree: Any, node: Any, values: Mapping[str, Any], param: str) -> None:
    """Set these inputs, all of them or none; what was linked to them is unlinked. Raises Fault `invalid_params`."""
    problems: List[Tuple[str, str]] = []
    close: List[str] = []
    settings: List[_Setting] = []
    for name, value in values.items():
        place = f"{param}.{name}"
        socket = find_socket(node, node.inputs, name)
        if socket is None:
            known = socket_names(node.inputs)
            hint = did_you_mean(name, known) or f"; it has {', '.join(known) or 'none'}"
            problems.append((place, f"{node.name!r} has no input {name!r}{hint}"))
            close += nearest(name, known)
            continue
        try:
            settings.append(_Setting(socket, checked_default(socket, value, close), place))
        except Mismatch as mismatch:
            problems += [(place + deeper, problem) for deeper, problem in mismatch.problems]
    if problems:
        raise refuse_all(problems, close)
    _apply(tree, settings)


def checked_default(owner: Any, value: Any, close: List[str]) -> Any:
    """The value as Blender takes it for `owner.default_value`. Raises Mismatch."""
    prop = owner.bl_rna.properties.get("default_value")
    if prop is None:
        raise Mismatch("takes links only, no value")
    if prop.type == "FLOAT" and prop.is_array and isinstance(value, (int, float)) and not isinstance(value, bool):
        # One number is meant for all: a scale of 2 is [2, 2, 2].
        value = [value] * len(owner.default_value)
    return check_value(owner, prop, value, close)


def _apply(tree: Any, settings: List[_Setting]) -> None:
    for setting in settings:
        try:
            setting.socket.default_value = setting.value
        except (TypeError, ValueError) as error:
            # A menu's choices are known to Blender alone.
            raise refuse(setting.param, str(error).rpartition("= val: ")[2][:1000]) from None
        for link in list(setting.socket.links):
            tree.links.remove(link)
