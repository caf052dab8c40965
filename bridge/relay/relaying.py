"""One client's lines to the bridge, one bridge after the other."""

from __future__ import annotations

import os
import threading

from .messages import CHUNK, complain, hang_up, lines, parsed, receive, refuse, say, send, write
from .reaching import NoBridge, connect, preface, start_and_connect, usual_place

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

_LONGEST_REQUEST = 16 << 20
_LONGEST_ANSWER = 256 << 20
_USAGE_ERROR = 2
_PATIENCE = 5.0
_REFUSED = b'{"error":'
_LOST = "the bridge ended while this ran: it is not known whether it ran in Blender; look before you repeat it"


class Relay:
    """One client's lines to the bridge, one bridge after the other.

    The main thread writes to the bridge, and a thread for each bridge reads from it: neither waits for the other, so
    that a client, a relay and a bridge that all write at once cannot stand still.
    """

    def __init__(self, tools: str, instance: str | None) -> None:
        self._tools = tools
        self._instance = instance
        self._lock = threading.Lock()
        self._door: socket.socket | None = None
        self._flags: Sequence[str] = ()
        self._directory: str | None = None
        # What is on its way to the bridge, not looked at yet; then what is asked in it, by the request's id.
        self._sent: list[bytes] = []
        self._in_flight: dict[str, tuple[object, object]] = {}
        self._greeting: dict[object, bytes] = {}
        self._unheard: str | None = None
        self._reading: threading.Thread | None = None

    def join(self) -> None:
        """Connect, starting a bridge where none runs. Raises NoBridge."""
        door, token = connect(usual_place()), None
        if door is None:
            door, token = start_and_connect(self._flags, self._directory)
        send(door, preface(self._tools, self._instance, token))
        with self._lock:
            self._door = door
        self._reading = threading.Thread(target=self._answers, args=(door,), daemon=True)
        self._reading.start()

    def run(self) -> None:
        """Pass on until standard input ends."""
        for line in lines(lambda: os.read(0, CHUNK), _LONGEST_REQUEST):
            if line.strip():
                self._pass_on(line)
        with self._lock:
            door, self._door = self._door, None
        if door is not None:
            hang_up(door)

    def _pass_on(self, line: bytes) -> None:
        # Where it cannot be sent the door has closed, and `_answers` sees to what was in flight.
        if (door := self._take(line)) is not None:
            send(door, line)
            return
        message = parsed(line)
        number = message.get("id")
        if number is None or "method" not in message:
            # What was to be cancelled has ended, and nobody waits for an answer. The bridge was stopped: so it stays.
            return
        if message["method"] == "ping":
            say({"id": number, "result": {}})
            return
        try:
            self._rejoin()
        except NoBridge as error:
            refuse(number, str(error), ran=False)
            return
        if (door := self._take(line)) is not None:
            send(door, line)
        else:
            refuse(number, "the bridge has ended again", ran=False)

    def _take(self, line: bytes) -> socket.socket | None:
        """The door, with the line among those that are sent; None where there is none."""
        with self._lock:
            if self._door is not None:
                self._sent.append(line)
            return self._door

    def _rejoin(self) -> None:
        if self._reading is not None:
            # It sees to how the last one ran.
            self._reading.join(_PATIENCE)
        self.join()
        greeting = list(self._greeting.values())
        if greeting:
            self._unheard = repr(parsed(greeting[0]).get("id"))
            with self._lock:
                door = self._door
            if door is not None:
                send(door, b"".join(greeting))
            say({"method": "notifications/tools/list_changed"})

    def _answers(self, door: socket.socket) -> None:
        """The bridge's lines to the client; at their end, what is in flight is answered here."""
        first = True
        for line in lines(lambda: receive(door), _LONGEST_ANSWER):
            if first and line.startswith(_REFUSED):
                self._give_up(parsed(line))
            first = False
            self._hear(line)
        with self._lock:
            if self._door is not door:
                return
            self._door = None
            self._look_at_sent()
            lost, self._in_flight = self._in_flight, {}
        hang_up(door)
        for number, method in lost.values():
            refuse(number, _LOST, ran=method == "tools/call")
        self._remember()

    def _hear(self, line: bytes) -> None:
        if self._unheard is None:
            # Passed on before it is looked at.
            write(line)
        message = parsed(line)
        number = None if "method" in message else repr(message.get("id"))
        if number is not None:
            with self._lock:
                self._look_at_sent()
                self._in_flight.pop(number, None)
        if self._unheard is not None and number == self._unheard:
            self._unheard = None
        elif self._unheard is not None:
            write(line)

    def _look_at_sent(self) -> None:
        """Know what is asked, and how the client has introduced itself. With the lock."""
        sent, self._sent = self._sent, []
        for line in sent:
            message = parsed(line)
            method, number = message.get("method"), message.get("id")
            if method in ("initialize", "notifications/initialized"):
                self._greeting.setdefault(method, line)
            if method == "notifications/cancelled" and isinstance(params := message.get("params"), dict):
                # It gets no answer any more.
                self._in_flight.pop(repr(params.get("requestId")), None)
            if method is not None and number is not None:
                self._in_flight[repr(number)] = number, method

    def _remember(self) -> None:
        """With which flags the bridge ran that has ended: so does the next one, if it is for us to start it."""
        from bridge import paths  # noqa: PLC0415  # not needed while it runs
        from bridge.errors import BridgeError  # noqa: PLC0415  # only where a bridge has to be found

        try:
            record = paths.read_record()
        except BridgeError:
            return
        if record is not None:
            self._flags, self._directory = record.flags, record.cwd

    def _give_up(self, refusal: dict[str, object]) -> None:
        """The bridge does not want us, and says why: so does this process, and ends."""
        why, code = str(refusal.get("error")), refusal.get("exit_code")
        with self._lock:
            self._look_at_sent()
        for number, _ in self._in_flight.values():
            refuse(number, why, ran=False)
        complain(why)
        os._exit(code if isinstance(code, int) else _USAGE_ERROR)
