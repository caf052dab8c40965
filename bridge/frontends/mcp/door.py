"""Accepts relays on the MCP door and serves each until it leaves; MCP over HTTP is served along with it."""

from __future__ import annotations

import itertools
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import structlog
import trio

from bridge import protocol
from bridge.errors import EXIT_BUSY, EXIT_USAGE
from bridge.listeners import Listener, same_user
from bridge.service import Service

from .catalogue import Catalogue, Meant
from .lines import Lines, LineTooLong
from .preface import LONGEST, Preface, read_preface
from .profiles import mistake
from .tools import Tools

log = structlog.get_logger(__name__)

_PREFACE_TIMEOUT = 5.0
_MOST_CLIENTS = 64
_MOST_STRANGERS = 32
_BREATH = 0.1
_GLANCE = 0.01


class McpDoor:
    """The door for relays. `service` does what the tools ask for.

    `folders` are those below which alone results may be saved, None is anywhere. The SDK takes long to import: that is
    done beside the running bridge, and who comes before waits.
    """

    def __init__(self, service: Service, http_token: str, folders: Sequence[Path] | None = None) -> None:
        self._service = service
        self._http_token = http_token
        self._folders = folders
        self._catalogue = Catalogue(service)
        self._ids = itertools.count(1)
        self._strangers: dict[trio.SocketStream, None] = {}
        self._clients: dict[trio.SocketStream, Any] = {}
        self._accepting = trio.CancelScope()
        self._loaded = trio.Event()
        self._sdk: _Sdk | None = None
        self._http: Any = None

    @property
    def clients(self) -> int:
        """Relays that are served."""
        return len(self._clients)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """MCP over HTTP, as an ASGI application."""
        await self._loaded.wait()
        await self._http(scope, receive, send)

    async def serve(self, listener: Listener, token: str | None = None) -> None:
        """Answer on the listener until `stop_accepting`, then serve who is here to the end.

        Cancelled, it ends every connection. `token` is what relays have to show, None where the operating system has
        seen to who they are.
        """
        async with trio.open_nursery() as beside:
            beside.start_soon(self._close_when_cancelled)
            beside.start_soon(self._catalogue.run)
            beside.start_soon(self._load)
            async with trio.open_nursery() as clients:
                with self._accepting:
                    while True:
                        await trio.lowlevel.wait_readable(listener.socket)
                        await self._accept(listener, token, clients)
                # Who comes now is refused at once, and starts another bridge.
                listener.close()
            await trio.sleep_forever()

    def stop_accepting(self) -> None:
        """Close the door to new relays, and end what would never end by itself."""
        self._accepting.cancel()
        for session in self._sessions():
            session.end_streams()
        if self._http is not None:
            self._http.end_streams()

    async def settled(self) -> None:
        """Wait until every request is answered, over HTTP too."""
        while any(not session.quiet for session in self._sessions()):  # noqa: ASYNC110  # of many sessions, once, at the end
            await trio.sleep(_GLANCE)
        if self._http is not None:
            await self._http.settled()

    def cancel(self) -> None:
        """Have what is in flight end now: each call is answered with what is known of it."""
        for session in self._sessions():
            session.cancel()
        if self._http is not None:
            self._http.cancel()

    def close(self) -> None:
        """End every relay's connection now."""
        self._accepting.cancel()
        for stream in [*self._strangers, *self._clients]:
            stream.socket.close()

    def _sessions(self) -> list[Any]:
        return [session for session in self._clients.values() if session is not None]

    async def _close_when_cancelled(self) -> None:
        try:
            await trio.sleep_forever()
        finally:
            # An answer on its way is not cancelled, and a client that does not read it would be waited for.
            self.close()

    async def _load(self) -> None:
        self._sdk = await trio.to_thread.run_sync(_import_sdk)
        shared = self._sdk.shared(self._service, self._catalogue, self._folders)
        self._http = self._sdk.over_http(shared, self._http_token)
        self._loaded.set()
        await self._http.run()

    async def _accept(self, listener: Listener, token: str | None, nursery: trio.Nursery) -> None:
        try:
            connected, _ = listener.socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        except OSError as error:
            log.warning("MCP connection not taken", error=error.strerror)
            await trio.sleep(_BREATH)
            return
        if not same_user(connected):
            log.warning("MCP client refused: another user")
            connected.close()
            return
        if len(self._strangers) >= _MOST_STRANGERS:
            # Who says nothing must not keep out who would.
            next(iter(self._strangers)).socket.close()
        nursery.start_soon(self._serve_client, connected, token)

    async def _serve_client(self, connected: socket.socket, token: str | None) -> None:
        client = f"m{next(self._ids)}"
        connected.setblocking(False)
        stream = trio.SocketStream(trio.socket.from_stdlib_socket(connected))
        self._strangers[stream] = None
        try:
            lines = Lines(stream, LONGEST)
            preface = await self._admit(stream, lines, token)
            if preface is not None:
                await self._serve_session(client, preface, stream, lines)
        except Exception:
            # The boundary between one client and all others: a bug in serving one ends that one.
            log.exception("MCP connection ended by a bug", connection=client)
        finally:
            self._strangers.pop(stream, None)
            self._clients.pop(stream, None)
            stream.socket.close()

    async def _admit(self, stream: trio.SocketStream, lines: Lines, token: str | None) -> Preface | None:
        """The preface, and its place among the clients; None where it was refused, or nothing came."""
        why, exit_code = "no preface came: this door is for `bpy-bridge mcp`", EXIT_USAGE
        try:
            with trio.move_on_after(_PREFACE_TIMEOUT):
                line = await lines.next_line()
                if line is None:
                    return None
                preface = read_preface(line, token)
                if len(self._clients) < _MOST_CLIENTS:
                    self._clients[stream] = None
                    del self._strangers[stream]
                    return preface
                why, exit_code = f"there are {_MOST_CLIENTS} MCP clients already, the most there can be", EXIT_BUSY
        except (ValueError, LineTooLong) as error:
            why = str(error)
        await _refuse(stream, why, exit_code)
        return None

    async def _serve_session(self, client: str, preface: Preface, stream: trio.SocketStream, lines: Lines) -> None:
        if (wrong := await self._mistake(preface)) is not None:
            await _refuse(stream, wrong)
            return
        await self._loaded.wait()
        assert self._sdk is not None
        shared = self._sdk.shared(self._service, self._catalogue, self._folders)
        session = self._sdk.session(client, preface, stream, shared)
        self._clients[stream] = session
        log.info("MCP client connected", connection=client, tools=preface.tools, relay=preface.client_version)
        await session.serve(lines)
        log.info("MCP client left", connection=client)

    async def _mistake(self, preface: Preface) -> str | None:
        """What is wrong with the tools that are asked for."""

        def wrong(tools: Tools) -> str | None:
            return mistake(preface.tools, tools.families)

        return wrong(await self._catalogue.complete(Meant.of(preface.instance), lambda tools: wrong(tools) is None))


class _Sdk(NamedTuple):
    shared: Any
    session: Any
    over_http: Any


def _import_sdk() -> _Sdk:
    from .client import Shared  # noqa: PLC0415  # it brings the SDK
    from .http import McpOverHttp  # noqa: PLC0415  # it brings the SDK
    from .session import Session  # noqa: PLC0415  # it brings the SDK

    return _Sdk(Shared, Session, McpOverHttp)


async def _refuse(stream: trio.SocketStream, why: str, exit_code: int = EXIT_USAGE) -> None:
    """What the relay says on standard error, and the exit code that it ends with."""
    log.warning("MCP client refused", reason=why)
    with trio.move_on_after(1.0):
        try:
            await stream.send_all(protocol.json_bytes({"error": why, "exit_code": exit_code}) + b"\n")
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return
