"""What a client may type on: the names of objects, for the resource that is read by name."""

from __future__ import annotations

import mcp_types as types
import trio

from bridge.errors import RequestError

from .context import Context, client_of
from .resources import OBJECT

_MOST = 100
# Who types waits no longer.
_PATIENCE = 1.0


async def complete(context: Context, params: types.CompleteRequestParams) -> types.CompleteResult:
    """Names that contain what was typed. None for what is not known here, and where Blender has no time to say."""
    known = isinstance(params.ref, types.ResourceTemplateReference) and params.ref.uri.startswith(OBJECT)
    if not known or params.argument.name != "name":
        return _found([], 0)
    wanted = {"query": params.argument.value[:255], "fields": ["name"], "limit": _MOST}
    with trio.move_on_after(_PATIENCE):
        try:
            page = await client_of(context).value("scene.objects", wanted)
            return _found([entry["name"] for entry in page["objects"]], page["total"])
        except RequestError:
            pass
    return _found([], 0)


def _found(values: list[str], total: int) -> types.CompleteResult:
    completion = types.Completion(values=values, total=total, has_more=total > len(values))
    return types.CompleteResult(completion=completion)
