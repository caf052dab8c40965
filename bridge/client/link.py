"""One blocking connection to a bridge."""

from __future__ import annotations

import socket
import threading
from time import monotonic

from blender_addon.wire import Address, Buffer, ClientSession, Fault, FrameDecoder, Limits, Opened
from blender_addon.wire.session import ClientEvent
from bridge.errors import ConfigurationError, NotRunning, error_from_fault
from bridge.paths import no_answer

from .backoff import backlog_pause
from .exchange import PEER


class Link:
    """A connection past its handshake.

    Times (`until`) are on time.monotonic's clock, and are exceeded by 3 % of the wait at most. Methods raise OSError
    (TimeoutError where the time was up) and Fault; the link is then of no more use.
    """

    def __init__(self, sock: socket.socket, session: ClientSession) -> None:
        self.session = session
        self.limits = Limits(0, 0)
        self._socket = sock
        self._decoder = FrameDecoder()
        self._timeout = 0.0

    def shake_hands(self, until: float) -> None:
        """Go through the handshake."""
        self.session.greet()
        while True:
            for frame in self.session.outbox:
                self.send([frame], until)
            self.session.outbox.clear()
            event = self._step(until)
            if event is not None:
                assert isinstance(event[0], Opened)
                self.limits = event[0].welcome.limits
                return

    def send(self, buffers: list[Buffer], until: float) -> None:
        """Send all of them."""
        for buffer in buffers:
            self._wait_until(until)
            self._socket.sendall(buffer)

    def send_small(self, frame: bytes) -> None:
        """Send a small frame beside another thread that receives."""
        self._socket.sendall(frame)

    def receive(self, until: float) -> tuple[ClientEvent, Buffer]:
        """The next thing that the server says, with its payload."""
        event = self._step(until)
        assert event is not None, "only a handshake has words that mean nothing to its owner"
        return event

    def still_open(self) -> bool:
        """Take in what came while nobody waited (a goodbye, the end of the connection), without waiting now."""
        self._timeout = 0.0
        self._socket.settimeout(0.0)
        try:
            while True:
                self._take_in()
                while (frame := self._decoder.next_frame()) is not None:
                    self.session.receive(frame)
        except BlockingIOError:
            return True
        except (OSError, Fault):
            return False

    def close(self) -> None:
        """Close at once; never raises."""
        self._socket.close()

    def _step(self, until: float) -> tuple[ClientEvent, Buffer] | None:
        while (frame := self._decoder.next_frame()) is None:
            self._wait_until(until)
            self._take_in()
        event = self.session.receive(frame)
        return None if event is None else (event, frame.payload)

    def _take_in(self) -> None:
        count = self._socket.recv_into(self._decoder.buffer())
        if count == 0:
            raise ConnectionResetError("the bridge closed the connection")
        self._decoder.received(count)

    def _wait_until(self, until: float) -> None:
        # settimeout is a system call: calls in a row with the same timeout share one, a little longer than asked.
        seconds = until - monotonic()
        if seconds <= 0:
            raise TimeoutError("the time is up")
        if not seconds <= self._timeout <= seconds * 1.03:
            self._timeout = seconds * 1.015
            self._socket.settimeout(self._timeout)


def open_link(address: Address, token: str | None, timeout: float) -> Link:
    """Connect and go through the handshake, all within `timeout` seconds.

    Raises NotRunning where no bridge answers, RequestError where one refuses or cannot prove the token.
    """
    until = monotonic() + timeout
    try:
        sock = _connect(address, timeout)
    except OSError as error:
        raise _not_running(address, error) from error
    link = Link(sock, ClientSession(PEER, token=token))
    try:
        link.shake_hands(until)
    except Fault as fault:
        link.close()
        raise error_from_fault(fault) from None
    except OSError as error:
        link.close()
        raise _not_running(address, error) from error
    except BaseException:
        # An interrupt too must not leave the socket behind.
        link.close()
        raise
    return link


def _connect(address: Address, timeout: float) -> socket.socket:
    if address.kind == "tcp":
        sock = socket.create_connection((address.host, address.port), timeout)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock
    sock = unix_socket(address)
    until = monotonic() + timeout
    try:
        sock.settimeout(timeout)
        while True:
            try:
                sock.connect(address.path)
                return sock
            except BlockingIOError:
                # Its backlog is full, for which the socket's own timeout does not wait.
                if monotonic() >= until:
                    raise
                threading.Event().wait(backlog_pause())
    except BaseException:
        # An interrupt too must not leave the socket behind.
        sock.close()
        raise


def unix_socket(address: Address) -> socket.socket:
    """A socket to be connected there. Raises ConfigurationError where the system has none."""
    family = getattr(socket, "AF_UNIX", None)
    if family is None:
        raise ConfigurationError(f"this system has no Unix sockets for {address}: use the bridge's tcp: address")
    return socket.socket(family, socket.SOCK_STREAM)


def _not_running(address: Address, error: OSError) -> NotRunning:
    return no_answer(str(address), error.strerror or str(error))
