"""The relay as clients start it, and a door that says what a test has it say."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PATIENCE = 20.0


class Talk:
    """Lines of JSON, out and in."""

    def __init__(self, reading: Any, writing: Any) -> None:
        self.reading = reading
        self.writing = writing

    def say(self, message: Any) -> None:
        self.writing.write(message if isinstance(message, bytes) else json.dumps(message).encode() + b"\n")
        self.writing.flush()

    def hear(self) -> Any:
        line = self.reading.readline()
        return json.loads(line) if line else None


class Relayed(Talk):
    """The process, from its client's side."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        super().__init__(process.stdout, process.stdin)
        self.process = process

    def leave(self) -> int:
        """Close standard input and wait; the exit code."""
        self.process.stdin.close()
        return self.process.wait(PATIENCE)

    @property
    def complaint(self) -> str:
        """What it has said on standard error, once it has ended."""
        self.process.wait(PATIENCE)
        return self.process.stderr.read().decode()


class Connection(Talk):
    """One relay, from the door's side; its preface is read."""

    def __init__(self, connected: socket.socket) -> None:
        connected.settimeout(PATIENCE)
        self.socket = connected
        file = connected.makefile("rwb")
        super().__init__(file, file)
        self.preface = self.hear()

    def close(self) -> None:
        self.reading.close()
        self.socket.close()


class Door:
    """A listening socket where relays look for one."""

    def __init__(self, path: Path) -> None:
        self._listening = socket.socket(socket.AF_UNIX)
        self._listening.settimeout(PATIENCE)
        self._listening.bind(str(path))
        self._listening.listen()
        self._opened: list[Connection] = []

    def accept(self) -> Connection:
        self._opened.append(Connection(self._listening.accept()[0]))
        return self._opened[-1]

    def close(self) -> None:
        for connection in self._opened:
            connection.close()
        self._listening.close()


@contextmanager
def a_door(home: Path) -> Iterator[Door]:
    home.mkdir(mode=0o700, exist_ok=True)
    door = Door(home / "mcp.sock")
    try:
        yield door
    finally:
        door.close()


@contextmanager
def relayed(home: Path, *flags: str, **variables: str) -> Iterator[Relayed]:
    """A relay; it has ended afterwards."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPY_BRIDGE_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "bridge", "mcp", *flags],
        env={**kept, "BPY_BRIDGE_HOME": str(home), **variables},
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Relayed(process)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout, process.stderr):
            with suppress(BrokenPipeError):
                pipe.close()
