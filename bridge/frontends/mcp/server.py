"""The SDK's server with our handlers, each bound to the client that asks."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from typing import Any

import mcp_types as types
import structlog
from mcp.server import Server
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp_types.version import MODERN_PROTOCOL_VERSIONS
from pydantic import ValidationError

from blender_addon.wire import Fault
from bridge import protocol

from . import logs
from .calling import call
from .completions import complete
from .context import Context, Lifespan, Whose, client_of
from .listing import described
from .profiles import mistake
from .prompts import get_prompt, list_prompts
from .resources import list_resources, list_templates, read_resource
from .results import failure, said
from .tools import CALL, SEARCH, Tools

log = structlog.get_logger(__name__)

_MOST_FOUND = 20
_INSTRUCTIONS = """Drives Blender. Look first (scene_summary), change in small steps, and look at what came of it
(viewport_preview). Every change is one undo step: history_undo takes it back. Errors say whether anything ran. Tools
that are not listed are found by tool_search and called by tool_call."""
_bugs = itertools.count(1)


def build_server(lifespan: Lifespan) -> Server[Whose]:
    """The server. Its lifespan says whose a request is."""
    server: Server[Whose] = Server(
        "bpy-bridge",
        version=protocol.VERSION,
        title="Blender (bpy-bridge)",
        instructions=_INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_subscriptions_listen=_listen,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        on_completion=complete,
        get_tool_input_schema=_nothing_in_headers,
        lifespan=lifespan,
    )
    # Given as the others are, the SDK would warn that the later era has no such request.
    server.add_request_handler("logging/setLevel", types.SetLevelRequestParams, logs.set_level)
    server.middleware.append(_contained)
    return server


def _nothing_in_headers(_: str) -> None:
    """No tool takes arguments from HTTP headers; unsaid, the SDK lists all tools at every call to find out."""


async def _contained(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """The boundary between one request and all others: a bug in one is that one's failure, and stays in the log."""
    try:
        return await call_next(ctx)
    except (MCPError, ValidationError):
        raise
    except Exception as error:
        reference = f"{os.getpid():x}-mcp{next(_bugs):x}"
        log.exception("MCP request failed inside the bridge", reference=reference, method=ctx.method)
        message = f"a bug in the bridge ({type(error).__name__}); its log has it under {reference}"
        data = {"outcome": "unknown", "retryable": False, "reference": reference}
        raise MCPError(code=types.INTERNAL_ERROR, message=message, data=data) from error


async def _list_tools(context: Context, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    client = client_of(context)
    tools = await client.tools()
    client.listed = tools.listed(client.selection)
    if not client.listed and (wrong := mistake(client.selection, tools.families)) is not None:
        raise MCPError(code=types.INVALID_PARAMS, message=wrong)
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        client.session = context.session
    return types.ListToolsResult(tools=described(tools, client.selection))


async def _listen(context: Context, params: types.SubscriptionsListenRequestParams) -> types.SubscriptionsListenResult:
    client = client_of(context)
    if client.listed is None:
        client.listed = (await client.tools()).listed(client.selection)
    client.listening += 1
    try:
        return await client.listen(context, params)
    finally:
        client.listening -= 1


async def _call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    result = await _done(context, params)
    await logs.log(context, params.name, result)
    return result


async def _done(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    arguments = params.arguments or {}
    if params.name == SEARCH:
        return await _search(context, arguments)
    if params.name == CALL:
        return await _call_by_name(context, arguments)
    return await _call(context, params.name, arguments)


async def _call(context: Context, name: str, arguments: Mapping[str, Any]) -> types.CallToolResult:
    tool, tools = await client_of(context).tool(name)
    if tool is None:
        fault = Fault("unknown_method", f"there is no tool {name!r:.80}", data={"nearest": tools.nearest(name)})
        return failure(fault)
    return await call(context, tool, arguments)


async def _call_by_name(context: Context, arguments: Mapping[str, Any]) -> types.CallToolResult:
    name, given = arguments.get("name"), arguments.get("arguments", {})
    if not isinstance(name, str) or not isinstance(given, dict):
        return failure(Fault("invalid_params", f"{CALL}: give a tool's name and an object of arguments"))
    return await _call(context, name, given)


async def _search(context: Context, arguments: Mapping[str, Any]) -> types.CallToolResult:
    query, limit = arguments.get("query"), arguments.get("limit", 5)
    if not isinstance(query, str) or type(limit) is not int:
        return failure(Fault("invalid_params", f"{SEARCH}: give a query, and a whole number as limit"))
    tools: Tools = await client_of(context).tools()
    found = [
        {"name": tool.name, "description": tool.description, "arguments": tool.schema}
        for tool in tools.search(query, max(1, min(limit, _MOST_FOUND)))
    ]
    return said({"tools": found, "families": tools.families})
