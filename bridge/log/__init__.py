"""Logs: one line an event, on standard error, `console` for people or `json` for machines. Secrets never.

Modules log with `structlog.get_logger()` or the standard `logging`; both come out here, in the same form.

    rendering   an event → its line, in the caller's thread; secrets are blackened
    repetition  a failure that repeats is held back, and counted
    writing     a thread behind a bounded queue: who logs never waits for who reads
    rotation    a log file of bounded size
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable
from typing import Literal, TextIO

import structlog

from .rendering import HIDDEN, Format, formatter, processors
from .repetition import Repetitions
from .rotation import Rotation
from .writing import LineWriter

__all__ = ["HIDDEN", "Format", "Level", "Rotation", "configure", "flush"]

Level = Literal["debug", "info", "warning", "error"]


def configure(
    level: Level = "info",
    form: Format = "console",
    *,
    secrets: Iterable[str] = (),
    stream: TextIO | None = None,
    after_write: Callable[[], None] | None = None,
) -> None:
    """Set logging up for the process; may be called again. All is written at the process's end, see `flush`.

    Each of `secrets` is blackened wherever it stands in a line. `stream` is standard error unless it is given; lines
    go to its file, past its buffer. `after_write` is called after each write, in a thread: a Rotation, for example.
    """
    root = logging.getLogger()
    for former in root.handlers:
        if isinstance(former, LineWriter):
            former.flush()
            former.close()
    writer = LineWriter(_file(stream or sys.stderr), Repetitions(), after_write)
    writer.setFormatter(formatter(form, secrets))
    root.handlers = [writer]
    root.setLevel(level.upper())
    structlog.configure(
        processors=[*processors(), structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        # A line below the level costs a call that does nothing.
        wrapper_class=structlog.make_filtering_bound_logger(level),
    )


def flush() -> None:
    """Wait until what was logged is written, 2 s at most where nobody reads."""
    for handler in logging.getLogger().handlers:
        handler.flush()


def _file(stream: TextIO | None) -> int:
    # A process that was started without standard error has none, and whatever is number 2 now is something else.
    return stream.fileno() if stream is not None else os.open(os.devnull, os.O_WRONLY)
