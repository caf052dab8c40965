"""What results say of an object."""

from __future__ import annotations

from typing import Any, List, Optional, TypedDict

from .boxes import evaluated_graph, world_box

# Lists in a result end here, so that one object's answer fits into a model's context.
MOST_NAMES = 100


class ObjectState(TypedDict):
    """An object's name, type and own transform (radians, Euler XYZ)."""

    name: str
    type: str
    location: List[float]
    rotation: List[float]
    scale: List[float]
    visible: bool
    parent: Optional[str]


class Bounds(TypedDict):
    min: List[float]
    max: List[float]


class MeshCounts(TypedDict):
    name: str
    vertices: int
    edges: int
    faces: int


class Light(TypedDict):
    type: str
    energy: float
    color: List[float]


class Camera(TypedDict):
    type: str
    lens: float
    clip_start: float
    clip_end: float
    active: bool


class Modifier(TypedDict):
    name: str
    type: str


class OfItsType(TypedDict, total=False):
    mesh: MeshCounts
    light: Light
    camera: Camera
    text: str


class ObjectDetails(ObjectState, OfItsType):
    """All that object.get tells; `bounds` is the box around it in world space."""

    dimensions: List[float]
    bounds: Bounds
    collections: List[str]
    children: List[str]
    child_count: int
    materials: List[Optional[str]]
    modifiers: List[Modifier]


def rounded(values: Any) -> List[float]:
    """Numbers without the tail that 32-bit floats have: 0.1, not 0.10000000149011612; and 0, not -0."""
    return [float(f"{value:.7g}") + 0.0 for value in values]


def object_state(item: Any) -> ObjectState:
    """The short description, as create, update and scene.objects answer it."""
    rotation = item.rotation_euler if item.rotation_mode == "XYZ" else item.matrix_basis.to_euler("XYZ")
    return {
        "name": item.name,
        "type": item.type,
        "location": rounded(item.location),
        "rotation": rounded(rotation),
        "scale": rounded(item.scale),
        "visible": not (item.hide_viewport or item.hide_render),
        "parent": item.parent.name if item.parent else None,
    }


def object_details(item: Any, scene: Any) -> ObjectDetails:
    """The long description; the view layer must be up to date."""
    box = world_box(item, evaluated_graph())
    children = item.children
    details: ObjectDetails = {
        **object_state(item),  # type: ignore[typeddict-item]  # what its type has is added below
        "dimensions": rounded(item.dimensions),
        "bounds": {"min": rounded(box.low), "max": rounded(box.high)},
        "collections": [collection.name for collection in item.users_collection[:MOST_NAMES]],
        "children": [child.name for child in children[:MOST_NAMES]],
        "child_count": len(children),
        "materials": [slot.material and slot.material.name for slot in item.material_slots[:MOST_NAMES]],
        "modifiers": [{"name": modifier.name, "type": modifier.type} for modifier in item.modifiers[:MOST_NAMES]],
    }
    _add_what_its_type_has(details, item, scene)
    return details


def _add_what_its_type_has(details: ObjectDetails, item: Any, scene: Any) -> None:
    data = item.data
    if item.type == "MESH":
        counts = len(data.vertices), len(data.edges), len(data.polygons)
        details["mesh"] = {"name": data.name, "vertices": counts[0], "edges": counts[1], "faces": counts[2]}
    elif item.type == "LIGHT":
        details["light"] = {"type": data.type, "energy": data.energy, "color": rounded(data.color)}
    elif item.type == "CAMERA":
        details["camera"] = {
            "type": data.type,
            "lens": data.lens,
            "clip_start": data.clip_start,
            "clip_end": data.clip_end,
            "active": scene.camera == item,
        }
    elif item.type == "FONT":
        details["text"] = data.body[:1000]
