"""Writing in a thread behind a bounded queue: who logs never waits for who reads."""

from __future__ import annotations

import logging
import select
import threading
from collections import deque
from collections.abc import Callable

from .repetition import Repetitions, annotate, line

MOST_WAITING = 4 << 20  # bytes: some 20 000 lines, seconds of the most talkative level
PATIENCE = 2.0  # seconds for a reader at the end of the process
_TICK = 5.0  # seconds between two looks for failures that have stopped repeating
_BATCH = 65_536  # bytes for one write: what a pipe takes


class LineWriter(logging.Handler):
    """Hands each line to a thread that writes it to a file descriptor, and looks after `repetitions`.

    While more than MOST_WAITING bytes wait, lines are dropped; the next one that gets through says as `dropped` how
    many. `logging` itself flushes and closes it at the end of the process.
    """

    def __init__(self, file: int, repetitions: Repetitions, after_write: Callable[[], None] | None = None) -> None:
        super().__init__()
        self.addFilter(repetitions)
        self._repetitions = repetitions
        self._after_write = after_write
        # Without a buffer there is no lock that a stuck write would hold when the interpreter flushes standard error.
        self._file = open(file, "wb", buffering=0, closefd=False)  # noqa: SIM115  # the caller's to close
        self._changed = threading.Condition()
        self._lines: deque[bytes] = deque()
        self._waiting = 0  # bytes, those in the write that goes on included
        self._dropped = 0
        self._stuck = False
        self._ended = False
        # A daemon: one that is stuck must not keep the process.
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        """Render here and now, where the exception and the context are; write soon."""
        with self._changed:
            if self._waiting > MOST_WAITING:
                self._dropped += 1
                return
            if self._dropped:
                annotate(record, dropped=self._dropped)
                self._dropped = 0
            data = self._rendered(record).encode(errors="backslashreplace") + b"\n"
            self._lines.append(data)
            self._waiting += len(data)
            self._changed.notify_all()

    def _rendered(self, record: logging.LogRecord) -> str:
        try:
            return self.format(record)
        except Exception as error:  # noqa: BLE001  # whatever a value raises: who logs is not to fail by it
            where = f"{record.pathname}:{record.lineno}"
            failed = line(record.name, record.levelno, "a line could not be rendered", where=where, error=repr(error))
            return self.format(failed)

    def flush(self) -> None:
        """Wait until all is written, PATIENCE seconds at most, and not at all where that was in vain before."""
        with self._changed:
            if not self._stuck:
                self._stuck = not self._changed.wait_for(lambda: not self._waiting, PATIENCE)

    def close(self) -> None:
        """Say what is held back and what was dropped, and end the thread; a stuck one is left behind."""
        for record in self._repetitions.all():
            self.emit(record)
        if self._dropped:
            self.emit(line(__name__, logging.WARNING, "log lines were dropped: nobody read them in time"))
        with self._changed:
            self._ended = True
            self._changed.notify_all()
        if not self._stuck:
            self._thread.join(PATIENCE)
        super().close()

    def _run(self) -> None:
        while True:
            batch = self._next_batch()
            if batch is None:
                return
            if batch:
                lost = self._write(batch)
                if self._after_write is not None:
                    self._after_write()
                with self._changed:
                    self._waiting -= len(batch)
                    self._dropped += lost
                    self._stuck = False
                    self._changed.notify_all()
            for record in self._repetitions.ended():
                self.emit(record)

    def _next_batch(self) -> bytes | None:
        """What to write next, empty once in a while; None when all is over."""
        with self._changed:
            if not self._lines and not self._ended:
                self._changed.wait(_TICK)
            if not self._lines:
                return None if self._ended else b""
            batch, size = [self._lines.popleft()], 0
            while self._lines and size < _BATCH:
                batch.append(self._lines.popleft())
                size += len(batch[-1])
            return b"".join(batch)

    def _write(self, data: bytes) -> int:
        """Write it all; how many lines could not be."""
        rest = memoryview(data)
        while rest:
            try:
                written = self._file.write(rest)
                if written is None:
                    # Somebody has made it non-blocking, and it is full.
                    select.select([], [self._file], [])
            except OSError:
                return bytes(rest).count(b"\n")
            rest = rest[written or 0 :]
        return 0
