"""What MCP clients start: standard input and output ⇄ the running bridge's MCP door.

It must answer in milliseconds, so it imports next to nothing, and passes lines on as they are. Where no bridge runs it
starts one. Where the bridge ends it answers what is in flight, and at the client's next word joins the next bridge,
greeting it as the client once greeted the first: a client need not be restarted with the bridge.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_CHUNK = 65_536
_START_TIMEOUT = 30.0
_LOST = "the bridge ended while this ran: it is not known whether it ran in Blender; look before you repeat it"
_USAGE = """usage: bpy-bridge mcp [--tools core|full|FAMILY,…] [--instance NAME] [--name NAME]

Serve MCP on standard input and output, for clients such as Claude Desktop, Claude Code, Cursor and VS Code.

  --tools     which tools are listed: core (default), full, or families such as scene,object,render
  --instance  the Blender that is meant; default: whichever serves requests without a name
  --name      the bridge that is meant, where there are several

`bpy-bridge mcp config CLIENT` prints the client's configuration; --write puts it in place."""


def main(argv: Sequence[str] | None = None) -> int:
    """Relay until the client closes standard input. The exit code: 0, 2 usage, else why there is no bridge."""
    words = sys.argv[1:] if argv is None else list(argv)
    if "--help" in words or "-h" in words:
        _write(_USAGE.encode() + b"\n", to=1)
        return 0
    options = {"--tools": "core", "--instance": None, "--name": None}
    while words:
        flag, _, value = words.pop(0).partition("=")
        if flag not in options or not (value or words):
            _write(f"bpy-bridge mcp: {flag} is no flag here, or lacks its value\n{_USAGE}\n".encode(), to=2)
            return 2
        options[flag] = value or words.pop(0)
    if options["--name"]:
        os.environ["BPY_BRIDGE_NAME"] = options["--name"]
    relay = Relay(options["--tools"] or "core", options["--instance"])
    try:
        relay.join()
    except OSError as error:
        _write(f"bpy-bridge mcp: {error}\n".encode(), to=2)
        return getattr(error, "exit_code", 1)
    relay.run()
    return 0


class NoBridge(OSError):
    """There is no bridge to be had; `exit_code` is that of the cause."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Relay:
    """One client's lines to the bridge, one bridge after the other."""

    def __init__(self, tools: str, instance: str | None) -> None:
        self._tools = tools
        self._instance = instance
        self._lock = threading.Lock()
        self._door: socket.socket | None = None
        self._greeting: list[bytes] = []
        self._in_flight: dict[str, bytes] = {}
        self._unheard: set[str] = set()

    def join(self) -> None:
        """Connect, starting a bridge where none runs. Raises NoBridge in one line."""
        door = _connect()
        if door is None:
            door = _start_and_connect()
        _send(door, _preface(self._tools, self._instance))
        with self._lock:
            self._door = door
        threading.Thread(target=self._answers, args=(door,), daemon=True).start()

    def run(self) -> None:
        """Pass on until standard input ends."""
        rest = b""
        while data := os.read(0, _CHUNK):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                if line.strip():
                    self._pass_on(line + b"\n")
        with self._lock:
            door, self._door = self._door, None
        if door is not None:
            door.close()

    def _pass_on(self, line: bytes) -> None:
        if self._door is None:
            try:
                self._rejoin()
            except OSError as error:
                self._refuse(line, str(error))
                return
        with self._lock:
            # Sent before it is looked at: the bridge works meanwhile. Its answer waits for the lock to be noted.
            sent = self._door is not None and _send(self._door, line)
            if sent:
                self._remember(line)
        if not sent:
            self._refuse(line, _LOST)

    def _remember(self, line: bytes) -> None:
        """Know what is asked, until it is answered, and how the client has introduced itself."""
        message = _parsed(line)
        method, number = message.get("method"), message.get("id")
        if method in ("initialize", "notifications/initialized") and len(self._greeting) < 2:
            self._greeting.append(line)
        if method is not None and number is not None:
            self._in_flight[repr(number)] = line

    def _rejoin(self) -> None:
        self.join()
        door = self._door
        for line in self._greeting:
            number = _parsed(line).get("id")
            if number is not None:
                self._unheard.add(repr(number))
            if door is not None:
                _send(door, line)
        if self._greeting:
            _write(b'{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}\n')

    def _answers(self, door: socket.socket) -> None:
        """The bridge's lines to the client; at their end, what is in flight is answered here."""
        rest = b""
        while data := _receive(door):
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                self._answer(line + b"\n")
        lost: dict[str, bytes] = {}
        with self._lock:
            if self._door is door:
                self._door = None
                lost, self._in_flight = self._in_flight, lost
        for line in lost.values():
            self._refuse(line, _LOST)

    def _answer(self, line: bytes) -> None:
        if not self._unheard:
            # Passed on before it is looked at.
            _write(line)
        message = _parsed(line)
        with self._lock:
            number = repr(message.get("id"))
            if "method" not in message:
                self._in_flight.pop(number, None)
            if not self._unheard:
                return
            heard = "method" in message or number not in self._unheard
            if not heard:
                self._unheard.discard(number)
        if heard:
            _write(line)

    def _refuse(self, line: bytes, why: str) -> None:
        import json  # noqa: PLC0415  # not needed before the first answer

        number = _parsed(line).get("id")
        if number is not None:
            error = {"jsonrpc": "2.0", "id": number, "error": {"code": -32000, "message": why}}
            _write(json.dumps(error).encode() + b"\n")


