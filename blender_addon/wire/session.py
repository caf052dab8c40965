"""What may be said when, for both sides of a connection.

    server   HELLO ──hello──▶ (token? AUTH ──auth──▶) OPEN ──▶ CLOSED
    client   HELLO ──hello sent──▶ WELCOME (──challenge, auth──▶ WELCOME) ──welcome──▶ OPEN ──▶ CLOSED

A session is fed whole frames and returns what they mean; what it wants to say itself (handshake, pong, errors) it
puts in `outbox` as whole frames, for the owner to send before anything else. It knows no socket and no clock: the
owner arms the handshake's 5 seconds. `closed` says that the connection ends once the outbox is sent.

A kind that the current state does not list is a fault that ends the connection. A fault in one request answers that
request alone.
"""

from __future__ import annotations

import enum
from typing import NamedTuple, Union

from . import handshake
from .envelope import (
    STANDARD_CODEC,
    Auth,
    Cancel,
    Challenge,
    Codec,
    Envelope,
    Event,
    Goodbye,
    Hello,
    Limits,
    Parts,
    Peer,
    Ping,
    Pong,
    Request,
    Response,
    Welcome,
    encode,
    parse,
)
from .fault import Fault
from .frame import MAX_ENVELOPE, Frame, head


class State(enum.Enum):
    HELLO = "hello"
    AUTH = "auth"
    WELCOME = "welcome"
    OPEN = "open"
    CLOSED = "closed"


class Opened(NamedTuple):
    """The handshake is done; `welcome` is what the server said (to a server: what it has just queued)."""

    peer: Peer
    welcome: Welcome


ServerEvent = Union[Opened, Request, Cancel, Ping]
ClientEvent = Union[Opened, Response, Event, Pong, Goodbye]

_SERVER_TAKES: dict[State, tuple[type, ...]] = {
    State.HELLO: (Hello,),
    State.AUTH: (Auth,),
    State.OPEN: (Request, Cancel, Ping),
}

_CLIENT_TAKES: dict[State, tuple[type, ...]] = {
    State.HELLO: (),
    State.WELCOME: (Challenge, Welcome, Response),
    State.OPEN: (Response, Event, Pong, Goodbye),
    State.CLOSED: (),
}


