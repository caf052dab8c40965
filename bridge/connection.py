"""One socket to Blender: the client's session on a byte stream, one request at a time."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, NamedTuple

import trio

from blender_addon.wire import (
    Buffer,
    ClientSession,
    Event,
    Fault,
    Goodbye,
    Opened,
    Peer,
    Pong,
    Request,
    Response,
    head,
)
from blender_addon.wire.envelope import Parts
from blender_addon.wire.session import ClientEvent

from . import protocol
from .errors import BlenderLost, BlenderUnavailable
from .frames import FrameReader, FrameWriter
from .memory import Holder, MemoryShare
from .stream import ByteStream
from .trace import Tap

OnEvent = Callable[[str, Buffer], bool]
"""Takes an event's name and payload. False: it was dropped, since who is told is slow or gone."""


class Reply(NamedTuple):
    """Blender's answer; its payload is not parsed, and is charged to `memory` until `drop`."""

    ok: bool
    payload: Buffer
    parts: Parts | None
    boot: str | None
    memory: Holder | None = None

    def drop(self) -> None:
        """Give the payload's memory back."""
        if self.memory is not None:
            self.memory.drop(self.payload)


class Exchange:
    """One request on its way to Blender and what came of it.

    `sent` is true once Blender may have the whole request. `reply` is set when the answer was read, also where the
    waiting for it was cancelled meanwhile. `lost` says that the connection died while the answer to a cancel was waited
    for.
    """

    __slots__ = ("lost", "on_event", "payload", "reply", "request", "sent", "taken_back")

    def __init__(self, request: Request, payload: Buffer, on_event: OnEvent | None = None) -> None:
        self.request = request
        self.payload = payload
        self.on_event = on_event
        self.sent = False
        self.reply: Reply | None = None
        self.taken_back = False
        self.lost = False


