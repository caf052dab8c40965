"""Accepts relays on the MCP door and serves each until it leaves."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import trio

from bridge import protocol
from bridge.listeners import Listener, same_user
from bridge.service import Service

from .lines import Lines, LineTooLong
from .preface import LONGEST, read_preface

log = structlog.get_logger(__name__)

_PREFACE_TIMEOUT = 5.0
_MOST_CLIENTS = 64
_BREATH = 0.1

Serve = Callable[[trio.SocketStream, Lines, Any], Awaitable[None]]


class McpDoor:
    """The door for relays. `service` does what the tools ask for."""

    def __init__(self, service: Service, http_token: str) -> None:
        self._service = service
        self._http_token = http_token
        self._http: Any = None
        self._ids = itertools.count(1)
        self._clients: set[trio.SocketStream] = set()
        self._loaded = trio.Event()
        self._session: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """MCP over HTTP, as an ASGI application."""
        await self._loaded.wait()
        await self._http(scope, receive, send)

    async def serve(self, listener: Listener, token: str | None = None) -> None:
        """Answer on the listener, which stays the caller's, until cancelled. Every connection ends with it."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._load)
            while True:
                await trio.lowlevel.wait_readable(listener.socket)
                await self._accept(listener, token, nursery)

    async def _accept(self, listener: Listener, token: str | None, nursery: trio.Nursery) -> None:
        try:
            connected, _ = listener.socket.accept()
        except OSError as error:
            log.warning("MCP connection not taken", error=str(error))
            await trio.sleep(_BREATH)
            return
        if not same_user(connected) or len(self._clients) >= _MOST_CLIENTS:
            log.warning("MCP client refused: another user, or one too many", clients=len(self._clients))
            connected.close()
            return
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(connected))
        nursery.start_soon(self._serve_client, stream, token)

    async def _load(self) -> None:
        """The SDK takes up to a second to import: beside the loop, before the first client needs it."""
        self._session, over_http = await trio.to_thread.run_sync(_import_sdk)
        self._http = over_http(self._service, self._http_token)
        self._loaded.set()
        await self._http.run()

    async def _serve_client(self, stream: trio.SocketStream, token: str | None) -> None:
        client = f"m{next(self._ids)}"
        self._clients.add(stream)
        try:
            await self._admit(stream, client, token)
        except Exception:
            # The boundary between one client and all others: a bug in serving one ends that one.
            log.exception("MCP connection ended by a bug", connection=client)
        finally:
            self._clients.discard(stream)
            await trio.aclose_forcefully(stream)

    async def _admit(self, stream: trio.SocketStream, client: str, token: str | None) -> None:
        lines = Lines(stream, LONGEST)
        try:
            with trio.fail_after(_PREFACE_TIMEOUT):
                line = await lines.next_line()
            preface = read_preface(line or b"", token)
        except (ValueError, LineTooLong, trio.TooSlowError) as error:
            await _refuse(stream, str(error) or "no preface came")
            return
        log.info("MCP client connected", connection=client, tools=preface.tools, relay=preface.client_version)
        await self._loaded.wait()
        await self._session(stream, lines, self._service, client, preface)
        log.info("MCP client left", connection=client)


def _import_sdk() -> tuple[Any, Any]:
    from .http import McpOverHttp  # noqa: PLC0415  # it brings the SDK
    from .session import serve_session  # noqa: PLC0415  # it brings the SDK

    return serve_session, McpOverHttp


async def _refuse(stream: trio.SocketStream, why: str) -> None:
    with trio.move_on_after(1.0):
        await stream.send_all(protocol.json_bytes({"error": why}) + b"\n")
