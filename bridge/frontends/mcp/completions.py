"""What a client may type on: the names of objects, for the resource that is read by name."""

from __future__ import annotations

import mcp_types as types

from bridge.errors import RequestError

from .context import Context, client_of
from .resources import OBJECT

_MOST = 100


async def complete(context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    """Names that contain what was typed. None for what is not known here, and where no Blender answers."""
    known = isinstance(params.ref, types.ResourceTemplateReference) and params.ref.uri.startswith(OBJECT)
    if not known or params.argument.name != "name":
        return _found([], 0)
    wanted = {"query": params.argument.value[:255], "fields": ["name"], "limit": _MOST}
    try:
        page = await client_of(context).value("scene.objects", wanted)
    except RequestError:
        return _found([], 0)
    return _found([entry["name"] for entry in page["objects"]], page["total"])


def _found(values: list[str], total: int) -> types.CompleteResult:
    completion = types.Completion(values=values, total=total, has_more=total > len(values))
    return types.CompleteResult(completion=completion)
