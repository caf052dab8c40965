"""addon.*: about the add-on itself. These never touch Blender, so they answer while it is busy."""

from __future__ import annotations

from typing import Any, Dict, List, TypedDict

from .catalogue import CATALOGUE, command


class Description(TypedDict):
    methods: List[Dict[str, Any]]


@command("addon.describe", read_only=True, io_thread=True)
def describe() -> Description:
    """List every command with its documentation, the JSON Schemas of its parameters and result, and hints."""
    return {"methods": CATALOGUE.describe()}
