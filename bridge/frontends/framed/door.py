"""Accepts tool clients, and keeps room for new ones."""

from __future__ import annotations

import errno
import itertools
import socket
from collections import OrderedDict

import structlog
import trio
from structlog.contextvars import bind_contextvars

from blender_addon.wire import Limits
from bridge import events
from bridge.listeners import Listener, same_user
from bridge.memory import MemoryShare
from bridge.service import Service
from bridge.stream import SocketStream
from bridge.supervised import keep_running

from .connection import FramedConnection

log = structlog.get_logger(__name__)

_OUT_OF_FILES = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
_BREATH = 0.1
_PATIENCE = 0.002
_STRANGERS = 4


class FramedDoor:
    """Serves clients of any number of listeners, `max_clients` at most.

    Beyond that the client that has been silent for longest, with nothing in flight, makes room for the new one; where
    more than a quarter are still in their handshake, one of those.
    """

    def __init__(
        self,
        service: Service,
        *,
        limits: Limits,
        memory: MemoryShare,
        max_clients: int,
        frame_timeout: float,
        handshake_timeout: float,
    ) -> None:
        self._service = service
        self._limits = limits
        self._memory = memory
        self._max_clients = max_clients
        self._frame_timeout = frame_timeout
        self._handshake_timeout = handshake_timeout
        self._ids = itertools.count(1)
        self._clients: OrderedDict[FramedConnection, None] = OrderedDict()
        self._accepting = trio.CancelScope()
        self._emptied = trio.Event()
        self._asking: dict[FramedConnection, None] = {}
        self._asked = trio.Event()

    @property
    def clients(self) -> int:
        """Connections that are open."""
        return len(self._clients)

    @property
    def in_flight(self) -> int:
        """Requests without a response yet, of all clients."""
        return sum(client.in_flight for client in self._clients)

    async def settled(self) -> None:
        """Wait until nothing is in flight and nothing that a client has sent is unread."""
        while unsettled := [client for client in self._clients if not client.quiet]:
            for client in unsettled:
                await client.settled()
            await trio.sleep(_PATIENCE)

    async def left(self) -> None:
        """Wait until no client is here any more."""
        while self._clients:
            self._emptied = trio.Event()
            await self._emptied.wait()

    async def serve(self, listeners: list[tuple[Listener, str | None]]) -> None:
        """Accept on each listener, with its token, until `stop_accepting`; then serve who is here to the end."""
        async with trio.open_nursery() as watching:
            watching.start_soon(keep_running, "door.watch", self._watch, events.ignore)
            async with trio.open_nursery() as nursery:
                with self._accepting:
                    async with trio.open_nursery() as accepting:
                        for listener, token in listeners:
                            accepting.start_soon(self._accept, listener, token, nursery)
                # A client that comes now is refused at once, not left in the backlog.
                for listener, _ in listeners:
                    listener.close()
            watching.cancel_scope.cancel()

    def stop_accepting(self, reason: str) -> None:
        """Close the door to new clients, and say goodbye to those who are here."""
        self._accepting.cancel()
        for client in list(self._clients):
            client.goodbye(reason)

    def close(self) -> None:
        """End every connection now."""
        self._accepting.cancel()
        for client in list(self._clients):
            client.close()

    async def _accept(self, listener: Listener, token: str | None, nursery: trio.Nursery) -> None:
        while True:
            await trio.lowlevel.wait_readable(listener.socket)
            try:
                connected, _ = listener.socket.accept()
            except OSError as error:
                if error.errno in _OUT_OF_FILES:
                    log.warning("no more files for clients", address=listener.address, error=error.strerror)
                    self._make_room()
                    await trio.sleep(_BREATH)
                continue
            if not same_user(connected):
                log.warning("client refused: another user", address=listener.address)
                connected.close()
                continue
            if len(self._clients) >= self._max_clients:
                self._make_room()
            nursery.start_soon(self._serve_client, connected, token)

    def _make_room(self) -> None:
        strangers = [client for client in self._clients if not client.opened]
        # Who has not shown the token must not crowd out those who have.
        candidates = strangers if len(strangers) > self._max_clients // _STRANGERS else self._clients
        silent = next((client for client in candidates if client.in_flight == 0), None)
        if silent is not None:
            log.warning("client closed to make room", connection=silent.id, clients=len(self._clients))
            self._clients.pop(silent)
            silent.close()

    async def _serve_client(self, connected: socket.socket, token: str | None) -> None:
        try:
            client = self._client(connected, token)
            bind_contextvars(connection=client.id)
            log.debug("client has come")
            self._clients[client] = None
            try:
                with self._service.status.client():
                    await client.run()
            finally:
                self._clients.pop(client, None)
                if not self._clients:
                    self._emptied.set()
        except Exception:
            # The boundary between one client and all others: a bug in serving one ends that one.
            log.exception("client connection ended by a bug")
        finally:
            connected.close()
            log.debug("client has gone")

    def _client(self, connected: socket.socket, token: str | None) -> FramedConnection:
        return FramedConnection(
            f"c{next(self._ids)}",
            SocketStream(connected),
            self._service,
            limits=self._limits,
            token=token,
            memory=self._memory,
            frame_timeout=self._frame_timeout,
            handshake_timeout=self._handshake_timeout,
            on_request=self._note,
        )

    def _note(self, client: FramedConnection) -> None:
        if client in self._clients:
            self._clients.move_to_end(client)
        if not self._asking:
            self._asked.set()
        self._asking[client] = None

    async def _watch(self) -> None:
        """Have each client read from whose request is not answered at once: it may want to cancel, ping or ask more."""
        while True:
            if not self._asking:
                self._asked = trio.Event()
                await self._asked.wait()
            began = trio.current_time()
            asking, self._asking = self._asking, {}
            await trio.sleep(_PATIENCE)
            for client in asking:
                client.read_on(began)
