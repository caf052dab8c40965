"""Which faces of a mesh a command is to work on, in words that a model has: all, by direction, material or index."""

from __future__ import annotations

import math
from typing import Annotated, Any, List, Optional, TypedDict

from ..constraints import Range, Size
from .lookup import refuse
from .parameters import Vector


class Faces(TypedDict, total=False):
    """Faces that are all of this: `facing` a direction within `angle` (radians, default 0.79: 45 degrees), in the
    object's own space; of a material slot; of these indices."""

    facing: Vector
    angle: Annotated[float, Range(0, math.pi)]
    material_index: Annotated[int, Range(0, 32_767)]
    indices: Annotated[List[Annotated[int, Range(0)]], Size(1, 10_000)]


SomeFaces = Annotated[Optional[Faces], "which faces; default: all"]


def chosen_faces(faces: Any, wanted: Optional[Faces]) -> List[Any]:
    """The faces (of a bmesh, or a mesh's polygons) that are wanted. Raises Fault `invalid_params` for none at all."""
    if wanted is None:
        return list(faces)
    found = list(faces)
    if "indices" in wanted:
        beyond = max(wanted["indices"])
        if beyond >= len(found):
            raise refuse("faces.indices", f"there is no face {beyond}: the mesh has {len(found)}, from 0 on")
        found = [found[index] for index in dict.fromkeys(wanted["indices"])]
    if "material_index" in wanted:
        found = [face for face in found if face.material_index == wanted["material_index"]]
    if "facing" in wanted:
        found = _facing(found, wanted["facing"], wanted.get("angle", math.pi / 4))
    if not found:
        raise refuse("faces", "none of the mesh's faces is like that")
    return found


def _facing(faces: List[Any], direction: Vector, angle: float) -> List[Any]:
    import mathutils

    towards = mathutils.Vector(direction)
    if towards.length == 0:
        raise refuse("faces.facing", "a direction has a length")
    # A little more than the angle: a quarter turn finds the faces at a quarter turn.
    least = math.cos(angle) - 1e-5
    towards.normalize()
    return [face for face in faces if face.normal.dot(towards) >= least]
