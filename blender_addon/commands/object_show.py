"""object.select, object.visibility and object.shade."""

from __future__ import annotations

import math
from typing import Annotated, Any, List, Literal, Optional, TypedDict

from ..constraints import Range, Size
from .catalogue import command
from .described import MOST_NAMES
from .lookup import in_object_mode, in_view_layer, object_named, objects_named, refuse_all
from .parameters import Name

Names = Annotated[List[Name], "the objects' names", Size(1, 1000)]


class Selection(TypedDict):
    """`refused`: named, but hidden or not selectable. Both lists end after 100 names."""

    selected: List[str]
    total: int
    active: Optional[str]
    refused: List[str]


class Visibility(TypedDict):
    """`seen`: it is shown in the viewport, all that may hide it taken together."""

    name: str
    viewport: bool
    render: bool
    eye: bool
    selectable: bool
    seen: bool


class Visibilities(TypedDict):
    """`objects` ends after 100."""

    objects: List[Visibility]
    total: int


class Shaded(TypedDict):
    """`objects` ends after 100."""

    objects: List[str]
    total: int


@command("object.select", idempotent=True)
def select(
    *,
    names: Annotated[List[Name], "the objects' names; none with set clears the selection", Size(0, 1000)],
    mode: Annotated[Literal["set", "add", "remove"], "set: these and no others"] = "set",
    active: Annotated[Optional[Name], "makes it the active object; default: the last of the names"] = None,
) -> Selection:
    """Select objects, so that a person sees what is meant, or operators in code.execute work on them.

    Commands here take names and need no selection.
    """
    import bpy

    items = objects_named(names)
    lead = object_named(active, "active") if active is not None else None
    in_view_layer(items)
    in_view_layer([lead] if lead else [], "active")
    layer = bpy.context.view_layer
    if mode == "set":
        for item in layer.objects:
            item.select_set(False)
    for item in items:
        item.select_set(mode != "remove")
    if lead is None and items and mode != "remove":
        lead = items[-1]
    if lead is not None:
        layer.objects.active = lead
    chosen = [item.name for item in layer.objects if item.select_get()]
    refused = [item.name for item in items if mode != "remove" and not item.select_get()]
    return {
        "selected": chosen[:MOST_NAMES],
        "total": len(chosen),
        "active": layer.objects.active.name if layer.objects.active else None,
        "refused": refused[:MOST_NAMES],
    }


@command("object.visibility", idempotent=True)
def visibility(
    *,
    names: Names,
    viewport: Annotated[Optional[bool], "shown in all viewports"] = None,
    render: Annotated[Optional[bool], "shown in renders"] = None,
    eye: Annotated[Optional[bool], "shown in this view layer (the eye; H and Alt+H)"] = None,
    selectable: Annotated[Optional[bool], "can be selected by clicking"] = None,
) -> Visibilities:
    """Show or hide objects; what is not given stays as it is. Answers how each stands now."""
    items = objects_named(names)
    if eye is not None:
        in_view_layer(items)
    for item in items:
        for key, wanted in (("hide_viewport", viewport), ("hide_render", render), ("hide_select", selectable)):
            if wanted is not None:
                setattr(item, key, not wanted)
        if eye is not None:
            item.hide_set(not eye)
    return {
        "objects": [
            {
                "name": item.name,
                "viewport": not item.hide_viewport,
                "render": not item.hide_render,
                "eye": not item.hide_get(),
                "selectable": not item.hide_select,
                "seen": item.visible_get(),
            }
            for item in items[:MOST_NAMES]
        ],
        "total": len(items),
    }


@command("object.shade", idempotent=True)
def shade(
    *,
    names: Annotated[List[Name], "mesh objects' names", Size(1, 1000)],
    mode: Annotated[Literal["smooth", "flat", "auto"], "auto: smooth, but for edges sharper than the angle"],
    angle: Annotated[float, "auto: the angle in radians, 30° is 0.5236", Range(0, math.pi)] = math.radians(30),
) -> Shaded:
    """Shade meshes smooth, flat, or smooth with sharp edges. Objects that share a mesh look the same."""
    items = objects_named(names)
    in_object_mode(items)
    wrong = [item for item in items if item.type != "MESH"]
    if wrong:
        raise refuse_all([("names", f"{item.name!r} is no mesh but a {item.type.lower()}") for item in wrong])
    for mesh in {item.data: None for item in items}:
        _shade(mesh, mode, angle)
    return {"objects": [item.name for item in items[:MOST_NAMES]], "total": len(items)}


def _shade(mesh: Any, mode: str, angle: float) -> None:
    smooth = mode != "flat"
    mesh.polygons.foreach_set("use_smooth", [smooth] * len(mesh.polygons))
    if hasattr(mesh, "use_auto_smooth"):
        mesh.use_auto_smooth = mode == "auto"
        mesh.auto_smooth_angle = angle
    elif mode == "auto":
        # From 4.1 on edges are sharp once and for all, and not by an angle that the mesh keeps.
        mesh.set_sharp_from_angle(angle=angle)
    else:
        mesh.edges.foreach_set("use_edge_sharp", [False] * len(mesh.edges))
    mesh.update()