class ServerSession:
    """One connection as its server sees it.

    `boot` is the Blender process's id where Blender is the server. `in_flight` holds the ids of the requests that
    have no response yet.
    """

    def __init__(
        self, peer: Peer, limits: Limits, *, token: str | None, boot: str | None = None, codec: Codec = STANDARD_CODEC
    ) -> None:
        self.state = State.HELLO
        self.outbox: list[bytes] = []
        self.in_flight: set[str] = set()
        self.refused = False
        self._limits = limits
        self._token = token
        self._codec = codec
        self._boot = boot
        self._welcome = Welcome(1, peer, limits, boot)
        self._client = Peer("", "")
        self._client_nonce = ""
        self._server_nonce = ""

    @property
    def closed(self) -> bool:
        return self.state is State.CLOSED

    def receive(self, frame: Frame) -> ServerEvent | None:
        """Take one frame. A fault in it is answered in the outbox, never raised; once closed, frames are ignored."""
        if self.state is State.CLOSED:
            return None
        try:
            envelope = parse(frame.envelope, len(frame.payload), self._codec)
            return self._receive(envelope)
        except Fault as fault:
            if self.state is not State.OPEN:
                # A wrong request is answered and forgiven only to those who are through the handshake.
                fault.request_id, fault.fatal = None, True
            self.refuse(fault)
            return None

    def expect(self, envelope: bytes, length: int) -> None:
        """A large payload follows this envelope. Where that is wrong the connection ends before the payload is read."""
        try:
            announced = parse(envelope, length, self._codec)
        except Fault as fault:
            fault.fatal = True
            self.refuse(fault)
            return
        if not isinstance(announced, Request):
            kind = type(announced).__name__.lower()
            self.refuse(Fault("bad_envelope", f"a {kind} has no payload of {length} bytes", fatal=True))

    def refuse(self, fault: Fault) -> None:
        """Answer a fault: to its request, or to the whole connection, which then is closed."""
        payload = self._codec.dumps(fault.as_object())
        envelope = encode(Response(fault.request_id, False, self._boot), self._codec)
        self.outbox.append(head(envelope, len(payload)) + payload)
        if fault.fatal:
            self.state = State.CLOSED

    def _receive(self, envelope: Envelope) -> ServerEvent | None:
        if isinstance(envelope, Request) and self.state is State.OPEN:
            return self._open_request(envelope)
        if not isinstance(envelope, _SERVER_TAKES[self.state]):
            raise self._unexpected(envelope)
        if isinstance(envelope, Hello):
            return self._greet(envelope)
        if isinstance(envelope, Auth):
            return self._authenticate(envelope)
        if isinstance(envelope, Cancel):
            return envelope if envelope.id in self.in_flight else None
        assert isinstance(envelope, Ping)
        return envelope

    def _unexpected(self, envelope: Envelope) -> Fault:
        kind = type(envelope).__name__.lower()
        if self.state in (State.HELLO, State.AUTH) and self._token is not None and not isinstance(envelope, Hello):
            return Fault("unauthorized", f"a {kind} before the handshake: say hello and prove the token", fatal=True)
        expected = " or ".join(taken.__name__.lower() for taken in _SERVER_TAKES[self.state])
        return Fault("bad_envelope", f"a {kind} is not expected here: send {expected}", fatal=True)

    def _greet(self, hello: Hello) -> Opened | None:
        self._client = hello.peer
        if self._token is None:
            return self._open()
        self._client_nonce, self._server_nonce = hello.nonce, handshake.new_nonce()
        proof = handshake.server_proof(self._token, self._client_nonce, self._server_nonce)
        self._say(Challenge(self._server_nonce, proof))
        self.state = State.AUTH
        return None

    def _authenticate(self, auth: Auth) -> Opened:
        assert self._token is not None
        expected = handshake.client_proof(self._token, self._client_nonce, self._server_nonce)
        if not handshake.same_proof(expected, auth.proof):
            self.refused = True
            raise Fault("unauthorized", "the token is not the one that this server was started with", fatal=True)
        return self._open()

    def _open(self) -> Opened:
        self._say(self._welcome)
        self.state = State.OPEN
        return Opened(self._client, self._welcome)

    def _open_request(self, request: Request) -> Request:
        if request.id in self.in_flight:
            message = f"request {request.id} is still in flight on this connection: choose another id"
            raise Fault("duplicate_id", message, request_id=request.id)
        if len(self.in_flight) >= self._limits.max_in_flight:
            limit = self._limits.max_in_flight
            message = f"{limit} requests are in flight on this connection already: wait for an answer"
            data = {"queued": 0, "limit": limit, "running": limit, "current": None, "retry_after": 0.1}
            raise Fault("busy", message, request_id=request.id, data=data)
        self.in_flight.add(request.id)
        return request

    def respond(self, request_id: str, *, ok: bool, parts: Parts | None = None, boot: str | None = None) -> bytes:
        """The response's envelope; the request is then no longer in flight. Raises KeyError where it was not, and
        Fault (`execution_failed`) where the parts are too many for an envelope: it is in flight still.

        `boot` is passed on where another Blender than this server answered.
        """
        if self._boot is not None:
            boot = self._boot
        envelope = encode(Response(request_id, ok, boot, parts), self._codec)
        if len(envelope) > MAX_ENVELOPE:
            raise Fault("execution_failed", f"the answer has {len(parts or ())} parts, more than an envelope describes")
        self.in_flight.remove(request_id)
        return envelope

    def event(self, request_id: str, name: str) -> bytes | None:
        """The envelope of a `progress` or `log` event; None once the request has its response."""
        return encode(Event(request_id, name), self._codec) if request_id in self.in_flight else None

    def pong(self, ping: Ping) -> bytes:
        """The pong's envelope; its payload is the server's status object."""
        return encode(Pong(ping.id), self._codec)

    def goodbye(self, reason: str) -> None:
        """Say that no new requests are taken; those in flight still get their responses."""
        if self.state is State.OPEN:
            self._say(Goodbye(reason))

    def _say(self, envelope: Envelope) -> None:
        self.outbox.append(head(encode(envelope, self._codec), 0))


