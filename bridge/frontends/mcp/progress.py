"""A request's progress events → MCP progress, the latest one where a client reads slowly."""

from __future__ import annotations

from typing import Any

import trio
from mcp.server.context import ServerRequestContext

from blender_addon.wire import Buffer
from bridge import protocol


class Progress:
    """Takes events as they come; `report` tells them until cancelled."""

    def __init__(self, context: ServerRequestContext[Any]) -> None:
        self._context = context
        self._event: dict[str, Any] | None = None
        self._there = trio.Event()
        self._telling = trio.Lock()
        self._told = float("-inf")

    @classmethod
    def wanted(cls, context: ServerRequestContext[Any]) -> Progress | None:
        """Where the client has asked to be told."""
        return None if context.meta is None or "progress_token" not in context.meta else cls(context)

    def put(self, name: str, payload: Buffer) -> bool:
        """Take an event; False for what is no progress."""
        if name != "progress":
            return False
        event = protocol.json_value(payload)
        if not isinstance(event, dict) or not isinstance(event.get("progress"), int | float):
            return False
        self._event = event
        self._there.set()
        return True

    async def report(self) -> None:
        """Tell the client what is latest, each time that there is something, until cancelled."""
        while True:
            await self._there.wait()
            self._there = trio.Event()
            await self.tell()

    async def tell(self) -> None:
        """Tell what is not told yet; it never goes backwards, which MCP forbids."""
        async with self._telling:
            event, self._event = self._event, None
            if event is not None and event["progress"] > self._told:
                self._told = event["progress"]
                await self._context.session.report_progress(
                    event["progress"], event.get("total"), event.get("message") or None
                )
