"""One property of an object as something that keyframes move, wherever its data lives."""

from __future__ import annotations

import contextlib
import re
from typing import Any, Iterator, List, NamedTuple, Optional, Tuple

from ..scalars import got
from ..schema import did_you_mean, nearest
from ..wire import Fault
from .fcurves import Curves, curves_of
from .lookup import refuse

# `data.energy` is owner `data` and name `energy`; `["mine"]` is the object's own custom property.
_NAMED = re.compile(r"(?:(?P<owner>.+)\.)?(?P<name>[A-Za-z_]\w*)")
_CUSTOM = re.compile(r"""(?P<owner>.*?)\.?\[(?P<quote>["'])(?P<name>.+)(?P=quote)\]""")


class Channel:
    """The property: which data-block it is animated in, by which path there, and what values it takes."""

    def __init__(self, holder: Any, name: str, *, custom: bool, index: Optional[int]) -> None:
        self._holder, self._name, self._custom = holder, name, custom
        self._block = holder.id_data
        own = holder.path_from_id() if holder != self._block else ""
        if custom:
            escaped = name.replace("\\", "\\\\").replace('"', '\\"')
            self._path = f'{own}["{escaped}"]'
        else:
            self._path = f"{own}.{name}" if own else name
        value = self._value()
        self._count = len(value) if hasattr(value, "__len__") and not isinstance(value, (str, set)) else 0
        self._kind = bool if isinstance(value, bool) else str if isinstance(value, str) else float
        if index is not None and index >= self._count:
            has = f"has {self._count} components" if self._count else "is a single value"
            raise refuse("index", f"{name} {has}")
        self._index = index

    def moves(self, block: Any, curve: Any) -> bool:
        """Whether a curve of that data-block is one of this property's."""
        return bool(block == self._block and curve.data_path == self._path)

    def wrong(self, value: Any) -> Optional[str]:
        """What is wrong with a value for this property, None where nothing is."""
        if self._count and self._index is None:
            if not isinstance(value, list) or len(value) != self._count:
                return f"expected {self._count} numbers, got {got(value)}"
            return None
        if self._kind is str:
            known = self._holder.bl_rna.properties[self._name].enum_items.keys()
            known_one = isinstance(value, str) and value in known
            return None if known_one else f"expected one of {', '.join(known[:30])}, got {got(value)}"
        if isinstance(value, (list, str)):
            return f"expected a number, got {got(value)}"
        return None

    def insert(self, frame: float, value: Any, interpolation: str) -> None:
        """Set the value at a frame. Raises Fault where Blender does not animate this property."""
        self._set(value)
        index = -1 if self._index is None else self._index
        try:
            done = self._block.keyframe_insert(self._path, index=index, frame=frame)
        except (TypeError, RuntimeError) as error:
            raise refuse("data_path", str(error).strip()) from None
        if not done:
            raise refuse("data_path", f"Blender does not animate {self._path}: it may be locked or linked")
        for curve in self.curves():
            if index not in (-1, curve.array_index):
                continue
            point = _point_at(curve.keyframe_points, frame)
            if point is not None:
                point.interpolation = interpolation

    def curves(self) -> List[Any]:
        """The curves of this property."""
        return [curve for group in curves_of(self._block) for curve in group if self.moves(self._block, curve)]

    def _value(self) -> Any:
        return self._holder[self._name] if self._custom else getattr(self._holder, self._name)

    def _set(self, value: Any) -> None:
        if self._index is not None:
            self._value()[self._index] = value
            return
        before = self._value()
        value = _like(before, value)
        if self._custom:
            self._holder[self._name] = value
        else:
            setattr(self._holder, self._name, value)


