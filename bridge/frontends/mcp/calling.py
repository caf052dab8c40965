"""One tool call: arguments → request → Blender → result, with progress on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mcp_types import CallToolResult

from blender_addon.wire import Fault
from bridge.errors import RequestError

from .arguments import ArgumentError, payload_of
from .context import Context, client_of
from .files import Folder
from .progress import Progress
from .results import Shape, failure, outcome_of
from .tools import DEFAULT_SIZE, LARGEST, SMALLEST, Tool


async def call(context: Context, tool: Tool, arguments: Mapping[str, Any]) -> CallToolResult:
    """Do it. What fails on purpose is a result that says so; cancelled, it is cancelled in Blender too."""
    client = client_of(context)
    given = dict(arguments)
    try:
        shape = await _shape(tool, given, client.folders)
        parts, payload = await payload_of(tool.params, given)
        reply, restarted = await client.perform(tool.method, payload, parts, Progress.wanted(context))
    except ArgumentError as error:
        return failure(Fault("invalid_params", f"{tool.name}: {error}"))
    except RequestError as error:
        return failure(error)
    try:
        result, picture = await outcome_of(reply, shape, restarted=restarted)
        client.picture = picture or client.picture
        return result
    finally:
        reply.drop()


async def _shape(tool: Tool, given: dict[str, Any], folders: Sequence[Path] | None) -> Shape:
    """Take what is the door's own out of the arguments. Raises ArgumentError."""
    max_size, folder = None, None
    if tool.sizes:
        max_size = given.pop("max_size", DEFAULT_SIZE)
        if type(max_size) is not int or not SMALLEST <= max_size <= LARGEST:
            raise ArgumentError(f"max_size: expected a whole number from {SMALLEST} to {LARGEST}")
    if tool.saves and (path := given.pop("save_to", None)) is not None:
        if not isinstance(path, str):
            raise ArgumentError("save_to: expected a directory's path")
        try:
            folder = await Folder.open(path, folders)
        except (OSError, ValueError) as error:
            raise ArgumentError(f"save_to: {error}") from None
    return Shape(tool.images, max_size, folder)
