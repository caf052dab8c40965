"""MCP over HTTP, as an ASGI application: who has the token is served, in both of the protocol's eras."""

from __future__ import annotations

import hmac
import itertools
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import trio
from mcp.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings

from bridge.service import Service

from .client import Client
from .context import Context, Whose
from .server import build_server

_MOST_CLIENTS = 256
_LARGEST_BODY = 64 << 20
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


class McpOverHttp:
    """`/mcp?tools=full&instance=NAME`: the query says what a relay's flags say. `run` it while it is called."""

    def __init__(self, service: Service, token: str) -> None:
        self._service = service
        self._token = token.encode()
        self._ids = itertools.count(1)
        self._clients: OrderedDict[tuple[str, ...], Client] = OrderedDict()
        self._manager = StreamableHTTPSessionManager(
            app=build_server(self._lifespan),
            security_settings=TransportSecuritySettings(
                allowed_hosts=[*_LOOPBACK, *(f"{host}:*" for host in _LOOPBACK)],
                allowed_origins=[f"http://{host}:*" for host in _LOOPBACK],
            ),
            max_request_body_size=_LARGEST_BODY,
        )

    async def run(self) -> None:
        """Keep the sessions until cancelled."""
        async with self._manager.run():
            await trio.sleep_forever()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        given = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(given, b"Bearer " + self._token):
            await _unauthorized(send)
            return
        await self._manager.handle_request(scope, receive, send)

    @asynccontextmanager
    async def _lifespan(self, _: Server[Any]) -> AsyncIterator[Whose]:
        yield self._client_of

    def _client_of(self, context: Context) -> Client:
        """By session in the era that has them, else by what the client calls itself."""
        request = context.request
        query = {} if request is None else request.query_params
        session = "" if request is None else request.headers.get("mcp-session-id", "")
        info = context.session.client_params.client_info if context.session.client_params is not None else None
        who = session or ("" if info is None else f"{info.name} {info.version}")
        tools, instance = query.get("tools") or "core", query.get("instance") or ""
        key = (who, tools, instance)
        client = self._clients.get(key)
        if client is None:
            client = Client(f"h{next(self._ids)}", self._service, tools=tools, instance=instance or None)
            self._clients[key] = client
        self._clients.move_to_end(key)
        while len(self._clients) > _MOST_CLIENTS:
            self._clients.popitem(last=False)
        return client


async def _unauthorized(send: Any) -> None:
    body = b'{"error": "this needs a token: Authorization: Bearer TOKEN, as `bpy-bridge mcp token` prints it"}\n'
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"www-authenticate", b'Bearer realm="bpy-bridge"'),
    ]
    await send({"type": "http.response.start", "status": 401, "headers": headers})
    await send({"type": "http.response.body", "body": body})