def channel_of(item: Any, path: str, index: Optional[int]) -> Channel:
    """The property that the path names, from the object on. Raises Fault `invalid_params` where there is none."""
    custom = _CUSTOM.fullmatch(path)
    found = custom or _NAMED.fullmatch(path)
    if found is None:
        hint = "; give a component by index" if path.endswith("]") else ""
        raise refuse("data_path", f"{path!r} is no path to a property{hint}")
    holder, name = item, found["name"]
    if found["owner"]:
        try:
            holder = item.path_resolve(found["owner"])
        except ValueError:
            holder = None
    if holder is None or not hasattr(holder, "bl_rna"):
        raise refuse("data_path", f"{item.name!r} has no {found['owner']!r}")
    block = holder.id_data
    if all(block != own for _prefix, own in _blocks(item)):
        raise refuse(
            "data_path", f"{found['owner']!r} belongs to {block.name!r}: name the object that has it as its own"
        )
    if custom:
        if name not in holder.keys():  # noqa: SIM118  # Blender's data is no dictionary
            raise refuse("data_path", f"there is no custom property {name!r}", nearest(name, holder.keys()))
        return Channel(holder, name, custom=True, index=index)
    _check_animatable(holder, name)
    return Channel(holder, name, custom=False, index=index)


def _check_animatable(holder: Any, name: str) -> None:
    properties = holder.bl_rna.properties
    known = [prop.identifier for prop in properties if prop.is_animatable and not prop.is_readonly]
    if name not in properties:
        kind = holder.bl_rna.name or holder.bl_rna.identifier
        raise refuse("data_path", f"{kind} has no property {name!r}{did_you_mean(name, known)}", nearest(name, known))
    if name not in known or properties[name].type not in ("BOOLEAN", "INT", "FLOAT", "ENUM"):
        raise refuse("data_path", f"Blender does not animate {name!r}", nearest(name, known))


class Animated(NamedTuple):
    """One curve of an object or of its data: the path of its property from the object on, and where the curve is."""

    path: str
    curves: Curves
    curve: Any


def curves_from(item: Any, path: Optional[str]) -> Iterator[Animated]:
    """The curves of that property; of all of an object and its data where there is no path."""
    wanted = None
    # What is animated may be gone by now; its curves are still called by their path.
    with contextlib.suppress(Fault):
        wanted = channel_of(item, path, None) if path is not None else None
    for prefix, block in _blocks(item):
        for curves in curves_of(block):
            for curve in curves:
                if path in (None, prefix + curve.data_path) or (wanted is not None and wanted.moves(block, curve)):
                    yield Animated(prefix + curve.data_path, curves, curve)


def _blocks(item: Any) -> Iterator[Tuple[str, Any]]:
    """The data-blocks that are animated with an object, each with the path to it: its own, its data's, its materials'.

    Each once: two slots may have one material.
    """
    told = set()
    for prefix, block in _blocks_by_path(item):
        if block is not None and block not in told:
            told.add(block)
            yield prefix, block


def _blocks_by_path(item: Any) -> Iterator[Tuple[str, Any]]:
    yield "", item
    yield "data.", item.data
    for part in ("shape_keys", "node_tree"):
        yield f"data.{part}.", getattr(item.data, part, None)
    for number, slot in enumerate(item.material_slots):
        yield f"material_slots[{number}].material.", slot.material
        yield f"material_slots[{number}].material.node_tree.", getattr(slot.material, "node_tree", None)


def _like(before: Any, value: Any) -> Any:
    """The value as a property of that type takes it: whole numbers for an int, true or false for a boolean."""
    if isinstance(before, bool):
        return bool(value)
    if isinstance(before, int):
        return round(value)
    if isinstance(value, list) and len(before) and isinstance(before[0], int):
        return [type(before[0])(entry) for entry in value]
    return value


def _point_at(points: Any, frame: float) -> Any:
    """The keyframe at that frame; they are sorted by it."""
    low, high = 0, len(points)
    while low < high:
        middle = (low + high) // 2
        if points[middle].co.x < frame - 1e-3:
            low = middle + 1
        else:
            high = middle
    return points[low] if low < len(points) and abs(points[low].co.x - frame) < 2e-3 else None
