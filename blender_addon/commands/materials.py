"""material.list, get, assign, duplicate, remove: the materials of the file, and who wears them."""

from __future__ import annotations

from array import array
from typing import Annotated, Any, Dict, List, Optional, TypedDict

from ..constraints import Range, Size
from .catalogue import command
from .described import MOST_NAMES
from .face_selection import Faces, chosen_faces
from .lookup import data_named, in_object_mode, mesh_object_named, objects_named, refuse, refuse_all
from .node_values import input_values
from .paging import Fields, Limit, Offset, only, page
from .parameters import Name
from .principled import find_principled
from .rna import property_values

MaterialName = Annotated[Name, "the material's name"]
# How it is drawn, as far as a person sets it; what this Blender lacks is left out.
_SETTINGS = ("surface_render_method", "blend_method", "use_backface_culling", "displacement_method", "diffuse_color")


class Materials(TypedDict):
    materials: List[Dict[str, Any]]
    total: int
    next_offset: Optional[int]


class MaterialDetails(TypedDict):
    """`inputs` are the Principled shader's values, null without one; `textures` the images that its nodes show."""

    name: str
    users: int
    objects: List[str]
    inputs: Optional[Dict[str, Any]]
    nodes: int
    textures: List[str]
    settings: Dict[str, Any]


class Worn(TypedDict):
    """`slots` are the object's materials in order, null for empty slots; `faces`: how many wear the material."""

    object: str
    slots: List[Optional[str]]
    slot: int
    faces: Optional[int]


class Assigned(TypedDict):
    """`objects` ends after 100."""

    material: str
    objects: List[Worn]
    total: int


class Duplicated(TypedDict):
    material: str


class Removed(TypedDict):
    removed: List[str]


@command("material.list", read_only=True)
def list_materials(
    *,
    search: Annotated[str, "only those whose name contains this", Size(0, 255)] = "",
    fields: Fields = None,
    limit: Limit = 100,
    offset: Offset = 0,
) -> Materials:
    """List the materials of the file: name, users (objects' data that wear it), and base_color where it has one."""
    import bpy

    found = [item for item in bpy.data.materials if search.casefold() in item.name.casefold()]
    shown, following = page(found, limit, offset)
    return {
        "materials": [only(fields, _entry(item), ("base_color",)) for item in shown],
        "total": len(found),
        "next_offset": following,
    }


@command("material.get", read_only=True)
def get(*, name: MaterialName) -> MaterialDetails:
    """Tell all about a material: the values of its Principled shader, its textures, and the objects that wear it."""
    import bpy

    material = material_named(name)
    shader = find_principled(material)
    nodes = material.node_tree.nodes if material.node_tree else ()
    wearers = [item.name for item in bpy.data.objects if material.name in item.material_slots]
    images = dict.fromkeys(node.image.name for node in nodes if getattr(node, "image", None))
    return {
        "name": material.name,
        "users": _users(material),
        "objects": wearers[:MOST_NAMES],
        "inputs": input_values(shader) if shader else None,
        "nodes": len(nodes),
        "textures": list(images)[:MOST_NAMES],
        "settings": property_values(material, [name for name in _SETTINGS if hasattr(material, name)]),
    }


