"""A request's progress events → MCP progress, the latest one where a client reads slowly."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import trio
from mcp.server.context import ServerRequestContext

from blender_addon.wire import Buffer
from bridge import protocol
from bridge.connection import OnEvent
from bridge.errors import RequestError

Value = TypeVar("Value")


async def with_progress(
    context: ServerRequestContext[Any], perform: Callable[[OnEvent | None], Awaitable[Value]]
) -> Value:
    """Perform, telling the client how far it is if it asked for that. Raises what `perform` raises."""
    if context.meta is None or "progress_token" not in context.meta:
        return await perform(None)
    latest = _Latest()
    refused: RequestError | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(latest.report, context)
        try:
            value = await perform(latest.put)
        except RequestError as error:
            refused = error
        nursery.cancel_scope.cancel()
    if refused is not None:
        raise refused
    return value


class _Latest:
    def __init__(self) -> None:
        self._event: dict[str, Any] | None = None
        self._there = trio.Event()

    def put(self, name: str, payload: Buffer) -> bool:
        if name != "progress":
            return False
        self._event = protocol.json_value(payload)
        self._there.set()
        return True

    async def report(self, context: ServerRequestContext[Any]) -> None:
        while True:
            await self._there.wait()
            self._there = trio.Event()
            event, self._event = self._event, None
            if event is not None:
                told = event.get("message") or None
                await context.session.report_progress(event["progress"], event.get("total"), told)
