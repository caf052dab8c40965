"""A place of its own for every test, and real neighbours."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.config import Settings
from bridge.doctor import Place
from tests.serving_thread import ServingThread


@pytest.fixture
def place(home) -> Callable[..., Place]:
    """place(listen=…, workers=…): with these settings."""

    def place(**settings):
        return Place(Settings(**settings))

    return place


@pytest.fixture
def private(home) -> Path:
    """The home, made as the bridge makes it."""
    home.mkdir(mode=0o700)
    return home


class Squatter:
    """Listens at a free port and answers each connection with what `answer` makes of the bytes so far, once."""

    def __init__(self, answer: Callable[[bytes], bytes | None]) -> None:
        self.heard: list[bytes] = []
        self._answer = answer
        listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = listening.getsockname()[1]
        self.close = ServingThread(listening, self._converse).close

    def _converse(self, sock: socket.socket) -> None:
        self.heard.append(b"")
        while data := sock.recv(4096):
            self.heard[-1] += data
            answer = self._answer(self.heard[-1])
            if answer is not None:
                sock.sendall(answer)


@pytest.fixture
def squatter() -> Iterator[Callable[..., Squatter]]:
    """squatter(answer): one more of them."""
    running: list[Squatter] = []

    def squatter(answer=lambda _data: None):
        running.append(Squatter(answer))
        return running[-1]

    yield squatter
    for one in running:
        one.close()


@pytest.fixture
def stale_socket(private) -> Callable[[str], Path]:
    """stale_socket(name): the file of a socket whose process is gone."""

    def stale_socket(name):
        with closing(socket.socket(socket.AF_UNIX)) as sock:
            sock.bind(str(private / name))
        return private / name

    return stale_socket