@command("material.assign", idempotent=True)
def assign(
    *,
    objects: Annotated[List[Name], "the names of the objects that are to wear it", Size(1, 1000)],
    material: MaterialName,
    slot: Annotated[
        Optional[int], "the slot to put it in, from 0, in place of what is there; default: see below", Range(0, 32_766)
    ] = None,
    faces: Annotated[Optional[Faces], "only these faces of a mesh; default: the whole object"] = None,
) -> Assigned:
    """Give a material to objects, or to some faces of a mesh.

    Without a slot it takes the first one, or for faces the one that has the material already, else a new one.
    """
    wanted = material_named(material, "material")
    items = objects_named(objects, "objects")
    bare = [item for item in items if not hasattr(item.data, "materials")]
    if bare:
        said = [("objects", f"{item.name!r} is a {item.type.lower()}, which takes no material") for item in bare]
        raise refuse_all(said)
    in_object_mode(items, "objects")
    for item in items if slot is not None else ():
        if slot is not None and slot > len(item.data.materials):
            raise refuse("slot", f"{item.name!r} has {len(item.data.materials)} slots: the next is their number")
    if faces is None:
        return _assigned(wanted, [_dress(item, wanted, slot or 0) for item in items])
    meshes = [mesh_object_named(item.name, "objects") for item in items]
    chosen = [[face.index for face in chosen_faces(item.data.polygons, faces)] for item in meshes]
    worn = [_dress_faces(item, wanted, slot, some) for item, some in zip(meshes, chosen)]  # noqa: B905  # both of meshes
    return _assigned(wanted, worn)


@command("material.duplicate")
def duplicate(
    *,
    name: MaterialName,
    new_name: Annotated[Optional[Name], "default: its name with .001 and so on"] = None,
) -> Duplicated:
    """Copy a material with its nodes, to change the copy. The answer has the name that it got."""
    copy = material_named(name).copy()
    if new_name is not None:
        copy.name = new_name
    copy.use_fake_user = True
    return {"material": copy.name}


@command("material.remove", destructive=True)
def remove(*, names: Annotated[List[MaterialName], "the materials' names", Size(1, 1000)]) -> Removed:
    """Remove materials from the file; the objects that wear them keep empty slots. If a name is missing none is."""
    import bpy

    items = [material_named(name, "names") for name in dict.fromkeys(names)]
    removed = [item.name for item in items]
    bpy.data.batch_remove(items)
    return {"removed": removed}


def material_named(name: str, param: str = "name") -> Any:
    """The material of that name. Raises Fault `invalid_params` with the nearest."""
    import bpy

    return data_named(bpy.data.materials, "material", name, param)


def _assigned(material: Any, worn: List[Worn]) -> Assigned:
    return {"material": material.name, "objects": worn[:MOST_NAMES], "total": len(worn)}


def _entry(material: Any) -> Dict[str, Any]:
    said: Dict[str, Any] = {"name": material.name, "users": _users(material)}
    shader = find_principled(material)
    values = input_values(shader) if shader else {}
    if "Base Color" in values:
        said["base_color"] = values["Base Color"]
    return said


def _users(material: Any) -> int:
    return int(material.users) - int(material.use_fake_user)


def _dress(item: Any, material: Any, slot: int) -> Worn:
    _put(item, material, slot)
    return _worn(item, slot, None)


def _put(item: Any, material: Any, slot: int) -> None:
    if slot == len(item.data.materials):
        item.data.materials.append(material)
    # A slot may belong to the object instead of to its data.
    item.material_slots[slot].material = material


def _dress_faces(item: Any, material: Any, slot: Optional[int], faces: List[int]) -> Worn:
    mesh = item.data
    if slot is None:
        worn = [entry.material for entry in item.material_slots]
        slot = worn.index(material) if material in worn else len(mesh.materials)
    if slot == 0 and not mesh.materials:
        # The first slot is every face's: the others keep an empty one.
        mesh.materials.append(None)
        slot = 1
    _put(item, material, slot)
    indices = array("i", (0,)) * len(mesh.polygons)
    mesh.polygons.foreach_get("material_index", indices)
    for face in faces:
        indices[face] = slot
    mesh.polygons.foreach_set("material_index", indices)
    mesh.update()
    return _worn(item, slot, indices.count(slot))


def _worn(item: Any, slot: int, faces: Optional[int]) -> Worn:
    slots = [entry.material and entry.material.name for entry in item.material_slots[:MOST_NAMES]]
    return {"object": item.name, "slots": slots, "slot": slot, "faces": faces}
