"""How much of each type of data the file has, and what came or went since."""

from __future__ import annotations

from typing import Any, Dict, Iterator, Set, Tuple


def data_counts() -> Dict[str, int]:
    """{"objects": 3, "meshes": 1, …}: what there is of each type in bpy.data."""
    return {name: len(blocks) for name, blocks in _types() if len(blocks)}


def orphan_count() -> int:
    """How many have no user: they are not saved."""
    return sum(not block.users for _name, blocks in _types() for block in blocks if not _is_root(block))


def known_data() -> Dict[str, Set[int]]:
    """What there is now, for `new_data`. References by name would miss two of the same name from two libraries."""
    return {name: {block.as_pointer() for block in blocks} for name, blocks in _types()}


def new_data(before: Dict[str, Set[int]]) -> Dict[str, list[Any]]:
    """What has come since, by type."""
    nothing: Set[int] = set()
    found = {
        name: [block for block in blocks if block.as_pointer() not in before.get(name, nothing)]
        for name, blocks in _types()
    }
    return {name: blocks for name, blocks in found.items() if blocks}


def data_collections() -> Iterator[Any]:
    """The properties of bpy.data that hold the data of one type each."""
    import bpy

    for prop in bpy.data.bl_rna.properties:
        # Since 5.2 there is one of all data, of whatever type.
        if prop.type == "COLLECTION" and prop.fixed_type.identifier != "ID":
            yield prop


def _types() -> Iterator[Tuple[str, Any]]:
    import bpy

    for prop in data_collections():
        yield prop.identifier, getattr(bpy.data, prop.identifier)


def _is_root(block: Any) -> bool:
    # A window manager, a screen or a library is there for itself.
    return bool(block.bl_rna.identifier in ("WindowManager", "Screen", "Library", "WorkSpace", "Scene"))
