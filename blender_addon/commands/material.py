"""material.set and material.create: what a surface looks like, by the Principled shader that each Blender has."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, Tuple, TypedDict

from .catalogue import command
from .described import rounded
from .lookup import object_named, refuse
from .node_values import set_inputs
from .parameters import Colour, Fraction, Name, linear_rgba
from .principled import principled_of

Metallic = Annotated[Optional[Fraction], "0: paint, plastic, stone; 1: metal"]
Roughness = Annotated[Optional[Fraction], "0: a mirror; 1: chalk"]
Inputs = Annotated[
    Optional[Dict[str, Any]],
    'further inputs of the Principled shader: {"Transmission Weight": 1, "Emission Color": "#ff8800", "Emission '
    'Strength": 5, "Coat Weight": 1, "Alpha": 0.5, "IOR": 1.45}; names from before Blender 4.0 work too',
]


class Surface(TypedDict):
    material: str
    base_color: List[float]
    metallic: float
    roughness: float


class MaterialState(Surface):
    object: str


@command("material.set", idempotent=True)
def set_material(
    *,
    object: Annotated[Name, "the object that wears it"],  # noqa: A002  # the name is the public parameter
    name: Annotated[
        Optional[Name],
        "the material's name, made where there is none; default: the one that the object wears, else its own",
    ] = None,
    base_color: Optional[Colour] = None,
    metallic: Metallic = None,
    roughness: Roughness = None,
    inputs: Inputs = None,
) -> MaterialState:
    """Give an object a material and set its colour, metallic, roughness and so on; what is not given stays as it is.

    A material may be worn by several objects: naming it changes all of them. A texture on a value that is set gives
    way to the value.
    """
    item = object_named(object, "object")
    if not hasattr(item.data, "materials"):
        raise refuse("object", f"{object!r} is a {item.type.lower()}, which takes no material")
    material, created = _material_for(item, name)
    try:
        _set_surface(material, base_color, metallic, roughness, inputs)
    except BaseException:
        _discard(material, created=created)
        raise
    if item.active_material != material:
        item.active_material = material
    return {"object": item.name, **surface(material)}


@command("material.create")
def create(
    *,
    name: Annotated[Name, "its name; Blender adds .001 and so on where it is taken"],
    base_color: Optional[Colour] = None,
    metallic: Metallic = None,
    roughness: Roughness = None,
    inputs: Inputs = None,
) -> Surface:
    """Make a material that no object wears yet; material.assign gives it to objects. The answer has the name it got."""
    import bpy

    material = bpy.data.materials.new(name)
    try:
        _set_surface(material, base_color, metallic, roughness, inputs)
    except BaseException:
        _discard(material, created=True)
        raise
    # Else it would be gone after saving and loading, if nothing wears it by then.
    material.use_fake_user = True
    return surface(material)


def surface(material: Any) -> Surface:
    """What a result says of a material's Principled shader."""
    shader = principled_of(material)
    return {
        "material": material.name,
        "base_color": rounded(shader.inputs["Base Color"].default_value),
        "metallic": rounded([shader.inputs["Metallic"].default_value])[0],
        "roughness": rounded([shader.inputs["Roughness"].default_value])[0],
    }


def _set_surface(
    material: Any,
    base_color: Any,
    metallic: Optional[float],
    roughness: Optional[float],
    inputs: Optional[Dict[str, Any]],
) -> None:
    shader = principled_of(material)
    # The only ones that may be refused are the first to be set.
    set_inputs(material.node_tree, shader, inputs or {}, "inputs")
    if base_color is not None:
        _set_colour(material, shader, base_color)
    if metallic is not None:
        _set_input(material, shader, "Metallic", metallic)
        material.metallic = metallic
    if roughness is not None:
        _set_input(material, shader, "Roughness", roughness)
        material.roughness = roughness


def _discard(material: Any, *, created: bool) -> None:
    import bpy

    if created:
        bpy.data.materials.remove(material)


def _material_for(item: Any, name: Optional[str]) -> Tuple[Any, bool]:
    """The material, and whether it is new."""
    import bpy

    known = item.active_material if name is None else bpy.data.materials.get(name)
    return (known, False) if known is not None else (bpy.data.materials.new(name or item.name), True)


def _set_colour(material: Any, shader: Any, colour: Any) -> None:
    rgba = linear_rgba(colour)
    _set_input(material, shader, "Base Color", rgba)
    if len(colour) == 4:
        _set_input(material, shader, "Alpha", rgba[3])
    # What the solid viewport and Workbench show.
    material.diffuse_color = rgba


def _set_input(material: Any, shader: Any, name: str, value: Any) -> None:
    socket = shader.inputs[name]
    for link in list(socket.links):
        material.node_tree.links.remove(link)
    socket.default_value = value
