"""One MCP client on a socket: the SDK's server on its lines."""

from __future__ import annotations

import trio
from mcp.server.runner import serve_dual_era_loop

from bridge.service import Service

from .client import Client
from .lines import LONGEST_LINE, Lines
from .preface import Preface
from .server import build_server
from .stream import MessageReader, MessageWriter

_SERVER = build_server()


async def serve_session(
    stream: trio.SocketStream, lines: Lines, service: Service, client_id: str, preface: Preface
) -> None:
    """Serve until the client leaves. What it has in flight is cancelled then, in Blender too."""
    lines.longest = LONGEST_LINE
    client = Client(client_id, service, tools=preface.tools, instance=preface.instance)
    await serve_dual_era_loop(_SERVER, MessageReader(lines), MessageWriter(stream), lifespan_state=client)