class Connection:
    """A handshaken socket to one Blender.

    `poisoned` is true from before a request's first byte until its whole response was read: such a connection must
    not carry another request. `peer` is as whom the add-on has presented itself, `boot` its process.
    """

    def __init__(
        self,
        stream: ByteStream,
        session: ClientSession,
        memory: MemoryShare,
        *,
        max_payload: int,
        cancel_grace: float,
        tap: Tap | None = None,
    ) -> None:
        self.poisoned = False
        self.boot: str | None = None
        self.peer = Peer("", "")
        self._stream = stream
        self._session = session
        self._memory = memory
        self._reader = FrameReader(stream, max_payload, memory, tap=tap)
        self._writer = FrameWriter(stream, tap=tap)
        self._cancel_grace = cancel_grace
        self._ping_ids = itertools.count()
        self._leaving = False
        self._exchange: Exchange | None = None

    async def handshake(self) -> None:
        """Greet and prove the token. Raises Fault (Blender's, or that it is not believed) and BrokenResourceError."""
        self._session.greet()
        while True:
            while self._session.outbox:
                await self._writer.write([self._session.outbox.pop(0)])
            event, payload = await self._receive()
            self._memory.release(len(payload))
            if isinstance(event, Opened):
                self.boot = event.welcome.boot
                self.peer = event.peer
                return

    async def call(self, exchange: Exchange) -> None:
        """Send the request and wait for its response, which becomes `exchange.reply`.

        Raises BlenderLost where the connection died or what came back is not the protocol. Cancelled, it cancels the
        request in Blender and waits for the matching response up to the cancel grace; the Cancelled then propagates
        in any case, and the connection is poisoned unless that response came. Raises BlenderUnavailable where
        `take_back` has kept it from running.
        """
        request = exchange.request
        envelope = self._session.request(request)
        self.poisoned = True
        try:
            await self._send(head(envelope, len(exchange.payload)), exchange.payload)
            exchange.sent = True
            self._exchange = exchange
            exchange.reply = await self._reply(exchange)
        except trio.Cancelled:
            if exchange.sent:
                with trio.move_on_after(self._cancel_grace, shield=True):
                    await self._cancel(exchange)
            raise
        except (Fault, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            exchange.sent = True
            message = f"the connection to Blender was lost during {request.method}: {_reason(error)}"
            raise BlenderLost(message, data={"boot": self.boot}) from error
        finally:
            self._exchange = None
        self.poisoned = False
        if exchange.taken_back:
            _raise_if_not_run(exchange)

    async def take_back(self) -> None:
        """Cancel the request that is in flight, if any, for its requester who still wants it: this Blender is to go.

        Where it had not begun, its `call` raises BlenderUnavailable: it did not run.
        """
        exchange = self._exchange
        if exchange is not None and exchange.reply is None:
            exchange.taken_back = True
            with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                await self._writer.write([self._session.cancel(exchange.request.id)])

    async def _send(self, start: bytes, payload: Buffer) -> None:
        if len(payload) == 0:
            await self._writer.write([start])
        elif len(payload) < 4096:
            await self._writer.write([start + payload])
        else:
            await self._writer.write([start, payload])

    async def _reply(self, exchange: Exchange) -> Reply:
        request_id = exchange.request.id
        while True:
            event, payload = await self._receive()
            if isinstance(event, Response):
                reply = Reply(event.ok, payload, event.parts, event.boot, self._memory)
                if event.id == request_id:
                    return reply
                reply.drop()
                raise Fault("bad_envelope", f"Blender answered {event.id}, which was not asked", fatal=True)
            self._memory.release(len(payload))
            if isinstance(event, Event) and event.id == request_id and exchange.on_event is not None:
                exchange.on_event(event.name, payload)
            elif isinstance(event, Goodbye):
                self._leaving = True

    async def _cancel(self, exchange: Exchange) -> None:
        try:
            await self._writer.write([self._session.cancel(exchange.request.id)])
            exchange.reply = await self._reply(exchange)
            self.poisoned = False
        except (Fault, trio.BrokenResourceError, trio.ClosedResourceError):
            exchange.lost = True

    async def ping(self) -> dict[str, Any]:
        """Blender's status object, measured now. Raises BlenderLost; poisons the connection where it fails."""
        self.poisoned = True
        request_id = f"ping-{next(self._ping_ids)}"
        try:
            await self._writer.write([self._session.ping(request_id)])
            while True:
                event, payload = await self._receive()
                self._memory.release(len(payload))
                if isinstance(event, Pong) and event.id == request_id:
                    break
            status = protocol.json_value(payload)
        except (Fault, ValueError, trio.BrokenResourceError, trio.ClosedResourceError) as error:
            raise BlenderLost(f"Blender did not answer a ping: {_reason(error)}", outcome="not_executed") from error
        if not isinstance(status, dict):
            raise BlenderLost("Blender answered a ping with something else than an object", outcome="not_executed")
        self.poisoned = False
        return status

    async def check(self) -> None:
        """A ping; raises where the connection is not good for a request."""
        await self.ping()
        if self._leaving:
            raise BlenderLost("Blender has said goodbye", outcome="not_executed")

    def usable(self) -> bool:
        """False where Blender has closed the connection, has said goodbye, or has sent what nobody asked for."""
        return not self._leaving and self._stream.quiet()

    async def stirred(self) -> None:
        """Wait, while nothing is asked of Blender, until it has sent something, said goodbye or hung up."""
        if self._leaving or self._reader.has_more:
            await trio.lowlevel.checkpoint()
        else:
            await self._stream.stirred()

    async def aclose(self) -> None:
        """Close; nothing is waited for."""
        await trio.lowlevel.checkpoint_if_cancelled()
        self.abort()

    def abort(self) -> None:
        """Close now."""
        self._reader.close()
        self._stream.close()

    async def _receive(self) -> tuple[ClientEvent | None, Buffer]:
        """One frame's meaning and its payload, which is charged to the memory share."""
        frame = await self._reader.read()
        if frame is None:
            raise trio.BrokenResourceError("Blender closed the connection")
        try:
            return self._session.receive(frame), frame.payload
        except Fault:
            self._memory.release(len(frame.payload))
            raise


async def open_connection(
    open_stream: Callable[[], Awaitable[ByteStream]],
    *,
    token: str | None,
    memory: MemoryShare,
    max_payload: int,
    cancel_grace: float,
    make_tap: Callable[[], Tap] | None = None,
) -> Connection:
    """Connect and handshake; `make_tap` is called once connected.

    Raises OSError, Fault, BrokenResourceError; cancelled or failed, nothing stays open.
    """
    stream = await open_stream()
    session = protocol.client_session(token)
    tap = make_tap() if make_tap is not None else None
    connection = Connection(stream, session, memory, max_payload=max_payload, cancel_grace=cancel_grace, tap=tap)
    try:
        await connection.handshake()
    except BaseException:
        connection.abort()
        raise
    return connection


def _raise_if_not_run(exchange: Exchange) -> None:
    reply = exchange.reply
    if reply is None or reply.ok:
        return
    try:
        fault = protocol.fault_from_payload(reply.payload)
    except ValueError:
        return
    if fault.code == "cancelled" and fault.outcome == "not_executed":
        reply.drop()
        exchange.reply, exchange.sent = None, False
        method = exchange.request.method
        message = f"{method} did not run: its Blender had to be replaced while it waited there; send it again"
        raise BlenderUnavailable(message, data={"last_error": "work before it could not be stopped"})


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
