"""One tool call: arguments → request → Blender → result, with progress on the way."""

from __future__ import annotations

from functools import partial
from typing import Any

from mcp_types import CallToolResult

from blender_addon.wire import Fault
from bridge.errors import RequestError

from .arguments import ArgumentError, payload_of
from .context import Context, client_of
from .progress import with_progress
from .results import failure, outcome_of
from .tools import Tool


async def call(context: Context, tool: Tool, arguments: dict[str, Any]) -> CallToolResult:
    """Do it. What fails on purpose is a result that says so; cancelled, it is cancelled in Blender too."""
    client = client_of(context)
    given = dict(arguments)
    max_size = given.pop("max_size", 1024) if tool.images and "max_size" not in tool.own else None
    save_to = given.pop("save_to", None) if tool.arrays and "save_to" not in tool.own else None
    try:
        parts, payload = await payload_of(tool, given)
        reply, restarted = await with_progress(context, partial(client.perform, tool.method, payload, parts))
    except ArgumentError as error:
        return failure(Fault("invalid_params", str(error)))
    except RequestError as error:
        return failure(error)
    try:
        result, picture = await outcome_of(reply, max_size=max_size, save_to=save_to, restarted=restarted)
        client.picture = picture or client.picture
        return result
    finally:
        reply.drop()
