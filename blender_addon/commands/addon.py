"""addon.*: about the add-on itself. These never touch Blender, so they answer while it is busy."""

from __future__ import annotations

from typing import Annotated, Any, Dict, List, Optional, TypedDict

from .catalogue import CATALOGUE, command


class Description(TypedDict):
    """`methods` is null where the caller knows them already; `revision` changes when they do."""

    methods: Optional[List[Dict[str, Any]]]
    revision: str


@command("addon.describe", read_only=True, io_thread=True)
def describe(
    *, known: Annotated[Optional[str], "the revision that the caller has: `methods` is null if it still holds"] = None
) -> Description:
    """List every command with its documentation, the JSON Schemas of its parameters and result, and hints.

    Commands of other add-ons are among them while those are enabled. The revision is in every pong as `catalogue`.
    """
    revision = CATALOGUE.revision
    return {"methods": None if known == revision else CATALOGUE.describe(), "revision": revision}
