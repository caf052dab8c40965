"""The Principled shader of a material, whatever its inputs are called in this Blender: 4.0 renamed many of them."""

from __future__ import annotations

from typing import Any, Mapping, Optional

from .versions import blender_version

# 3.x → 4.0 and later. The values mean the same.
_RENAMED: Mapping[str, str] = {
    "Subsurface": "Subsurface Weight",
    "Specular": "Specular IOR Level",
    "Transmission": "Transmission Weight",
    "Sheen": "Sheen Weight",
    "Clearcoat": "Coat Weight",
    "Clearcoat Roughness": "Coat Roughness",
    "Clearcoat Normal": "Coat Normal",
    "Emission": "Emission Color",
}
_EARLIER: Mapping[str, str] = {later: earlier for earlier, later in _RENAMED.items()}


def other_name(name: str) -> Optional[str]:
    """What an input of that name is called in other versions, None where it is called the same."""
    return _RENAMED.get(name) or _EARLIER.get(name)


def find_principled(material: Any) -> Any:
    """The material's Principled shader, None where it has none."""
    if blender_version() < (5, 0) and not material.use_nodes:
        return None
    nodes = material.node_tree.nodes if material.node_tree else ()
    return next((node for node in nodes if node.type == "BSDF_PRINCIPLED"), None)


def principled_of(material: Any) -> Any:
    """The material's Principled shader, made and connected where there is none."""
    # From 5.0 on every material has nodes, and setting this warns.
    if blender_version() < (5, 0) and not material.use_nodes:
        material.use_nodes = True
    known = find_principled(material)
    if known is not None:
        return known
    nodes, links = material.node_tree.nodes, material.node_tree.links
    shader = nodes.new("ShaderNodeBsdfPrincipled")
    output = next((node for node in nodes if node.type == "OUTPUT_MATERIAL"), None)
    output = output or nodes.new("ShaderNodeOutputMaterial")
    links.new(shader.outputs[0], output.inputs["Surface"])
    return shader