def _connect() -> socket.socket | None:
    """The door at its usual place, without a look at anything else; None where nobody answers there."""
    place = usual_place()
    if place is None:
        return None
    door = socket.socket(socket.AF_UNIX)
    try:
        door.connect(place)
    except OSError:
        door.close()
        return None
    return door


def usual_place() -> str | None:
    """`paths.default_mcp()` on Linux, in a hundredth of the time; None where that is not known here."""
    name = os.environ.get("BPY_BRIDGE_NAME") or "default"
    home, runtime = os.environ.get("BPY_BRIDGE_HOME"), os.environ.get("XDG_RUNTIME_DIR")
    if home:
        directory = os.path.abspath(os.path.expanduser(home))
    elif runtime and sys.platform == "linux":
        directory = os.path.join(runtime, "bpy-bridge")
    else:
        return None
    return os.path.join(directory, "mcp.sock" if name == "default" else f"mcp-{name}.sock")


def _start_and_connect() -> socket.socket:
    """Find the bridge that runs, or start one. Raises NoBridge."""
    from bridge import daemon, paths  # noqa: PLC0415  # not needed where one runs at its usual place
    from bridge.errors import BridgeError  # noqa: PLC0415

    try:
        daemon.start(timeout=_START_TIMEOUT)
        record = paths.running()
    except BridgeError as error:
        raise NoBridge(" ".join(str(error).split("\n")), error.exit_code) from error
    if record is None or record.mcp is None:
        raise NoBridge("the bridge that runs has no MCP door: restart it without BPY_BRIDGE_MCP=off", 2)
    return _connect_to(record.mcp)


def _connect_to(address: str) -> socket.socket:
    kind, _, place = address.partition(":")
    try:
        if kind == "unix":
            door = socket.socket(socket.AF_UNIX)
            door.connect(place)
            return door
        host, _, port = place.rpartition(":")
        return socket.create_connection((host.strip("[]"), int(port)))
    except OSError as error:
        raise NoBridge(f"the bridge's MCP door at {address} does not answer: {error}", 6) from error


def _preface(tools: str, instance: str | None) -> bytes:
    # By hand: to import json takes as long as all the rest.
    named = "null" if instance is None else _quoted(instance)
    return f'{{"bpy_bridge": 1, "tools": {_quoted(tools)}, "instance": {named}}}\n'.encode()


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _parsed(line: bytes) -> dict[str, object]:
    """The message, empty where it is none: the bridge says what is wrong with it."""
    import json  # noqa: PLC0415  # not needed before the first line is on its way

    try:
        message = json.loads(line)
    except ValueError:
        return {}
    return message if isinstance(message, dict) else {}


def _send(door: socket.socket, data: bytes) -> bool:
    try:
        door.sendall(data)
    except OSError:
        return False
    return True


def _receive(door: socket.socket) -> bytes:
    try:
        return door.recv(_CHUNK)
    except OSError:
        return b""


def _write(data: bytes, to: int = 1) -> None:
    view = memoryview(data)
    try:
        while view:
            view = view[os.write(to, view) :]
    except OSError:
        os._exit(0)  # the client has gone


if __name__ == "__main__":
    sys.exit(main())
