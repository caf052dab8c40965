"""MCP over HTTP, as an ASGI application: who has the token is served, in both of the protocol's eras.

In the era of sessions (2025) a closed connection is no cancellation, so says the protocol; the tool runs on. In the era
without (2026-07-28) it is.
"""

from __future__ import annotations

import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import structlog
import trio
from mcp.server import NotificationOptions, Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecurityMiddleware, TransportSecuritySettings
from starlette.requests import Request

from bridge import protocol

from .client import Shared
from .context import Whose
from .server import build_server
from .visitors import Visitors

log = structlog.get_logger(__name__)

_MOST_SESSIONS = 512
# Fewer than the connections that the HTTP door takes: probes and Prometheus are answered whatever assistants do.
_MOST_REQUESTS = 96
_LARGEST_BODY = 64 << 20
_IDLE = 1800.0
_LOOPBACK = ("127.0.0.1", "localhost", "[::1]")
_OF_THIS_MACHINE = TransportSecuritySettings(
    allowed_hosts=[*_LOOPBACK, *(f"{host}:*" for host in _LOOPBACK)],
    allowed_origins=[*(f"http://{host}" for host in _LOOPBACK), *(f"http://{host}:*" for host in _LOOPBACK)],
)
_LISTEN = b"subscriptions/listen"


class McpOverHttp:
    """`/mcp?tools=full&instance=NAME`: the query says what a relay's flags say. `run` it while it is called."""

    def __init__(self, shared: Shared, token: str) -> None:
        self._token = token.encode()
        self._visitors = Visitors(shared, forgotten_after=_IDLE)
        self._manager = StreamableHTTPSessionManager(
            app=_announcing(build_server(self._lifespan)),
            security_settings=_OF_THIS_MACHINE,
            session_idle_timeout=_IDLE,
            max_request_body_size=_LARGEST_BODY,
            max_sessions=_MOST_SESSIONS,
        )
        self._security = TransportSecurityMiddleware(_OF_THIS_MACHINE)
        self._requests: dict[_Answer, trio.CancelScope] = {}
        self._settled = trio.Event()
        self._up = trio.Event()
        self._ended = False

    async def run(self) -> None:
        """Keep the sessions until cancelled. What is in flight then is cancelled, in Blender too."""
        _quiet_the_sdk()
        async with self._manager.run():
            self._up.set()
            try:
                await trio.sleep_forever()
            finally:
                self._ended = True
                # The manager ends what belongs to a session, streams of notifications in order; the rest is ours.
                for answer, scope in self._requests.items():
                    if answer.posted:
                        scope.cancel()

    async def settled(self) -> None:
        """Wait until every call is answered; streams of notifications, which never end, are not waited for."""
        while any(answer.awaited for answer in self._requests):
            self._settled = trio.Event()
            await self._settled.wait()

    def end_streams(self) -> None:
        """End the streams of notifications that a client has asked for, in order."""
        self._visitors.end_streams()

    def cancel(self) -> None:
        """Have the calls in flight end now; each is answered with what is known of it."""
        self._visitors.cancel()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""
        await self._up.wait()
        headers = dict(scope["headers"])
        stranger = await self._security.validate_request(Request(scope))
        if stranger is not None:
            await stranger(scope, receive, send)
        elif not _has(self._token, headers.get(b"authorization", b"")):
            log.info("MCP over HTTP refused: it needs the token that `bpy-bridge mcp token` prints")
            await _refuse(send, 401, _NO_TOKEN, (b"www-authenticate", b'Bearer realm="bpy-bridge"'))
        elif self._ended:
            await _refuse(send, 503, "the bridge is shutting down")
        elif len(self._requests) >= _MOST_REQUESTS:
            await _refuse(send, 503, f"{_MOST_REQUESTS} requests are in flight here", (b"retry-after", b"1"))
        elif (wrong := await self._visitors.mistake(Request(scope).query_params)) is not None:
            await _refuse(send, 400, wrong)
        else:
            await self._answer(scope, receive, _Answer(scope["method"], headers, send))
            if scope["method"] == "DELETE":
                self._visitors.forget(headers.get(b"mcp-session-id", b"").decode("latin-1"))

    async def _answer(self, scope: Any, receive: Any, answer: _Answer) -> None:
        with trio.CancelScope() as ending:
            self._requests[answer] = ending
            try:
                await self._manager.handle_request(scope, receive, answer.send)
            finally:
                del self._requests[answer]
                self._settled.set()
        if ending.cancelled_caught and not answer.begun:
            await _refuse(answer.send, 503, "the bridge has ended while this ran: look before you repeat it")

    @asynccontextmanager
    async def _lifespan(self, _: Server[Any]) -> AsyncIterator[Whose]:
        yield self._visitors.client_of


class _Answer:
    """One request's answer on its way: `begun`, and whether it has an end that can be `awaited`."""

    def __init__(self, method: str, headers: dict[bytes, bytes], send: Any) -> None:
        self.posted = method == "POST"
        self.awaited = self.posted and headers.get(b"mcp-method") != _LISTEN
        self.begun = False
        self._send = send

    async def send(self, message: Any) -> None:
        self.begun = True
        # Cancelled in between, hypercorn never reads the next request. The HTTP door cuts off who reads nothing.
        with trio.CancelScope(shield=True):
            await self._send(message)


def _announcing(server: Server[Whose]) -> Server[Whose]:
    """The server, saying that its list of tools may change: the session manager asks it without a word of that."""
    options = server.create_initialization_options(NotificationOptions(tools_changed=True))
    server.create_initialization_options = lambda *_, **__: options  # type: ignore[method-assign]  # the SDK asks for them here
    return server


def _has(token: bytes, given: bytes) -> bool:
    scheme, _, said = given.partition(b" ")
    return hmac.compare_digest(said.strip(), token) and scheme.lower() == b"bearer"


def _quiet_the_sdk() -> None:
    """What it tells at level info is for who debugs it."""
    debugging = logging.getLogger().isEnabledFor(logging.DEBUG)
    logging.getLogger("mcp").setLevel(logging.NOTSET if debugging else logging.WARNING)


_NO_TOKEN = "this needs a token: Authorization: Bearer TOKEN, as `bpy-bridge mcp token` prints it"  # noqa: S105  # it says so


async def _refuse(send: Any, status: int, why: str, *headers: tuple[bytes, bytes]) -> None:
    body = protocol.json_bytes({"error": why}) + b"\n"
    described = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": described})
    await send({"type": "http.response.body", "body": body})
