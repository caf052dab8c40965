"""The SDK's server with our handlers. One serves all clients: a request's context says whose it is."""

from __future__ import annotations

from typing import Any

import mcp_types as types
from mcp.server import Server

from blender_addon.wire import Fault
from bridge import protocol

from .calling import call
from .context import Context, Lifespan, Whose, client_of
from .prompts import get_prompt, list_prompts
from .resources import list_resources, list_templates, read_resource
from .results import failure
from .tools import CALL, SEARCH, Tool, Tools

_INSTRUCTIONS = """Drives Blender. Look first (scene_summary), change in small steps, and look at what came of it
(viewport_preview). Every change is one undo step: history_undo takes it back. Errors say whether anything ran. Tools
that are not listed are found by tool_search and called by tool_call."""


def build_server(lifespan: Lifespan) -> Server[Whose]:
    """The server. Its lifespan says whose a request is."""
    return Server(
        "bpy-bridge",
        version=protocol.VERSION,
        title="Blender (bpy-bridge)",
        instructions=_INSTRUCTIONS,
        on_list_tools=_list_tools,
        on_call_tool=_call_tool,
        on_list_resources=list_resources,
        on_list_resource_templates=list_templates,
        on_read_resource=read_resource,
        on_list_prompts=list_prompts,
        on_get_prompt=get_prompt,
        get_tool_input_schema=_nothing_in_headers,
        lifespan=lifespan,
    )


def _nothing_in_headers(_: str) -> None:
    """No tool takes arguments from HTTP headers; unsaid, the SDK lists all tools at every call to find out."""


async def _list_tools(context: Context, _: types.PaginatedRequestParams | None) -> types.ListToolsResult:
    tools = await client_of(context).tools()
    return types.ListToolsResult(tools=[*map(_described, tools.listed()), *_OWN])


async def _call_tool(context: Context, params: types.CallToolRequestParams) -> types.CallToolResult:
    client = client_of(context)
    arguments = params.arguments or {}
    tools = await client.known_tools()
    if params.name == SEARCH:
        return _search(tools, arguments)
    if params.name == CALL:
        return await _call_by_name(context, tools, arguments)
    return await _call(context, tools, params.name, arguments)


async def _call(context: Context, tools: Tools, name: str, arguments: dict[str, Any]) -> types.CallToolResult:
    tool = tools.find(name)
    if tool is None:
        # Another add-on may have brought it meanwhile.
        tool = (await client_of(context).tools()).find(name)
    if tool is None:
        close = tools.nearest(name)
        return failure(Fault("unknown_method", f"there is no tool {name!r:.80}", data={"nearest": close}))
    return await call(context, tool, arguments)


async def _call_by_name(context: Context, tools: Tools, arguments: dict[str, Any]) -> types.CallToolResult:
    name, given = arguments.get("name"), arguments.get("arguments", {})
    if not isinstance(name, str) or not isinstance(given, dict):
        return failure(Fault("invalid_params", f"{CALL}: give a tool's name and an object of arguments"))
    return await _call(context, tools, name, given)


def _search(tools: Tools, arguments: dict[str, Any]) -> types.CallToolResult:
    query, limit = arguments.get("query"), arguments.get("limit", 5)
    if not isinstance(query, str) or not isinstance(limit, int):
        return failure(Fault("invalid_params", f"{SEARCH}: give a query, and a whole number as limit"))
    found = [
        {"name": tool.name, "description": tool.description, "arguments": tool.schema}
        for tool in tools.search(query, max(1, min(limit, 20)))
    ]
    value = {"tools": found, "families": tools.families}
    return types.CallToolResult(
        content=[types.TextContent(text=protocol.json_bytes(value).decode())], structured_content=value
    )


def _described(tool: Tool) -> types.Tool:
    return types.Tool(
        name=tool.name,
        title=tool.title,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(
            read_only_hint=tool.hints["read_only"],
            destructive_hint=tool.hints["destructive"],
            idempotent_hint=tool.hints["idempotent"],
            open_world_hint=False,
        ),
    )


_OWN = [
    types.Tool(
        name=SEARCH,
        title="Find tools",
        description="Find tools that are not listed, by words such as 'uv unwrap'. Answers names and arguments.",
        input_schema={
            "type": "object",
            "properties": {"query": {"type": "string"}, "limit": {"type": "integer", "default": 5}},
            "required": ["query"],
        },
        annotations=types.ToolAnnotations(read_only_hint=True),
    ),
    types.Tool(
        name=CALL,
        title="Call any tool",
        description="Call a tool that tool_search has found.",
        input_schema={
            "type": "object",
            "properties": {"name": {"type": "string"}, "arguments": {"type": "object"}},
            "required": ["name"],
        },
    ),
]
