"""What each tool call came to, as log messages, for a client that asks for them: by session, or by request."""

from __future__ import annotations

from typing import Any, get_args

import mcp_types as types
from mcp_types.version import MODERN_PROTOCOL_VERSIONS

from .context import Context, client_of

_LEVELS: tuple[str, ...] = get_args(types.LoggingLevel)


async def set_level(  # noqa: ASYNC124  # the SDK awaits it
    context: Context, params: types.SetLevelRequestParams
) -> types.EmptyResult:
    """From now on the client is told what is as grave as this, or graver."""
    client_of(context).level = params.level
    return types.EmptyResult()


async def log(context: Context, tool: str, result: types.CallToolResult) -> None:
    """Tell the client what the call came to, if it wants to know."""
    wanted = _wanted(context)
    level, known = _graveness(result)
    if wanted is None or _LEVELS.index(level) < _LEVELS.index(wanted):
        return
    params = types.LoggingMessageNotificationParams(level=level, logger="bpy-bridge", data={"tool": tool, **known})
    await context.session.send_notification(types.LoggingMessageNotification(params=params), context.request_id)


def _wanted(context: Context) -> str | None:
    if context.protocol_version not in MODERN_PROTOCOL_VERSIONS:
        return client_of(context).level
    said = None if context.meta is None else context.meta.get(types.LOG_LEVEL_META_KEY)
    return said if said in _LEVELS else None


def _graveness(result: types.CallToolResult) -> tuple[types.LoggingLevel, dict[str, Any]]:
    if not result.is_error:
        return "debug", {"code": "ok"}
    error = (result.structured_content or {}).get("error", {})
    known = {name: error.get(name) for name in ("code", "outcome", "message")}
    return "warning" if error.get("outcome") == "not_executed" else "error", known
