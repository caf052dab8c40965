"""One MCP client on a socket: the SDK's server on its lines."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from mcp.server import Server

from bridge.service import Service

from .client import Client
from .context import Whose
from .lines import LONGEST_LINE, Lines
from .preface import Preface
from .server import build_server
from .stream import MessageReader, MessageWriter


async def serve_session(
    stream: trio.SocketStream, lines: Lines, service: Service, client_id: str, preface: Preface
) -> None:
    """Serve until the client leaves. What it has in flight is cancelled then, in Blender too."""
    lines.longest = LONGEST_LINE
    client = Client(client_id, service, tools=preface.tools, instance=preface.instance)

    @asynccontextmanager
    async def lifespan(_: Server[Any]) -> AsyncIterator[Whose]:
        yield lambda _: client

    server = build_server(lifespan)
    await server.run(MessageReader(lines), MessageWriter(stream), server.create_initialization_options())
