"""One MCP client on a socket: the SDK's server on its lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from mcp.server import NotificationOptions, Server

from .client import Client, Shared
from .context import Whose
from .eras import Eras
from .lines import LONGEST_LINE, Lines
from .preface import Preface
from .server import build_server
from .stream import MessageReader, MessageWriter


class Session:
    """`serve` it until its client leaves."""

    def __init__(self, client_id: str, preface: Preface, stream: trio.SocketStream, shared: Shared) -> None:
        self._client = Client(client_id, shared, tools=preface.tools, instance=preface.instance)
        self._catalogue = shared.catalogue
        self._writer = MessageWriter(stream)
        server = build_server(self._lifespan)
        options = server.create_initialization_options(NotificationOptions(tools_changed=True))
        self._eras = Eras[Whose](server, self._whose, options)

    @property
    def quiet(self) -> bool:
        """Every request is answered, and every answer written."""
        return self._eras.in_flight == 0 and self._writer.idle

    async def serve(self, lines: Lines) -> None:
        """Serve until the client leaves. What it has in flight is cancelled then, in Blender too."""
        lines.longest = LONGEST_LINE
        self._catalogue.follow(self._client)
        try:
            await self._eras.serve(MessageReader(lines, self._writer), self._writer)
        finally:
            self._catalogue.unfollow(self._client)

    def cancel(self) -> None:
        """Have what it has in flight end now: each call is answered with what is known of it."""
        self._client.cancel()

    def end_streams(self) -> None:
        """End its streams of notifications, in order."""
        self._client.listen.close()

    def _whose(self, _: object) -> Client:
        return self._client

    @asynccontextmanager
    async def _lifespan(self, _: Server[Any]) -> AsyncIterator[Whose]:
        yield self._whose
