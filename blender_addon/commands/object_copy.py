"""object.duplicate, object.join, object.separate and object.convert."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Literal, Optional, TypedDict

from ..constraints import Range, Size
from ..wire import Fault
from .boxes import evaluated_graph, with_children
from .catalogue import command
from .described import MOST_NAMES, ObjectState, object_state
from .lookup import (
    collection_named,
    current_scene,
    in_object_mode,
    in_view_layer,
    object_named,
    objects_named,
    refuse,
    refuse_all,
)
from .parameters import Name, Vector

Names = Annotated[List[Name], "the objects' names", Size(1, 1000)]
_MOST_COPIES = 10_000


class Made(TypedDict):
    """The new objects; `names` ends after 100."""

    names: List[str]
    total: int


class Joined(ObjectState):
    """`joined`: those that are gone, the first 100."""

    joined: List[str]


@command("object.duplicate")
def duplicate(
    *,
    names: Names,
    count: Annotated[int, "how many copies of each", Range(1, 1000)] = 1,
    linked: Annotated[bool, "the copies share the original's mesh, curve, …: editing one edits all"] = False,
    children: Annotated[bool, "with all that is parented to them, copies parented to copies"] = True,
    offset: Annotated[Vector, "how far each copy is moved from the one before, in metres along the world's axes"] = (
        0.0,
        0.0,
        0.0,
    ),
    collection: Annotated[Optional[str], "the collection that takes the copies; default: the original's own"] = None,
) -> Made:
    """Copy objects, in a row where there is an offset. Materials are shared; modifiers and constraints are copied."""
    originals = objects_named(names)
    chosen = with_children(originals) if children else originals
    if len(chosen) * count > _MOST_COPIES:
        raise refuse("count", f"{len(chosen)} objects {count} times are more than {_MOST_COPIES}")
    target = None if collection is None else collection_named(collection)
    evaluated_graph()
    made: List[Any] = []
    for step in range(1, count + 1):
        copies = _copies(chosen, linked, target)
        for item, copy in copies.items():
            # What hangs below a copy moves along with it.
            if item.parent not in copies:
                _shift(item, copy, [distance * step for distance in offset])
        made += copies.values()
    return {"names": [item.name for item in made[:MOST_NAMES]], "total": len(made)}


def _copies(items: List[Any], linked: bool, target: Optional[Any]) -> Dict[Any, Any]:
    copies = {item: item.copy() for item in items}
    data: Dict[Any, Any] = {}
    for item, copy in copies.items():
        if item.data is not None and not linked:
            # Two originals that share a mesh have copies that share a mesh.
            data[item.data] = data.get(item.data) or item.data.copy()
            copy.data = data[item.data]
        if item.parent in copies:
            inverse = item.matrix_parent_inverse.copy()
            copy.parent = copies[item.parent]
            copy.matrix_parent_inverse = inverse
        _point_to_copies(copy, copies)
        homes = [target] if target is not None else item.users_collection or [current_scene().collection]
        for home in homes:
            home.objects.link(copy)
    return copies


def _point_to_copies(copy: Any, copies: Dict[Any, Any]) -> None:
    """A modifier or constraint that points to an object that was copied too points to that copy."""
    for owner in (*copy.modifiers, *copy.constraints):
        for prop in owner.bl_rna.properties:
            if prop.type == "POINTER" and not prop.is_readonly and prop.fixed_type.identifier == "Object":
                other = copies.get(getattr(owner, prop.identifier))
                if other is not None:
                    setattr(owner, prop.identifier, other)


def _shift(item: Any, copy: Any, offset: List[float]) -> None:
    from mathutils import Matrix

    if any(offset):
        copy.matrix_world = Matrix.Translation(offset) @ item.matrix_world


@command("object.join", destructive=True)
def join(
    *,
    names: Annotated[List[Name], "the first takes the others in: its name, place and modifiers stay", Size(2, 1000)],
) -> Joined:
    """Make several objects of one type (meshes, curves, …) one, in place. The others are gone; materials stay."""
    import bpy

    items = objects_named(names)
    first = items[0]
    in_view_layer(items)
    in_object_mode(items)
    if len(items) < 2:
        raise refuse("names", "name two objects or more")
    if first.type not in ("MESH", "CURVE", "SURFACE", "FONT", "ARMATURE", "GREASEPENCIL", "CURVES", "POINTCLOUD"):
        raise refuse("names", f"objects like {first.name!r} ({first.type.lower()}) cannot be joined")
    others = [item for item in items if item.type != first.type]
    if others:
        said = f"is a {others[0].type.lower()}, and {first.name!r} is a {first.type.lower()}: object.convert first"
        raise refuse_all([("names", f"{item.name!r} {said}") for item in others])
    if first.data.users > 1:
        # Joining changes the mesh; what other objects show is not this command's business.
        first.data = first.data.copy()
    gone = [item.name for item in items[1:]]
    with bpy.context.temp_override(
        object=first, active_object=first, selected_objects=items, selected_editable_objects=items
    ):
        done = bpy.ops.object.join()
    if "FINISHED" not in done:
        raise Fault("execution_failed", "Blender did not join them", data={"type": "RuntimeError"})
    return {**object_state(first), "joined": gone[:MOST_NAMES]}


@command("object.separate", destructive=True)
def separate(
    *,
    name: Annotated[Name, "a mesh object's name"],
    by: Annotated[Literal["loose", "material"], "into pieces that hang together, or one piece a material"] = "loose",
) -> Made:
    """Take a mesh apart into objects; the object itself stays as one of the pieces. `names` are the new ones."""
    import bpy

    item = object_named(name)
    in_view_layer([item], "name")
    in_object_mode([item], "name")
    if item.type != "MESH":
        raise refuse("name", f"{name!r} is no mesh but a {item.type.lower()}: object.convert first")
    if item.data.users > 1:
        item.data = item.data.copy()
    before = set(bpy.data.objects)
    with bpy.context.temp_override(
        object=item, active_object=item, selected_objects=[item], selected_editable_objects=[item]
    ):
        bpy.ops.mesh.separate(type=by.upper())
    made = sorted(other.name for other in bpy.data.objects if other not in before)
    return {"names": made[:MOST_NAMES], "total": len(made)}


@command("object.convert", destructive=True)
def convert(*, name: Annotated[Name, "the object's name"]) -> ObjectState:
    """Make a curve, text, surface or metaball object a mesh, or of a mesh apply all modifiers, its name and place kept.

    What pointed to the object (parents, modifiers, constraints) points to the mesh.
    """
    import bpy

    item = object_named(name)
    in_view_layer([item], "name")
    in_object_mode([item], "name")
    if item.type not in ("MESH", "CURVE", "FONT", "SURFACE", "META"):
        raise refuse("name", f"a {item.type.lower()} cannot become a mesh")
    graph = evaluated_graph()
    mesh = bpy.data.meshes.new_from_object(item.evaluated_get(graph), preserve_all_data_layers=True, depsgraph=graph)
    old, name = item.data, item.data.name
    if item.type == "MESH":
        item.modifiers.clear()
        item.data = mesh
        _drop(old, bpy.data.meshes)
    else:
        item = _replaced(item, mesh)
    mesh.name = name
    return object_state(item)


def _replaced(item: Any, mesh: Any) -> Any:
    """The mesh as an object in the place of another one. An object's type never changes."""
    import bpy

    name, old = item.name, item.data
    new = bpy.data.objects.new(name, mesh)
    for home in item.users_collection:
        home.objects.link(new)
    new.parent, new.parent_type, new.parent_bone = item.parent, item.parent_type, item.parent_bone
    new.matrix_parent_inverse = item.matrix_parent_inverse
    new.rotation_mode = item.rotation_mode
    new.matrix_basis = item.matrix_basis
    for key in ("hide_viewport", "hide_render", "hide_select", "display_type", "color", "show_name"):
        setattr(new, key, getattr(item, key))
    for key, value in item.items():
        if not key.startswith("_") and key != "cycles":
            new[key] = value
    item.user_remap(new)
    bpy.data.objects.remove(item)
    _drop(old, bpy.data.metaballs if old.bl_rna.identifier == "MetaBall" else bpy.data.curves)
    new.name = name
    return new


def _drop(data: Any, blocks: Any) -> None:
    if data.users == 0:
        blocks.remove(data)
