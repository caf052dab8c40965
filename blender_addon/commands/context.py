"""The context that operators expect, wherever a command runs: a timer of the GUI has no window, no area, no object."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator, Sequence


@contextlib.contextmanager
def in_a_view() -> Iterator[Any]:
    """Let `bpy.context` have a window, and a 3D view where there is one. Yields it."""
    import bpy

    window = bpy.context.window or next(iter(bpy.context.window_manager.windows), None)
    if window is None:
        yield bpy.context
        return
    with bpy.context.temp_override(**_view_of(window)):
        yield bpy.context


def _view_of(window: Any) -> dict[str, Any]:
    for area in window.screen.areas:
        if area.type == "VIEW_3D":
            region = next(region for region in area.regions if region.type == "WINDOW")
            return {"window": window, "area": area, "region": region}
    return {"window": window}


@contextlib.contextmanager
def object_mode(context: Any) -> Iterator[None]:
    """Leave edit, sculpt and paint modes, and come back to the one that it was where its object is still active."""
    import bpy

    item = context.view_layer.objects.active
    mode = item.mode if item is not None else "OBJECT"
    if mode == "OBJECT":
        yield
        return
    bpy.ops.object.mode_set(mode="OBJECT")
    try:
        yield
    finally:
        if context.view_layer.objects.active == item:
            bpy.ops.object.mode_set(mode=mode)


@contextlib.contextmanager
def selected_only(items: Sequence[Any], view_layer: Any) -> Iterator[None]:
    """Have just these objects selected and the first of them active, and then what the user had."""
    before = [item for item in view_layer.objects if item.select_get(view_layer=view_layer)]
    active = view_layer.objects.active
    _select(before, items, view_layer)
    view_layer.objects.active = items[0] if items else active
    try:
        yield
    finally:
        _select(items, before, view_layer)
        view_layer.objects.active = active


def _select(now: Sequence[Any], wanted: Sequence[Any], view_layer: Any) -> None:
    for item in now:
        item.select_set(False, view_layer=view_layer)
    for item in wanted:
        item.select_set(True, view_layer=view_layer)
