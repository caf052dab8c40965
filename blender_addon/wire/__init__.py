"""The wire protocol, version 1: sans-IO, standard library only, one definition for both ends of both hops.

frame      bytes ↔ frames (two lengths, an envelope, a payload)
envelope   one JSON object ↔ one typed tuple, every field checked
parts      a payload's JSON value and the binary parts beside it
handshake  the two proofs that each side knows the token
session    what may be said when: the server's states and the client's
fault      every error that travels: code, message, outcome
address    where a server listens, as text: unix:/path, tcp:HOST:PORT

Nothing here knows a socket, a clock or a thread. The add-on and the bridge are both servers of this protocol, and
the bridge and every tool are its clients, so both ends import this package.
"""

from .address import Address, parse_address
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
    Peer,
    Ping,
    Pong,
    Request,
    Response,
    Welcome,
)
from .fault import Fault, Outcome
from .frame import DEFAULT_MAX_PAYLOAD, MAX_ENVELOPE, Buffer, Frame, FrameDecoder, head
from .parts import Part, join_parts, split_parts
from .session import ClientSession, Opened, ServerSession

PROTOCOL_VERSION = 1

__all__ = [
    "DEFAULT_MAX_PAYLOAD",
    "MAX_ENVELOPE",
    "PROTOCOL_VERSION",
    "STANDARD_CODEC",
    "Address",
    "Auth",
    "Buffer",
    "Cancel",
    "Challenge",
    "ClientSession",
    "Codec",
    "Envelope",
    "Event",
    "Fault",
    "Frame",
    "FrameDecoder",
    "Goodbye",
    "Hello",
    "Limits",
    "Opened",
    "Outcome",
    "Part",
    "Peer",
    "Ping",
    "Pong",
    "Request",
    "Response",
    "ServerSession",
    "Welcome",
    "head",
    "join_parts",
    "parse_address",
    "split_parts",
]
