"""node.image: an image texture, loaded and linked in one step."""

from __future__ import annotations

from typing import Annotated, Literal, Optional, TypedDict

from ..wire import Part
from .catalogue import command
from .images import image_from
from .lookup import refuse
from .node import Link, link_state
from .node_trees import SocketName, WhichTree, node_named, socket_named, tree_to_change
from .parameters import Name
from .places import AbsolutePath

# In which trees there is which node for images, and the output and input names of images.
_TYPES = {"ShaderNodeTree": "ShaderNodeTexImage", "GeometryNodeTree": "GeometryNodeImageTexture"}


class ImageNode(TypedDict):
    """The node, and the image in it."""

    node: str
    image: str
    width: int
    height: int
    color_space: str
    link: Optional[Link]


@command("node.image")
def image(
    *,
    tree: WhichTree,
    path: Annotated[Optional[AbsolutePath], "an image file: .png, .jpg, .exr, .hdr …"] = None,
    data: Annotated[Optional[Part], "the bytes of an image file; they are kept in the .blend file"] = None,
    image: Annotated[Optional[Name], "an image that Blender has already"] = None,
    name: Annotated[Name, "of the image that is made of data"] = "Image",
    color_space: Annotated[
        Literal["color", "data"], "data for roughness, metallic, normal and height maps; color for what is seen"
    ] = "color",
    to_node: Annotated[Optional[Name], 'link it to this node: "Principled BSDF"'] = None,
    to_socket: Annotated[Optional[SocketName], 'and this input of it: "Base Color"'] = None,
) -> ImageNode:
    """Add an image texture to a material, a world or a light, from a file or from bytes, and link it to an input.

    For a normal map link it to the Color of a ShaderNodeNormalMap, and that to the shader's Normal.
    """
    if (to_node is None) != (to_socket is None):
        raise refuse("to_socket" if to_socket is None else "to_node", "to_node and to_socket go together")
    found = tree_to_change(tree)
    target = None
    if to_node is not None and to_socket is not None:
        end = node_named(found, to_node, "to_node")
        target = socket_named(end, end.inputs, to_socket, "to_socket")
    kind = "ShaderNodeTexEnvironment" if "world" in tree else _TYPES.get(found.bl_idname)
    if kind is None:
        raise refuse("tree", f"a {found.bl_idname} has no image textures")
    loaded = image_from(path, data, image, name)
    if color_space == "data":
        loaded.colorspace_settings.name = "Non-Color"
    node = found.nodes.new(kind)
    if hasattr(node, "image"):
        node.image = loaded
    else:
        node.inputs["Image"].default_value = loaded
    beside = target.node if target else None
    node.location = (beside.location.x - 320, beside.location.y) if beside else (-600, 0)
    made = found.links.new(node.outputs["Color"], target) if target else None
    return {
        "node": node.name,
        "image": loaded.name,
        "width": loaded.size[0],
        "height": loaded.size[1],
        "color_space": loaded.colorspace_settings.name,
        "link": link_state(made) if made else None,
    }
