"""material.*"""

from __future__ import annotations

from typing import Annotated, Any, List, Optional, TypedDict

from .catalogue import command
from .described import rounded
from .lookup import object_named, refuse
from .parameters import Colour, Fraction, Name, linear_rgba


class MaterialState(TypedDict):
    object: str
    material: str
    base_color: List[float]
    metallic: float
    roughness: float


@command("material.set", idempotent=True)
def set_material(
    *,
    object: Annotated[Name, "the object that wears it"],  # noqa: A002  # the name is the public parameter
    name: Annotated[
        Optional[Name],
        "the material's name, made where there is none; default: the one that the object wears, else its own",
    ] = None,
    base_color: Optional[Colour] = None,
    metallic: Annotated[Optional[Fraction], "0: paint, plastic, stone; 1: metal"] = None,
    roughness: Annotated[Optional[Fraction], "0: a mirror; 1: chalk"] = None,
) -> MaterialState:
    """Give an object a material and set its colour, metallic and roughness; what is not given stays as it is.

    A material may be worn by several objects: naming it changes all of them. A texture on a value that is set gives
    way to the value.
    """
    item = object_named(object, "object")
    if not hasattr(item.data, "materials"):
        raise refuse("object", f"{object!r} is a {item.type.lower()}, which takes no material")
    material = _material_for(item, name)
    shader = _principled(material)
    if base_color is not None:
        _set_colour(material, shader, base_color)
    if metallic is not None:
        _set_input(material, shader, "Metallic", metallic)
        material.metallic = metallic
    if roughness is not None:
        _set_input(material, shader, "Roughness", roughness)
        material.roughness = roughness
    if item.active_material != material:
        item.active_material = material
    return {
        "object": item.name,
        "material": material.name,
        "base_color": rounded(shader.inputs["Base Color"].default_value),
        "metallic": rounded([shader.inputs["Metallic"].default_value])[0],
        "roughness": rounded([shader.inputs["Roughness"].default_value])[0],
    }


def _material_for(item: Any, name: Optional[str]) -> Any:
    import bpy

    if name is None:
        return item.active_material or bpy.data.materials.new(item.name)
    return bpy.data.materials.get(name) or bpy.data.materials.new(name)


def _principled(material: Any) -> Any:
    """The material's principled shader, made and connected where there is none."""
    import bpy

    # From 5.0 on every material has nodes, and setting this warns.
    if bpy.app.version < (5, 0, 0) and not material.use_nodes:
        material.use_nodes = True
    nodes, links = material.node_tree.nodes, material.node_tree.links
    for node in nodes:
        if node.type == "BSDF_PRINCIPLED":
            return node
    shader = nodes.new("ShaderNodeBsdfPrincipled")
    output = next((node for node in nodes if node.type == "OUTPUT_MATERIAL"), None)
    output = output or nodes.new("ShaderNodeOutputMaterial")
    links.new(shader.outputs[0], output.inputs["Surface"])
    return shader


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
