"""What can be read without calling a tool: the scene, an object, the last picture, what was done."""

from __future__ import annotations

import base64
from typing import Any
from urllib.parse import unquote

import mcp_types as types
from mcp.shared.exceptions import MCPError

from bridge import protocol
from bridge.errors import RequestError

from .client import Client
from .context import Context, client_of

OBJECT = "blender://object/"
_SCENE, _PICTURE, _DONE = "blender://scene", "blender://render/last", "blender://log"
_JSON, _PNG = "application/json", "image/png"


def _resource(uri: str, name: str, title: str, mime_type: str, description: str) -> types.Resource:
    return types.Resource(uri=uri, name=name, title=title, mime_type=mime_type, description=description)


_RESOURCES = [
    _resource(_SCENE, "scene", "Scene", _JSON, "What is open in Blender: counts, camera, render settings"),
    _resource(_PICTURE, "last-render", "Last picture", _PNG, "The last render or preview that this client made"),
    _resource(_DONE, "log", "What was done", _JSON, "The last commands, with their outcomes"),
]


async def list_resources(  # noqa: ASYNC124  # the SDK awaits it
    _: Context, __: types.PaginatedRequestParams | None
) -> types.ListResourcesResult:
    """They are the same for everybody; what they hold is not."""
    return types.ListResourcesResult(resources=_RESOURCES)


async def list_templates(  # noqa: ASYNC124  # the SDK awaits it
    _: Context, __: types.PaginatedRequestParams | None
) -> types.ListResourceTemplatesResult:
    """Objects are read by name."""
    return types.ListResourceTemplatesResult(
        resource_templates=[
            types.ResourceTemplate(
                uri_template=OBJECT + "{name}",
                name="object",
                title="Object",
                mime_type=_JSON,
                description="One object by its name: transform, bounds, materials, modifiers",
            )
        ]
    )


async def read_resource(context: Context, params: types.ReadResourceRequestParams) -> types.ReadResourceResult:
    """Read one. Raises MCPError for what is not there, or cannot be read now."""
    uri, client = str(params.uri), client_of(context)
    if uri == _PICTURE:
        return _picture(client, uri)
    try:
        value = await _value(client, uri)
    except RequestError as error:
        missing = error.outcome == "not_executed" and not error.retryable
        code = types.INVALID_PARAMS if missing else types.INTERNAL_ERROR
        raise MCPError(code=code, message=error.message, data={"uri": uri, **error.as_object()}) from error
    text = protocol.json_bytes(value).decode()
    return types.ReadResourceResult(contents=[types.TextResourceContents(uri=uri, mime_type=_JSON, text=text)])


async def _value(client: Client, uri: str) -> Any:
    if uri == _SCENE:
        return await client.value("scene.summary", {})
    if uri == _DONE:
        return await client.value("bridge.recent", {"limit": 100})
    if uri.startswith(OBJECT):
        return await client.value("object.get", {"name": unquote(uri.removeprefix(OBJECT))})
    known = f"{_SCENE}, {_PICTURE}, {_DONE} and {OBJECT}NAME"
    raise MCPError(code=types.INVALID_PARAMS, message=f"there is no {uri}: there are {known}", data={"uri": uri})


def _picture(client: Client, uri: str) -> types.ReadResourceResult:
    if client.picture is None:
        message = "no picture was made yet: call render_still or viewport_preview"
        raise MCPError(code=types.INVALID_PARAMS, message=message, data={"uri": uri})
    data, media_type = client.picture
    blob = base64.b64encode(data).decode()
    return types.ReadResourceResult(contents=[types.BlobResourceContents(uri=uri, mime_type=media_type, blob=blob)])
