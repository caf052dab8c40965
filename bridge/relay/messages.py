"""Lines in and out, and what the relay itself has to say: to the client on 1, to people on 2."""

from __future__ import annotations

import os
import socket
import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 65_536

_writing = threading.Lock()


def lines(read: Callable[[], bytes], longest: int) -> Iterator[bytes]:
    """Lines with their ends; one that is too long comes in pieces, for whoever reads it to pass over."""
    pieces: list[bytes] = []
    size = 0
    while data := read():
        start = 0
        while (end := data.find(b"\n", start)) >= 0:
            pieces.append(data[start : end + 1])
            yield b"".join(pieces)
            pieces, size, start = [], 0, end + 1
        pieces.append(data[start:])
        size += len(data) - start
        if size > longest:
            yield b"".join(pieces)
            pieces, size = [], 0


def parsed(line: bytes) -> dict[str, object]:
    """The message, empty where it is none: the bridge says what is wrong with it."""
    import json  # noqa: PLC0415  # not needed before the first line is on its way

    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return message if isinstance(message, dict) else {}


def send(door: socket.socket, data: bytes) -> None:
    """Send it whole; where the door has closed, nothing."""
    try:
        door.sendall(data)
    except OSError:
        return


def receive(door: socket.socket) -> bytes:
    """Some of what has come; empty at the end."""
    try:
        return door.recv(CHUNK)
    except OSError:
        return b""


def hang_up(door: socket.socket) -> None:
    """Close it, so that a thread that reads from it is done."""
    try:
        door.shutdown(socket.SHUT_RDWR)
    except OSError:
        # The other side was faster.
        door.close()
    else:
        door.close()


def refuse(number: object, why: str, *, ran: bool) -> None:
    """Answer a request with an error; where it may have `ran`, to repeat it is not safe."""
    data = {"outcome": "unknown" if ran else "not_executed", "retryable": not ran}
    say({"id": number, "error": {"code": -32000, "message": why, "data": data}})


def say(message: dict[str, object]) -> None:
    """A message of our own to the client."""
    import json  # noqa: PLC0415  # not needed before the first answer

    write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")


def complain(why: str) -> None:
    """One line on standard error."""
    line = f"bpy-bridge mcp: {' '.join(why.split())}\n".encode(errors="replace")
    try:
        os.write(2, line)
    except OSError:
        return  # nobody reads it


def write(data: bytes) -> None:
    """All of it on standard output, in one piece; where the client has gone, this process goes too."""
    view = memoryview(data)
    try:
        with _writing:
            while view:
                view = view[os.write(1, view) :]
    except OSError:
        os._exit(0)
