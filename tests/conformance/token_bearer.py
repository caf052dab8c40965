"""Stands before the HTTP door and shows the token for a judge that cannot: each request gets a header more."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO


@contextmanager
def bearing(token: str, port: int) -> Iterator[int]:
    """The port at which everybody has the token of the door at `port`."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, token, port), daemon=True).start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, token: str, port: int) -> None:
    header = f"Authorization: Bearer {token}\r\n".encode()
    with suppress(OSError):
        while True:
            judge, _ = listening.accept()
            door = socket.create_connection(("127.0.0.1", port))
            threading.Thread(target=_ask, args=(judge, door, header), daemon=True).start()
            threading.Thread(target=_answer, args=(door, judge), daemon=True).start()


def _ask(judge: socket.socket, door: socket.socket, header: bytes) -> None:
    with suppress(OSError), judge.makefile("rb") as asked:
        while first := asked.readline():
            head = first
            while (line := asked.readline()) not in (b"\r\n", b""):
                head += line
            door.sendall(head + header + b"\r\n")
            _pass_on_body(head.lower(), asked, door)
    with suppress(OSError):
        door.shutdown(socket.SHUT_WR)


def _pass_on_body(head: bytes, asked: BinaryIO, door: socket.socket) -> None:
    if b"transfer-encoding: chunked" in head:
        size = None
        while size != 0:
            line = asked.readline()
            size = int(line, 16)
            door.sendall(line + asked.read(size + 2))
    _, found, rest = head.partition(b"content-length:")
    if found:
        door.sendall(asked.read(int(rest.split(b"\r\n")[0])))


def _answer(door: socket.socket, judge: socket.socket) -> None:
    with suppress(OSError):
        while data := door.recv(65_536):
            judge.sendall(data)
    for side in (judge, door):
        with suppress(OSError):
            side.shutdown(socket.SHUT_RDWR)
        side.close()
