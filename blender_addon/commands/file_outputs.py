"""What a render writes beside its picture: the File Output nodes of the scene's compositor."""

from __future__ import annotations

import os
from typing import Any, Iterator, Set

from ..policy import permit_write
from ..wire import Fault


def permit_outputs(scene: Any) -> None:
    """Raises Fault `forbidden` where a render of the scene would write where this Blender may not."""
    import bpy

    # A user of the scene's compositor switches it off by either.
    if not scene.render.use_compositing or not getattr(scene, "use_nodes", True):
        return
    tree = scene.compositing_node_group if hasattr(scene, "compositing_node_group") else scene.node_tree
    for node in _outputs(tree, set()):
        folder = bpy.path.abspath(node.base_path if hasattr(node, "base_path") else node.directory)
        for name in _names(node):
            _permit(node, os.path.join(folder, name))


def _permit(node: Any, path: str) -> None:
    try:
        permit_write(path)
    except Fault as fault:
        message = f"the compositor's node {node.name!r} writes where it must not: {fault.message}"
        raise Fault("forbidden", message, data=fault.data) from None


def _outputs(tree: Any, known: Set[Any]) -> Iterator[Any]:
    if tree is None or tree in known:
        return
    known.add(tree)
    for node in tree.nodes:
        if node.mute:
            continue
        if node.bl_idname == "CompositorNodeOutputFile":
            yield node
        elif node.bl_idname == "CompositorNodeGroup":
            yield from _outputs(node.node_tree, known)


def _names(node: Any) -> Iterator[str]:
    """The files in its folder, each without what Blender adds behind: the frame, and a suffix."""
    if hasattr(node, "file_slots"):
        yield ""
        yield from (slot.path for slot in node.file_slots)
    else:
        yield node.file_name
        yield from (node.file_name + item.name for item in node.file_output_items)
