"""A new object of some data, put into the scene."""

from __future__ import annotations

from typing import Any

from .lookup import current_scene
from .parameters import Vector
from .transform import place


def placed(name: str, data: Any, location: Vector, rotation: Vector) -> Any:
    """An object in the collection that the user has chosen."""
    import bpy

    item = bpy.data.objects.new(name, data)
    (bpy.context.collection or current_scene().collection).objects.link(item)
    place(item, location, rotation, (1.0, 1.0, 1.0))
    return item
