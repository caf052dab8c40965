"""The framed door: tool clients on Unix sockets and TCP.

Leader and followers: of a connection's tasks one, the leader, reads, and does the request that it has read. It appoints
another leader where more has come already, or where the request takes longer than a few milliseconds (the door watches
that); a quick one it does alone. So a request costs no switch between tasks, requests keep the order in which their
frames were read, and cancel and ping are read while requests run.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
import trio
from structlog.contextvars import bind_contextvars

from blender_addon.wire import Buffer, Cancel, Fault, Frame, Limits, Opened, Ping, Request, ServerSession, head
from blender_addon.wire.frame import IN_PLACE_ABOVE
from bridge import protocol
from bridge.connection import Reply
from bridge.errors import RequestError, error_from_fault
from bridge.fleet import Affinity
from bridge.frames import FrameReader, FrameWriter
from bridge.memory import MemoryShare
from bridge.service import Call, Service
from bridge.stream import ByteStream

log = structlog.get_logger(__name__)

_SMALL = 4096
_SHORT = 0.01
_REFUSAL_DELAY = 1.0
_LINGER = 5.0
_GONE = (trio.BrokenResourceError, trio.ClosedResourceError)


Answer = Reply | RequestError


class FramedConnection:
    """One tool client, `connection_id` in the logs. `run` serves it until either side leaves."""

    def __init__(
        self,
        connection_id: str,
        stream: ByteStream,
        service: Service,
        *,
        limits: Limits,
        token: str | None,
        memory: MemoryShare,
        frame_timeout: float,
        handshake_timeout: float,
        on_request: Callable[[FramedConnection], None],
    ) -> None:
        self.id = connection_id
        self.opened = False
        self._stream = stream
        self._service = service
        self._memory = memory
        self._session: ServerSession = protocol.server_session(limits, token)
        self._max_payload = limits.max_payload
        tap = service.fleet.trace.tap("client", connection_id, secret=token)
        # A handshake has no payloads: nobody unknown may take up much memory.
        first = min(limits.max_payload, IN_PLACE_ABOVE)
        self._reader = FrameReader(stream, first, memory, frame_timeout=frame_timeout, tap=tap)
        self._writer = FrameWriter(stream, frame_timeout=frame_timeout, tap=tap)
        self._handshake_timeout = handshake_timeout
        self._on_request = on_request
        self._affinity = Affinity()
        self._calls: dict[str, Call] = {}
        self._followers: list[trio.lowlevel.Task] = []
        self._alone_with: Call | None = None
        self._ended = False
        self._settled: trio.Event | None = None
        self._nursery: trio.Nursery

    @property
    def in_flight(self) -> int:
        """Requests without a response yet."""
        return len(self._calls)

    @property
    def quiet(self) -> bool:
        """No request is in flight, and none has come that was not read yet."""
        return not self._calls and self._stream.quiet()

    async def run(self) -> None:
        """Serve until the client leaves, breaks the protocol, or `close` is called.

        When the client has left, its unkeyed requests are cancelled; keyed ones go on to their end, so that their
        answers can be fetched.
        """
        try:
            if not await self._greeted():
                return
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                await self._serve()
        finally:
            self.close()

    def goodbye(self, reason: str) -> None:
        """Announce that no new requests are taken here; best effort."""
        self._session.goodbye(reason)
        while self._session.outbox and not self._ended:
            self._write_now(self._session.outbox.pop(0))

    def close(self) -> None:
        """End now: cancel what is unkeyed, close the socket."""
        if self._ended:
            return
        self._ended = True
        self._abandon()
        for follower in self._followers:
            trio.lowlevel.reschedule(follower)
        self._followers.clear()
        self._reader.close()
        self._stream.close()

    def _abandon(self) -> None:
        """Nobody waits for the answers any more."""
        for call in self._calls.values():
            if call.request.key is None:
                call.cancel()

    async def settled(self) -> None:
        """Wait until every request has its response."""
        while self._calls:
            self._settled = trio.Event()
            await self._settled.wait()

    async def _greeted(self) -> bool:
        with trio.move_on_after(self._handshake_timeout):
            try:
                while (frame := await self._read()) is not None:
                    event = self._session.receive(frame)
                    self._memory.release(len(frame.payload))
                    if self._session.refused:
                        log.warning("client refused: wrong token")
                        await trio.sleep(_REFUSAL_DELAY)
                    await self._flush()
                    if isinstance(event, Opened):
                        self.opened = True
                        self._reader.take_payloads(self._max_payload)
                        return True
                    if self._session.closed:
                        break
                await self._flush()
                await self._linger()
            except _GONE:
                return False
        return False

    async def _serve(self) -> None:
        """Lead, do, follow, until the connection ends."""
        # It may be the door's watch that has started this task, which knows nothing of the client.
        bind_contextvars(connection=self.id)
        while not self._ended:
            call: Call | None = None
            answer: Answer | None = None
            try:
                # One scope lives until it has to end a request, which most never do: entering one costs as much as
                # all else here.
                with trio.CancelScope() as scope:
                    while (call := await self._next_call()) is not None:
                        answer = None
                        self._begin(call, scope)
                        answer = await self._perform(call)
                        call.leave()
                        if scope.cancel_called:
                            break
                        await self._respond(call, answer)
                        await self._take_turns(call)
                if call is None:
                    self.close()
                    return
                await self._respond(call, answer if answer is not None else self._interrupted(call))
                await self._take_turns(call)
            finally:
                if call is not None:
                    self._forget(call)

    def _begin(self, call: Call, scope: trio.CancelScope) -> None:
        call.enter(scope)
        self._on_request(self)
        if self._reader.has_more:
            call.arm()
            self._appoint_leader()
            return
        if call.deadline - call.started < _SHORT:
            call.arm()
        self._alone_with = call

    async def _take_turns(self, call: Call) -> None:
        """Lead on if nobody else was appointed meanwhile, else follow."""
        if self._alone_with is call:
            self._alone_with = None
        elif not self._ended:
            await self._follow()

    def read_on(self, before: float) -> None:
        """Appoint another leader, and arm the deadline, where one has been alone with a request since `before`."""
        call = self._alone_with
        if call is not None and call.started <= before:
            self._alone_with = None
            call.arm()
            self._appoint_leader()

    def _appoint_leader(self) -> None:
        if self._followers:
            trio.lowlevel.reschedule(self._followers.pop())
        else:
            self._nursery.start_soon(self._serve)

    async def _follow(self) -> None:
        task = trio.lowlevel.current_task()
        self._followers.append(task)

        def leave(_: object) -> trio.lowlevel.Abort:
            self._followers.remove(task)
            return trio.lowlevel.Abort.SUCCEEDED

        await trio.lowlevel.wait_task_rescheduled(leave)

    async def _next_call(self) -> Call | None:
        """Read until there is a request to do; None once the connection has ended and its last words are sent."""
        if self._ended:
            return None
        try:
            call = await self._read_call()
            if call is None:
                await self._flush()
                await self._linger()
            return call
        except _GONE:
            return None

    async def _read_call(self) -> Call | None:
        """Read until there is a request to do, answering pings and passing on cancels; None at the end."""
        while (frame := await self._read()) is not None:
            event = self._session.receive(frame)
            if isinstance(event, Request):
                return self._take(event, frame.payload)
            self._memory.release(len(frame.payload))
            await self._flush()
            if isinstance(event, Cancel):
                self._calls[event.id].cancel()
            elif isinstance(event, Ping):
                status = protocol.json_bytes(self._service.status.pong())
                await self._writer.write([head(self._session.pong(event), len(status)) + status])
            if self._session.closed:
                return None
        return None

    async def _read(self) -> Frame | None:
        try:
            return await self._reader.read()
        except Fault as fault:
            self._session.refuse(fault)
            return None

    def _write_now(self, data: bytes) -> bool:
        """False where the client is slow to read: nothing was written."""
        try:
            written = self._writer.write_now([data])
        except _GONE:
            self.close()
            return False
        if self._writer.unfinished:
            self._nursery.start_soon(self._finish)
        return written

    async def _finish(self) -> None:
        try:
            await self._writer.finish()
        except _GONE:
            self.close()

    async def _flush(self) -> None:
        while self._session.outbox:
            await self._writer.write([self._session.outbox.pop(0)])

    async def _linger(self) -> None:
        """Let the last words arrive: closing with unread bytes would reset the connection and may destroy them."""
        if not self._session.closed:
            return
        self._abandon()
        self._stream.send_end()
        scratch = memoryview(bytearray(65_536))
        with trio.move_on_after(_LINGER):
            while await self._stream.receive_into(scratch):
                pass

    def _take(self, request: Request, payload: Buffer) -> Call:
        def forward(name: str, event_payload: Buffer) -> bool:
            envelope = self._session.event(request.id, name)
            if envelope is None or self._ended:
                return False
            return self._write_now(head(envelope, len(event_payload)) + bytes(event_payload))

        call = self._service.call(request, payload, forward, self.id, self._affinity)
        self._calls[request.id] = call
        return call

    async def _perform(self, call: Call) -> Answer:
        try:
            return await self._service.perform_within_scope(call)
        except RequestError as error:
            return error

    def _interrupted(self, call: Call) -> Answer:
        try:
            return self._service.interrupted(call)
        except RequestError as error:
            return error

    async def _respond(self, call: Call, answer: Answer) -> None:
        try:
            envelope, payload = self._encoded(call.request.id, answer)
            # A client that is slow to read its answer holds the answer's memory, not the request's as well.
            self._memory.drop(call.payload)
            call.payload = b""
            if not self._ended and not self._session.closed:
                start = head(envelope, len(payload))
                await self._writer.write([start + payload] if len(payload) < _SMALL else [start, payload])
        except _GONE:
            self.close()
        finally:
            self._forget(call)
            if isinstance(answer, Reply):
                answer.drop()

    def _encoded(self, request_id: str, answer: Answer) -> tuple[bytes, Buffer]:
        if isinstance(answer, Reply):
            try:
                envelope = self._session.respond(request_id, ok=answer.ok, parts=answer.parts, boot=answer.boot)
                return envelope, answer.payload
            except Fault as fault:
                answer = error_from_fault(fault)
        return self._session.respond(request_id, ok=False), protocol.json_bytes(answer.as_object())

    def _forget(self, call: Call) -> None:
        # The id is free for another request since the response was encoded.
        if self._calls.get(call.request.id) is call:
            del self._calls[call.request.id]
        self._memory.drop(call.payload)
        call.payload = b""
        if self._settled is not None and not self._calls:
            self._settled.set()
