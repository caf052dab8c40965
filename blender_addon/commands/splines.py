"""Points ↔ a curve's splines, in bulk."""

from __future__ import annotations

from array import array
from typing import Any, Iterator, List, Mapping, Optional, Sequence, TypedDict

from ..constraints import Array
from ..wire import Part
from .attribute_types import numbers
from .geometry import all_finite
from .lookup import refuse

POINTS = Array("<f4", 3)
# In a result; more of them go as a binary part.
MOST_POINTS = 200


class SplineState(TypedDict):
    """One spline; its points follow those of the spline before."""

    type: str
    points: int
    cyclic: bool
    order: Optional[int]


def coordinates(points: Any) -> array[Any]:
    """The points of a request, a list or a part, as numbers in a row. Raises Fault `invalid_params`."""
    if isinstance(points, Part):
        found = numbers(points, POINTS)
        if not all_finite(found):
            raise refuse("points", "has numbers that are not finite")
    else:
        found = array("f", [number for point in points for number in point])
    if not found:
        raise refuse("points", "a curve has at least one point")
    return found


def divided(points: array[Any], lengths: Optional[Sequence[int]]) -> List[array[Any]]:
    """The points of each spline. Raises Fault `invalid_params` where the lengths do not add up."""
    count = len(points) // 3
    if lengths is None:
        return [points]
    if sum(lengths) != count:
        raise refuse("spline_lengths", f"add up to {sum(lengths)}, and there are {count} points")
    found, start = [], 0
    for length in lengths:
        found.append(points[start * 3 : (start + length) * 3])
        start += length
    return found


def replace_splines(curve: Any, kind: str, parts: Sequence[array[Any]], *, cyclic: bool, order: int) -> None:
    """Make the curve of these splines alone."""
    curve.splines.clear()
    for part in parts:
        _MAKERS[kind](curve, part)
        spline = curve.splines[-1]
        spline.use_cyclic_u = cyclic
        if kind == "NURBS":
            spline.order_u = min(order, max(2, len(part) // 3))
            # Else an open curve would end short of its first and last points.
            spline.use_endpoint_u = not cyclic


def _straight(curve: Any, part: array[Any], kind: str) -> None:
    spline = curve.splines.new(kind)
    count = len(part) // 3
    spline.points.add(count - 1)
    weighted = array("f", (1.0,)) * (count * 4)
    for axis in range(3):
        weighted[axis::4] = part[axis::3]
    spline.points.foreach_set("co", weighted)


def _bezier(curve: Any, part: array[Any]) -> None:
    spline = curve.splines.new("BEZIER")
    spline.bezier_points.add(len(part) // 3 - 1)
    spline.bezier_points.foreach_set("co", part)
    for point in spline.bezier_points:
        point.handle_left_type = point.handle_right_type = "AUTO"


_MAKERS: Mapping[str, Any] = {
    "POLY": lambda curve, part: _straight(curve, part, "POLY"),
    "NURBS": lambda curve, part: _straight(curve, part, "NURBS"),
    "BEZIER": _bezier,
}


def spline_state(spline: Any) -> SplineState:
    """What a result says of one spline."""
    return {
        "type": spline.type,
        "points": _count(spline),
        "cyclic": spline.use_cyclic_u,
        "order": spline.order_u if spline.type == "NURBS" else None,
    }


def point_count(splines: Any) -> int:
    """Points of all of them."""
    return sum(_count(spline) for spline in splines)


def read_points(splines: Sequence[Any]) -> Part:
    """The points of these splines one after another, as a binary part."""
    values = array("f")
    for spline in splines:
        values.extend(_read(spline))
    return Part(memoryview(values).cast("B"), dtype="<f4", shape=(len(values) // 3, 3))


def read_handles(splines: Sequence[Any]) -> Mapping[str, Part]:
    """The handles of Bézier splines; of others their points, so that all rows match."""
    found = {}
    for name in ("handle_left", "handle_right"):
        values = array("f")
        for spline in splines:
            values.extend(_read(spline, name) if spline.type == "BEZIER" else _read(spline))
        found[name] = Part(memoryview(values).cast("B"), dtype="<f4", shape=(len(values) // 3, 3))
    return found


def first_points(splines: Sequence[Any], limit: int) -> Iterator[Sequence[float]]:
    """The first points of these splines, in order."""
    for spline in splines:
        for point in spline.bezier_points if spline.type == "BEZIER" else spline.points:
            if limit <= 0:
                return
            limit -= 1
            yield point.co[:3]


def _count(spline: Any) -> int:
    return len(spline.bezier_points if spline.type == "BEZIER" else spline.points)


def _read(spline: Any, key: str = "co") -> array[Any]:
    if spline.type == "BEZIER":
        values = array("f", (0,)) * (_count(spline) * 3)
        spline.bezier_points.foreach_get(key, values)
        return values
    weighted = array("f", (0,)) * (_count(spline) * 4)
    spline.points.foreach_get("co", weighted)
    values = array("f", (0,)) * (_count(spline) * 3)
    for axis in range(3):
        values[axis::3] = weighted[axis::4]
    return values
