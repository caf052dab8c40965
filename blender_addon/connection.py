"""One accepted socket and its I/O thread.

The thread reads, answers pings, and watches the clock: the handshake's, a stalled frame's, the request's deadline.
The main thread, when a command is done, writes a small answer itself; what the socket does not take at once, and
what is large, is left to the I/O thread, so that a reader who stalls cannot freeze Blender.
"""

from __future__ import annotations

import json
import logging
import math
import secrets
import socket
import threading
import time
from typing import Any, Callable, Dict, NamedTuple, Optional, Protocol

from .intake import Intake
from .outgoing import Outgoing
from .readiness import Readiness
from .wire import Cancel, Fault, Frame, FrameDecoder, Opened, Ping, Request, ServerSession, head
from .wire.frame import IN_PLACE_ABOVE
from .work import Answer, Ticket

HANDSHAKE_SECONDS = 5.0
STALL_SECONDS = 30.0
REFUSAL_DELAY = 1.0
FAREWELL_SECONDS = 2.0
# The main thread writes no more than this; a socket's buffer has room for it where the reader keeps up.
MAIN_WRITES_UP_TO = 65_536
_FIRST_STRIKE, _SLOWEST_STRIKE = 0.02, 0.5
_MOST_UNREAD = 64

_log = logging.getLogger(__name__)

Status = Callable[[], Dict[str, Any]]


class ConnectedClient(NamedTuple):
    """Who is connected: what they call themselves, and since when by `time.monotonic()`."""

    name: str
    version: str
    since: float


class Door(Protocol):
    """What the listener is to a connection; called on the connection's thread."""

    def opened(self, connection: Connection) -> bool:
        """The handshake is done; False where there are too many connections already."""

    def gone(self, connection: Connection) -> None:
        """The socket is closed."""


