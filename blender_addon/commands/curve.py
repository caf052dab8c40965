"""curve.*: curves from points, as lines, pipes and outlines."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict, Union

from ..constraints import Range, Size
from ..schema import nearest
from ..wire import Part
from .catalogue import command
from .described import rounded
from .lookup import object_named, refuse
from .paging import Limit, Offset, page
from .parameters import Location, Name, Rotation, Vector
from .placing import placed
from .rna import set_properties
from .splines import (
    MOST_POINTS,
    POINTS,
    SplineState,
    coordinates,
    divided,
    first_points,
    point_count,
    read_handles,
    read_points,
    replace_splines,
    spline_state,
)

Kind = Literal["POLY", "BEZIER", "NURBS"]
Points = Annotated[
    Union[Annotated[List[Vector], Size(1, 2_000)], Annotated[Part, POINTS]],
    "the points, x, y, z in the object's own space, as a list or as a binary part of <f4 [n, 3]",
]
Lengths = Annotated[
    Optional[List[Annotated[int, Range(1)]]],
    "how many of the points each spline has, one after another; default: all are one spline",
    Size(1, 10_000),
]
Radius = Annotated[
    float, "makes a round pipe of this radius in metres; 0: a line, which is not rendered", Range(0, 1e6)
]
Properties = Annotated[
    Optional[Dict[str, Any]],
    'Blender\'s own properties of the curve, by name: {"resolution_u": 24, "extrude": 0.1, "fill_mode": "BOTH"}',
]


class CurveState(TypedDict):
    """The curve in short. `bevel_depth` is the pipe's radius."""

    object: str
    splines: int
    points: int
    bevel_depth: float
    extrude: float
    dimensions: str
    resolution_u: int


class CurveDetails(CurveState):
    """`splines_shown` is a page of the splines; the points are theirs, the first 200 or all of them as parts."""

    splines_shown: List[SplineState]
    next_offset: Optional[int]
    first_points: List[List[float]]
    parts: Dict[str, Part]


@command("curve.create")
def create(
    *,
    points: Points,
    kind: Annotated[Kind, "POLY: straight; BEZIER: smooth through the points; NURBS: smooth beside them"] = "BEZIER",
    name: Annotated[Optional[Name], "its name; Blender adds .001 and so on where it is taken"] = None,
    cyclic: Annotated[bool, "its end is joined to its start"] = False,
    spline_lengths: Lengths = None,
    bevel_depth: Radius = 0.0,
    dimensions: Annotated[Literal["2D", "3D"], "2D: flat in x and y; closed curves are filled"] = "3D",
    properties: Properties = None,
    location: Location = (0.0, 0.0, 0.0),
    rotation: Rotation = (0.0, 0.0, 0.0),
) -> CurveState:
    """Add a curve through points: a path, a pipe, a cable, an outline. The answer has the name it got."""
    import bpy

    parts = divided(coordinates(points), spline_lengths)
    curve = bpy.data.curves.new(name or "Curve", "CURVE")
    try:
        curve.dimensions = dimensions
        curve.bevel_depth = bevel_depth
        set_properties(curve, properties or {}, "properties")
        replace_splines(curve, kind, parts, cyclic=cyclic, order=4)
    except BaseException:
        bpy.data.curves.remove(curve)
        raise
    return _state(placed(name or "Curve", curve, location, rotation))


@command("curve.read", read_only=True)
def read(
    *,
    object: Annotated[Name, "a curve object's name"],  # noqa: A002  # the name is the public parameter
    binary: Annotated[
        bool, "also all points of the splines as parts of <f4 [n, 3]: co, handle_left and handle_right"
    ] = False,
    limit: Limit = 100,
    offset: Offset = 0,
) -> CurveDetails:
    """Tell what a curve is made of: its splines, a page of them, and their points."""
    item = curve_named(object)
    shown, following = page(item.data.splines, limit, offset)
    splines = list(shown)
    return {
        **_state(item),
        "splines_shown": [spline_state(spline) for spline in splines],
        "next_offset": following,
        "first_points": [rounded(point) for point in first_points(splines, MOST_POINTS)],
        "parts": {"co": read_points(splines), **read_handles(splines)} if binary else {},
    }


@command("curve.update", destructive=True, idempotent=True)
def update(
    *,
    object: Annotated[Name, "a curve object's name"],  # noqa: A002  # the name is the public parameter
    points: Annotated[Optional[Points], "new points instead of all that it has"] = None,
    kind: Annotated[Optional[Kind], "of the new points; default: as the first spline is"] = None,
    cyclic: Annotated[Optional[bool], "join the ends of all its splines, or part them"] = None,
    spline_lengths: Lengths = None,
    bevel_depth: Annotated[Optional[float], "the radius of the pipe, in metres", Range(0, 1e6)] = None,
    properties: Properties = None,
) -> CurveState:
    """Change a curve: its points, whether it is closed, its thickness, any property. What is not given stays."""
    item = curve_named(object)
    curve = item.data
    if item.mode == "EDIT":
        raise refuse("object", f"{object!r} is being edited: leave its edit mode first")
    if points is None and (kind is not None or spline_lengths is not None):
        raise refuse("points", "is required with kind and spline_lengths")
    parts = divided(coordinates(points), spline_lengths) if points is not None else None
    given = {} if bevel_depth is None else {"bevel_depth": bevel_depth}
    set_properties(curve, {**given, **(properties or {})}, "properties")
    if parts is not None:
        first = curve.splines[0] if curve.splines else None
        closed = cyclic if cyclic is not None else bool(first and first.use_cyclic_u)
        replace_splines(curve, kind or (first.type if first else "BEZIER"), parts, cyclic=closed, order=4)
    elif cyclic is not None:
        for spline in curve.splines:
            spline.use_cyclic_u = cyclic
    item.update_tag()
    return _state(item)


def curve_named(name: str) -> Any:
    """The curve object of that name. Raises Fault `invalid_params` with the nearest curves."""
    import bpy

    found = object_named(name, "object")
    if found.type != "CURVE":
        curves = [other.name for other in bpy.data.objects if other.type == "CURVE"]
        raise refuse("object", f"{name!r} is no curve but a {found.type.lower()}", nearest(name, curves) or curves[:5])
    return found


def _state(item: Any) -> CurveState:
    curve = item.data
    return {
        "object": item.name,
        "splines": len(curve.splines),
        "points": point_count(curve.splines),
        "bevel_depth": rounded([curve.bevel_depth])[0],
        "extrude": rounded([curve.extrude])[0],
        "dimensions": curve.dimensions,
        "resolution_u": curve.resolution_u,
    }
