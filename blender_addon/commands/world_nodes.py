"""A world's nodes: the background, and what feeds its colour."""

from __future__ import annotations

from typing import Any, List, NamedTuple, Optional

# The physical skies, newest first: their names changed with 5.0.
_SKIES = ("MULTIPLE_SCATTERING", "NISHITA")


class Backdrop(NamedTuple):
    """The background node that the world's output shows."""

    tree: Any
    background: Any

    @classmethod
    def found(cls, world: Any) -> Optional[Backdrop]:
        """The world's, None where its output shows something else or nothing."""
        import bpy

        tree = world.node_tree
        if tree is None or (bpy.app.version < (5, 0, 0) and not world.use_nodes):
            return None
        output = _output(tree)
        shown = _fed_by(output.inputs["Surface"]) if output else None
        return cls(tree, shown) if shown is not None and shown.type == "BACKGROUND" else None

    def source(self) -> Any:
        """The node that feeds the colour, None where it is one colour."""
        return _fed_by(self.background.inputs["Color"])

    def mapping_found(self) -> Any:
        """The mapping in front of a picture, None where there is none."""
        source = self.source()
        vector = source.inputs.get("Vector") if source is not None else None
        found = _fed_by(vector) if vector is not None else None
        return found if found is not None and found.type == "MAPPING" else None

    def mapping(self) -> Any:
        """The mapping in front of a picture, made where there is none."""
        found = self.mapping_found()
        if found is not None:
            return found
        source = self.source()
        mapping = _new(self.tree, "ShaderNodeMapping", source, -200)
        coordinates = _new(self.tree, "ShaderNodeTexCoord", mapping, -200)
        self.tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
        self.tree.links.new(mapping.outputs["Vector"], source.inputs["Vector"])
        return mapping

    def set_input(self, name: str, value: Any) -> None:
        """Set a value; what fed it before is removed, if it feeds nothing else."""
        socket = self.background.inputs[name]
        for link in list(socket.links):
            node = link.from_node
            self.tree.links.remove(link)
            _remove_unused(self.tree, node)
        socket.default_value = value


def backdrop_of(world: Any) -> Backdrop:
    """The world's background, made and shown where there is none."""
    known = Backdrop.found(world)
    if known is not None:
        return known
    tree = world.node_tree
    output = _output(tree) or tree.nodes.new("ShaderNodeOutputWorld")
    background = _new(tree, "ShaderNodeBackground", output, -200)
    tree.links.new(background.outputs[0], output.inputs["Surface"])
    return Backdrop(tree, background)


def paint(drop: Backdrop, rgba: Any) -> None:
    """One colour everywhere."""
    drop.set_input("Color", rgba)


def hang_picture(drop: Backdrop, image: Any) -> None:
    """A panorama."""
    _feed(drop, "ShaderNodeTexEnvironment").image = image


def hang_sky(drop: Backdrop) -> None:
    """A clear sky with a sun. There is one, see `sky_types`."""
    source = drop.source()
    if source is None or source.type != "TEX_SKY":
        source = _feed(drop, "ShaderNodeTexSky")
    source.sky_type = sky_types()[0]


def sky_types() -> List[str]:
    """The physical skies that this Blender has, the best first."""
    import bpy

    known = bpy.types.ShaderNodeTexSky.bl_rna.properties["sky_type"].enum_items.keys()
    return [name for name in _SKIES if name in known]


def _feed(drop: Backdrop, kind: str) -> Any:
    drop.set_input("Color", drop.background.inputs["Color"].default_value)
    node = _new(drop.tree, kind, drop.background, -300)
    drop.tree.links.new(node.outputs["Color"], drop.background.inputs["Color"])
    return node


def _new(tree: Any, kind: str, beside: Any, by: float) -> Any:
    node = tree.nodes.new(kind)
    node.location = (beside.location.x + by, beside.location.y)
    return node


def _output(tree: Any) -> Any:
    outputs = [node for node in tree.nodes if node.type == "OUTPUT_WORLD"]
    return next((node for node in outputs if node.is_active_output), outputs[0] if outputs else None)


def _fed_by(socket: Any) -> Any:
    return socket.links[0].from_node if socket.is_linked else None


def _remove_unused(tree: Any, node: Any) -> None:
    """Remove a node and what feeds it alone. Nodes of a world make no loops."""
    if any(output.is_linked for output in node.outputs):
        return
    feeders = [link.from_node for socket in node.inputs for link in socket.links]
    tree.nodes.remove(node)
    names = {feeder.name for feeder in feeders}
    for name in names:
        left = tree.nodes.get(name)
        if left is not None:
            _remove_unused(tree, left)
