"""An object's mesh: its own, or the one that its modifiers make of it."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

from .lookup import mesh_object_named, object_named, refuse


@contextlib.contextmanager
def mesh_of(name: str, *, evaluated: bool, param: str = "object") -> Iterator[Any]:
    """The object's mesh, to be read inside the block only. Raises Fault `invalid_params` where it has none."""
    if not evaluated:
        yield mesh_object_named(name, param).data
        return
    import bpy

    item = object_named(name, param)
    if item.mode == "EDIT":
        item.update_from_editmode()
    result = item.evaluated_get(bpy.context.evaluated_depsgraph_get())
    try:
        mesh = result.to_mesh()
    except RuntimeError:
        raise refuse(param, f"{name!r} is a {item.type.lower()}, which becomes no mesh") from None
    try:
        yield mesh
    finally:
        result.to_mesh_clear()