class ClientSession:
    """One connection as its client sees it. What the server does wrong is raised as a Fault, and is final.

    `refusal` is the fault that the server itself ended the connection with; its word on the outcome can be trusted.
    """

    def __init__(self, peer: Peer, *, token: str | None, codec: Codec = STANDARD_CODEC) -> None:
        self.state = State.HELLO
        self.outbox: list[bytes] = []
        self.refusal: Fault | None = None
        self._peer = peer
        self._token = token
        self._codec = codec
        self._nonce = handshake.new_nonce()
        self._proved = False

    def greet(self) -> None:
        """Queue the hello that starts the connection."""
        assert self.state is State.HELLO
        self._say(Hello(1, self._nonce, self._peer))
        self.state = State.WELCOME

    def receive(self, frame: Frame) -> ClientEvent | None:
        """Take one frame. Raises Fault where the server broke the protocol or could not prove the token."""
        try:
            envelope = parse(frame.envelope, len(frame.payload), self._codec)
            return self._receive(envelope, frame)
        except Fault:
            self.state = State.CLOSED
            raise

    def _receive(self, envelope: Envelope, frame: Frame) -> ClientEvent | None:
        if isinstance(envelope, Response) and self.state is State.OPEN and envelope.id is not None:
            return envelope
        if not isinstance(envelope, _CLIENT_TAKES[self.state]):
            kind = type(envelope).__name__.lower()
            raise Fault("bad_envelope", f"the server sent a {kind} that is not expected now", fatal=True)
        if isinstance(envelope, Challenge):
            self._answer(envelope)
            return None
        if isinstance(envelope, Welcome):
            return self._enter(envelope)
        if isinstance(envelope, Response) and envelope.id is None:
            raise self._refusal(frame)
        if self.state is not State.OPEN:
            raise Fault("bad_envelope", "the server answered a request before its welcome", fatal=True)
        assert isinstance(envelope, (Response, Event, Pong, Goodbye))
        return envelope

    def _answer(self, challenge: Challenge) -> None:
        if self._proved:
            raise Fault("bad_envelope", "the server sent a second challenge", fatal=True)
        if self._token is None:
            raise Fault("unauthorized", "the server asks for a token and none was given", fatal=True)
        expected = handshake.server_proof(self._token, self._nonce, challenge.nonce)
        if not handshake.same_proof(expected, challenge.proof):
            message = "the server could not prove the token: the token is wrong, or another program has its address"
            raise Fault("unauthorized", message, fatal=True)
        self._proved = True
        self._say(Auth(handshake.client_proof(self._token, self._nonce, challenge.nonce)))

    def _enter(self, welcome: Welcome) -> Opened:
        if self._token is not None and not self._proved:
            message = "a token was given and the server did not prove that it knows it: it may be another program"
            raise Fault("unauthorized", message, fatal=True)
        self.state = State.OPEN
        return Opened(welcome.peer, welcome)

    def _refusal(self, frame: Frame) -> Fault:
        try:
            fault = Fault.from_object(self._codec.loads(frame.payload))
        except ValueError:
            return Fault("bad_envelope", "the server ended the connection with an unreadable error", fatal=True)
        fault.fatal = True
        self.refusal = fault
        return fault

    def request(self, request: Request) -> bytes:
        """The request's envelope. Raises Fault where it would be larger than an envelope may be."""
        envelope = encode(request, self._codec)
        if len(envelope) > MAX_ENVELOPE:
            raise Fault("bad_envelope", f"the request's envelope has {len(envelope)} bytes: send fewer parts")
        return envelope

    def cancel(self, request_id: str) -> bytes:
        """A whole frame that cancels the request."""
        return head(encode(Cancel(request_id), self._codec), 0)

    def ping(self, request_id: str) -> bytes:
        """A whole frame that asks for a pong."""
        return head(encode(Ping(request_id), self._codec), 0)

    def _say(self, envelope: Envelope) -> None:
        self.outbox.append(head(encode(envelope, self._codec), 0))
