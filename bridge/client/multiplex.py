"""One connection that many calls share: a task that reads, a task that writes, and an entry for each open request."""

from __future__ import annotations

from collections import deque

import anyio
from anyio.abc import ByteStream

from blender_addon.wire import Buffer, ClientSession, Event, Fault, FrameDecoder, Goodbye, Pong, Response
from blender_addon.wire.session import ClientEvent
from bridge.errors import RequestError

from .exchange import OnEvent, event_object, lost

Answer = tuple[Response | Pong, Buffer]

_CHUNK = 262_144

# A frame that makes no progress for so long ends the connection, as the protocol has it.
_STALLED_AFTER = 30.0


class Exchange:
    """One request or ping: its buffers on the way out, and `done` once it has its answer or its error."""

    __slots__ = ("answer", "begun", "buffers", "done", "error", "on_event")

    def __init__(self, buffers: list[Buffer], on_event: OnEvent | None = None) -> None:
        self.buffers = buffers
        self.on_event = on_event
        self.begun = False
        self.done = anyio.Event()
        self.answer: Answer | None = None
        self.error: Exception | None = None

    async def settled(self, seconds: float) -> None:
        """Wait for `done`, so long at most. Raises what on_event raised."""
        with anyio.move_on_after(seconds):
            await self.done.wait()
        if self.error is not None:
            raise self.error


class Multiplex:
    """Carries exchanges over a stream whose handshake is done.

    `leaving`: the bridge has said goodbye and takes no more requests. `ended`: no answer comes any more.
    """

    def __init__(self, stream: ByteStream, session: ClientSession, decoder: FrameDecoder) -> None:
        self.leaving = False
        self.ended = False
        self._stream = stream
        self._session = session
        self._decoder = decoder
        self._open: dict[str, Exchange] = {}
        self._outgoing: deque[Exchange] = deque()
        self._work = anyio.Event()

    def start(self, request_id: str, exchange: Exchange) -> None:
        """Queue an exchange to be sent and await its answer. It is the caller's to `forget`."""
        self._open[request_id] = exchange
        self._queue(exchange)

    def forget(self, request_id: str) -> None:
        """Drop an exchange; if its frame was not begun it is never sent, and what still comes for it is ignored."""
        exchange = self._open.pop(request_id)
        exchange.buffers = []

    def cancel(self, request_id: str) -> None:
        """Queue a cancel of a request."""
        self._queue(Exchange([self._session.cancel(request_id)]))

    def error_of(self, exchange: Exchange) -> RequestError:
        """What an exchange that ended without an answer ended with."""
        return lost(self._session, "unknown" if exchange.begun else "not_executed")

    def _queue(self, exchange: Exchange) -> None:
        self._outgoing.append(exchange)
        self._work.set()

    async def write(self) -> None:
        """Send what is queued, frame by frame, until the connection ends."""
        try:
            while True:
                while not self._outgoing:
                    self._work = anyio.Event()
                    await self._work.wait()
                await self._send(self._outgoing.popleft())
        except TimeoutError:
            await anyio.aclose_forcefully(self._stream)
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            # The reader finds the end too, after whatever the bridge said last.
            return

    async def _send(self, exchange: Exchange) -> None:
        # A caller that is gone leaves no buffers; once begun, a frame is finished whoever leaves.
        exchange.begun = bool(exchange.buffers)
        for buffer in exchange.buffers:
            view = memoryview(buffer).cast("B")
            for start in range(0, len(view), _CHUNK):
                with anyio.fail_after(_STALLED_AFTER):
                    await self._stream.send(bytes(view[start : start + _CHUNK]))

    async def read(self) -> None:
        """Hand out what comes until the connection ends, or is of no more use; every exchange is then done."""
        try:
            while True:
                event, payload = await next_event(self._stream, self._session, self._decoder)
                self._hand_out(event, payload)
                if self.leaving and all(exchange.done.is_set() for exchange in self._open.values()):
                    await anyio.aclose_forcefully(self._stream)
                    return
        except (Fault, anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError):
            # `error_of` says what is known; the task group, and with it the caller's own work, goes on.
            return
        finally:
            self.ended = True
            for exchange in self._open.values():
                exchange.done.set()

    def _hand_out(self, event: ClientEvent, payload: Buffer) -> None:
        if isinstance(event, (Response, Pong)):
            exchange = self._open.get(event.id or "")
            if exchange is not None:
                exchange.answer = event, payload
                exchange.done.set()
        elif isinstance(event, Event):
            exchange = self._open.get(event.id)
            if exchange is not None and exchange.on_event is not None and exchange.error is None:
                _tell(exchange, exchange.on_event, event, payload)
        else:
            assert isinstance(event, Goodbye)
            self.leaving = True


def _tell(exchange: Exchange, on_event: OnEvent, event: Event, payload: Buffer) -> None:
    try:
        on_event(event_object(event, payload))
    except Exception as error:  # noqa: BLE001  # a caller's callback: its own call raises this, the others go on
        exchange.error = error
        exchange.done.set()


async def next_event(stream: ByteStream, session: ClientSession, decoder: FrameDecoder) -> tuple[ClientEvent, Buffer]:
    """The next thing that the server says. What the session answers by itself, in the handshake, is sent.

    Raises Fault, anyio.EndOfStream, anyio.BrokenResourceError. Cancelled, nothing that came is lost.
    """
    while True:
        while session.outbox:
            await stream.send(session.outbox.pop(0))
        frame = decoder.next_frame()
        if frame is None:
            decoder.feed(await stream.receive(_CHUNK))
            continue
        event = session.receive(frame)
        if event is not None:
            return event, frame.payload
