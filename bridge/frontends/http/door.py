"""Accepts HTTP connections, bounded in number, and ends them; hypercorn speaks HTTP on each.

`hypercorn.trio.serve` is not used: it waits without end for a client that does not read its answer, and an error in
serving one client ends it for all.
"""

from __future__ import annotations

import logging

import structlog
import trio
from hypercorn.app_wrappers import ASGIWrapper
from hypercorn.config import Config
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.trio.worker_context import WorkerContext
from hypercorn.typing import ASGIFramework, ConnectionState

from bridge.listeners import Listener

log = structlog.get_logger(__name__)

_MOST_CLIENTS = 128
_GRACE = 1.0
_LARGEST_HEAD = 16_384


class HttpDoor:
    """Serves an ASGI application to at most 128 connections at a time; more are closed at once."""

    def __init__(self, application: ASGIFramework) -> None:
        self._application = ASGIWrapper(application)
        self._context = WorkerContext(None)
        self._accepting = trio.CancelScope()
        self._stopped = trio.Event()
        self._clients: set[trio.SocketStream] = set()
        self._config = Config()
        self._config.errorlog = logging.getLogger("hypercorn")
        self._config.h11_max_incomplete_size = _LARGEST_HEAD
        self._config.include_server_header = False

    async def serve(self, listener: Listener) -> None:
        """Answer on the listener, which stays the caller's, until `stop`. Cancelled, it ends every connection."""
        async with trio.open_nursery() as ending:
            ending.start_soon(self._end)
            async with trio.open_nursery() as clients:
                with self._accepting:
                    await self._accept(listener, clients)
            ending.cancel_scope.cancel()

    def stop(self) -> None:
        """Accept nobody any more; who is being answered has a second to read it."""
        self._stopped.set()

    async def _end(self) -> None:
        try:
            await self._stopped.wait()
            self._accepting.cancel()
            await self._context.terminated.set()
            await trio.sleep(_GRACE)
        finally:
            # Cancelling would not do: hypercorn shields its sending.
            for stream in self._clients:
                stream.socket.close()

    async def _accept(self, listener: Listener, nursery: trio.Nursery) -> None:
        accepting = trio.SocketListener(trio.socket.from_stdlib_socket(listener.socket.dup()))
        async with accepting:
            await trio.serve_listeners(self._serve_client, [accepting], handler_nursery=nursery)

    async def _serve_client(self, stream: trio.SocketStream) -> None:
        if len(self._clients) >= _MOST_CLIENTS:
            log.warning("HTTP connection refused: too many", clients=len(self._clients))
            stream.socket.close()
            return
        self._clients.add(stream)
        try:
            state = ConnectionState({})
            await TCPServer(self._application, self._config, self._context, state, stream)  # type: ignore[arg-type]  # it takes what is not TLS as well
        except Exception:
            # The boundary between one client and all others: a bug in serving one ends that one.
            log.exception("HTTP connection ended by a bug")
        finally:
            self._clients.discard(stream)
            stream.socket.close()


def url(listener: Listener) -> str:
    """Where people and programs find the door."""
    return listener.address if listener.path is not None else "http://" + listener.address.removeprefix("tcp:")
