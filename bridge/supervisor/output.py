"""What a worker prints: the phases that it says are read, the rest is kept in a file of bounded size."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

import structlog
import trio

from bridge.log.rotation import Rotation

log = structlog.get_logger(__name__)

MAX_BYTES = 5 << 20
FILES = 2  # the current one included
_LONGEST_LINE = 2_000
_AGAIN_AFTER = 30.0
_SAYINGS = (b'{"phase"', b'{"ready"')


class Output:
    """The lines of one process after another, the last of them in `lines`, all of them in the file at `path`."""

    def __init__(self, name: str, lines: deque[str], path: Path | None) -> None:
        self._name = name
        self._lines = lines
        self._path = path
        self._on_phase: Callable[[str], None] = _nobody
        self._rest = b""
        self._file: int | None = None
        self._rotate: Callable[[], None] | None = None
        self._off_until = 0.0

    def begin(self, on_phase: Callable[[str], None]) -> None:
        """Another process, and who is to be told its phases; half a line of the last one is nobody's beginning."""
        self._rest = b""
        self._on_phase = on_phase

    async def follow(self, stream: trio.abc.ReceiveStream) -> None:
        """Take what comes until the stream's end."""
        try:
            async for chunk in stream:
                self._take(bytes(chunk))
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            return

    def close(self) -> None:
        """Close the file."""
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _take(self, chunk: bytes) -> None:
        *lines, rest = (self._rest + chunk).split(b"\n")
        self._rest = rest[:_LONGEST_LINE]
        kept = []
        for line in lines:
            before, phase = _said(line)
            if phase is None or before:
                kept.append(before)
            if phase is not None:
                self._on_phase(phase)
        self._lines.extend(line.decode(errors="replace")[:_LONGEST_LINE] for line in kept)
        if kept and self._path is not None and trio.current_time() >= self._off_until:
            self._write(b"".join(line + b"\n" for line in kept))

    def _write(self, data: bytes) -> None:
        try:
            if self._file is None:
                self._open()
            assert self._file is not None
            assert self._rotate is not None
            os.write(self._file, data)
            self._rotate()
        except OSError as error:
            # A full disk is no reason to lose the worker too. What it says goes on being in its status.
            if not self._off_until:
                cause = str(error)
                log.warning("a worker's output is not kept", instance=self._name, file=str(self._path), error=cause)
            self.close()
            self._off_until = trio.current_time() + _AGAIN_AFTER
        else:
            if self._off_until:
                log.info("a worker's output is kept again", instance=self._name, file=str(self._path))
            self._off_until = 0.0

    def _open(self) -> None:
        assert self._path is not None
        self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._rotate = Rotation(self._path, self._file, max_bytes=MAX_BYTES, files=FILES)


def _nobody(_phase: str) -> None:
    """Whoever listens before the first process."""


def _said(line: bytes) -> tuple[bytes, str | None]:
    """What was printed before it, and the phase that the line says; text without an end may stand before it."""
    for saying in _SAYINGS:
        at = line.find(saying)
        if at >= 0 and (phase := _phase(line[at:])) is not None:
            return line[:at], phase
    return line, None


def _phase(text: bytes) -> str | None:
    try:
        said: Any = json.loads(text)
    except ValueError:
        return None
    if not isinstance(said, dict):
        return None
    if said.get("ready") is True:
        return "ready"
    phase = said.get("phase")
    return phase if phase in ("importing", "listening") else None