class Connection:
    """Serves one socket until it ends. All of it runs on the I/O thread but what says otherwise."""

    def __init__(self, sock: socket.socket, session: ServerSession, intake: Intake, door: Door, status: Status) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._session = session
        self._intake = intake
        self._door = door
        self._status = status
        self._readiness = Readiness(sock)
        # A handshake has no payloads: nobody unknown may take up much memory.
        self._decoder = FrameDecoder(min(intake.max_payload, IN_PLACE_ABOVE))
        self._lock = threading.Lock()
        # Guarded by the lock, as is every byte that the socket is given.
        self._outgoing = Outgoing(sock)
        self._ticket: Optional[Ticket] = None
        self._broken = False
        self._hung_up = threading.Event()
        self._open = False
        self._leaving: Optional[str] = None
        self._farewell_said = False
        self._began = self._heard = time.monotonic()
        self._client: Optional[ConnectedClient] = None
        self._strike_at, self._strike_pause = math.inf, _FIRST_STRIKE

    @property
    def client(self) -> Optional[ConnectedClient]:
        """Who is at the other end; None before the handshake is done. From any thread."""
        return self._client

    def serve(self) -> None:
        """Serve until the socket or the protocol ends; then see to work that is left behind."""
        try:
            while self._step():
                pass
            self._drain()
        except OSError:
            pass
        except Exception:  # noqa: BLE001  the boundary of this thread: a bug here costs one connection
            _log.exception("a connection ended by a bug")
        finally:
            ticket = self._close()
            self._door.gone(self)
        if ticket is not None:
            self._intake.pump.abandon(ticket)
            self._stay_with(ticket)

    def leave(self, reason: str) -> None:
        """Say goodbye, and close once the request in flight has its answer. From any thread."""
        self._leaving = reason
        self._readiness.wake()

    def hang_up(self) -> None:
        """Close now. From any thread."""
        self._broken = True
        self._hung_up.set()
        self._readiness.wake()

    def answer(self, ticket: Ticket, answer: Answer) -> None:
        """Send the response. From any thread, once for each ticket; never blocks."""
        with self._lock:
            if self._ticket is not ticket or self._broken:
                return
            self._ticket = None
            envelope = self._session.respond(ticket.request_id, ok=answer.ok, parts=answer.parts)
            self._outgoing.put(head(envelope, answer.size), answer.buffers)
            if answer.size <= MAIN_WRITES_UP_TO:
                self._flush()
            left = len(self._outgoing) > 0 or self._broken
        if left or self._leaving is not None:
            self._readiness.wake()

    def progress(self, ticket: Ticket, payload: bytes) -> None:
        """Send a progress event if the socket takes it now. From any thread; never blocks."""
        if not self._lock.acquire(blocking=False):
            return
        try:
            envelope = self._session.event(ticket.request_id, "progress") if self._ticket is ticket else None
            if envelope is not None and not self._outgoing and not self._broken:
                self._outgoing.put(head(envelope, len(payload)), [payload])
                self._flush()
                if self._outgoing:
                    self._readiness.wake()
        finally:
            self._lock.release()

    def _flush(self) -> None:
        try:
            self._outgoing.flush()
        except OSError:
            self._broken = True

    def _step(self) -> bool:
        """Wait for one thing and do it; False once the connection is to end."""
        alarm = self._alarm()
        timeout = None if alarm == math.inf else max(0.0, alarm - time.monotonic())
        pending = len(self._outgoing)
        readable = self._readiness.wait(timeout, read=pending < _MOST_UNREAD, write=pending > 0)
        if readable and not self._receive():
            return False
        if self._outgoing or self._session.outbox or self._leaving is not None:
            self._say()
        if alarm != math.inf and time.monotonic() >= alarm and not self._overdue():
            return False
        idle = self._ticket is None and not self._outgoing
        return not (self._broken or self._session.closed or (self._farewell_said and idle))

    def _receive(self) -> bool:
        try:
            count = self._sock.recv_into(self._decoder.buffer())
        except BlockingIOError:
            return True
        if count == 0:
            return False
        self._decoder.received(count)
        self._heard = time.monotonic()
        try:
            while not self._session.closed:
                frame = self._decoder.next_frame()
                if frame is None:
                    if self._decoder.unadmitted:
                        self._session.expect(self._decoder.envelope, self._decoder.unadmitted)
                    break
                self._handle(frame)
        except Fault as fault:
            self._session.refuse(fault)
        return True

    def _handle(self, frame: Frame) -> None:
        event = self._session.receive(frame)
        if isinstance(event, Request):
            self._take(event, frame)
        elif isinstance(event, Ping):
            self._pong(event)
        elif isinstance(event, Cancel):
            ticket = self._ticket
            if ticket is not None and ticket.work is not None:
                self._intake.pump.stop(ticket.work, "cancelled")
                self._strike_later(_FIRST_STRIKE)
        elif isinstance(event, Opened):
            self._client = ConnectedClient(event.peer.name, event.peer.version, time.monotonic())
            self._decoder.max_payload = self._intake.max_payload
            self._open = True
            if not self._door.opened(self):
                message = "this Blender has as many connections as it takes: close one or try again later"
                self._session.refuse(Fault("busy", message, fatal=True))
        elif self._session.refused:
            self._hung_up.wait(REFUSAL_DELAY)

    def _take(self, request: Request, frame: Frame) -> None:
        deadline = None if request.deadline is None else time.monotonic() + request.deadline
        # In place before the main thread can answer it.
        self._ticket = ticket = Ticket(self, request.id, deadline)
        try:
            self._intake.accept(ticket, request, frame.payload)
        except Fault as fault:
            self.answer(ticket, Answer.of_fault(fault))
        except Exception:  # noqa: BLE001  a boundary: a bug in a request's checks costs that request
            reference = secrets.token_hex(4)
            _log.exception("%s could not be taken (%s)", request.method, reference)
            message = f"a bug in the add-on; Blender's log has the particulars under {reference}"
            bug = Fault("internal", message, outcome="not_executed", data={"reference": reference})
            self.answer(ticket, Answer.of_fault(bug))

    def _pong(self, ping: Ping) -> None:
        body = json.dumps(self._status(), separators=(",", ":")).encode()
        envelope = self._session.pong(ping)
        with self._lock:
            self._outgoing.put(head(envelope, len(body)), [body])
            self._flush()

    def _say(self) -> None:
        if self._leaving is not None and not self._farewell_said:
            self._farewell_said = True
            self._session.goodbye(self._leaving)
        with self._lock:
            for frame in self._session.outbox:
                self._outgoing.put(frame)
            self._session.outbox.clear()
            self._flush()

    def _alarm(self) -> float:
        """When there is something to do though nothing happens."""
        alarm = math.inf if self._open else self._began + HANDSHAKE_SECONDS
        if self._decoder.mid_frame:
            alarm = min(alarm, self._heard + STALL_SECONDS)
        if self._outgoing:
            alarm = min(alarm, self._outgoing.moved + STALL_SECONDS)
        ticket = self._ticket
        if ticket is None or ticket.work is None:
            return alarm
        if ticket.work.call.stop_reason is not None:
            return min(alarm, self._strike_at)
        return alarm if ticket.deadline is None else min(alarm, ticket.deadline)

    def _overdue(self) -> bool:
        """See to what the alarm was set for; False where the connection is to end."""
        now = time.monotonic()
        if not self._open and now >= self._began + HANDSHAKE_SECONDS:
            return False
        if self._decoder.mid_frame and now >= self._heard + STALL_SECONDS:
            return False
        if self._outgoing and now >= self._outgoing.moved + STALL_SECONDS:
            return False
        ticket = self._ticket
        if ticket is None or ticket.work is None:
            return True
        if ticket.work.call.stop_reason is not None:
            if now >= self._strike_at:
                self._intake.pump.strike(ticket.work)
                self._strike_later(min(2 * self._strike_pause, _SLOWEST_STRIKE))
        elif ticket.deadline is not None and now >= ticket.deadline:
            self._intake.pump.expire(ticket)
            self._strike_later(_FIRST_STRIKE)
        return True

    def _strike_later(self, pause: float) -> None:
        self._strike_pause = pause
        self._strike_at = time.monotonic() + pause

    def _drain(self) -> None:
        """Let the last words be read: a close with bytes unread would take them back."""
        if not self._session.closed or self._broken:
            return
        until = time.monotonic() + FAREWELL_SECONDS
        sink = bytearray(65_536)
        ended = False
        while (left := until - time.monotonic()) > 0 and not self._hung_up.is_set():
            with self._lock:
                self._outgoing.flush()
                pending = len(self._outgoing) > 0
            if not pending and not ended:
                self._sock.shutdown(socket.SHUT_WR)
                ended = True
            if self._readiness.wait(left, write=pending) and self._sock.recv_into(sink) == 0:
                return

    def _close(self) -> Optional[Ticket]:
        with self._lock:
            self._broken = True
            ticket, self._ticket = self._ticket, None
            self._outgoing.clear()
            self._sock.close()
        self._readiness.close()
        return ticket

    def _stay_with(self, ticket: Ticket) -> None:
        """See that work is stopped which this socket left behind, or at its deadline where it has a key."""
        work, pump = ticket.work, self._intake.pump
        if work is None:
            return
        ended = pump.ending(work)
        pause = _FIRST_STRIKE
        while True:
            if work.call.stop_reason is not None:
                if ended.wait(pause):
                    return
                pump.strike(work)
                pause = min(2 * pause, _SLOWEST_STRIKE)
            elif ticket.owner and ticket.deadline is not None:
                if ended.wait(max(0.0, ticket.deadline - time.monotonic())):
                    return
                pump.expire(ticket)
            else:
                return
