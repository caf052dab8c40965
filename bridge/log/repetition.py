"""Failures that repeat: the first ones come through, the others are held back and counted."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from itertools import takewhile
from typing import Any, NamedTuple

from .rendering import exception_of

WINDOW = 60.0  # seconds: an operator who looks once a minute sees that it goes on
THROUGH = 3  # one may be chance; three show how fast it repeats
MOST_KINDS = 1_000  # a kind takes less than 1 KB; beyond that lines come through unlimited
_LONGEST = 200
_ABOUT = ("instance", "worker", "task", "address")


class Kind(NamedTuple):
    """Two lines of one kind say the same: of the same thing, from the same place, for the same type of error."""

    logger: str
    level: int
    text: str
    about: tuple[tuple[str, str], ...]


class _Window:
    __slots__ = ("ends", "held", "through")

    def __init__(self, ends: float) -> None:
        self.ends = ends
        self.held = 0
        self.through = 1


class Repetitions(logging.Filter):
    """Lets THROUGH lines of a kind pass in WINDOW seconds, at level warning and above.

    The first line after a window says as `repeated` how many were held back in it; where none comes, `ended` has a line
    that says so. For use from any thread.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: dict[Kind, _Window] = {}  # in the order in which they began, so in that in which they end

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the line comes through."""
        if record.levelno < logging.WARNING:
            return True
        kind = _kind(record)
        now = self._clock()
        with self._lock:
            window = self._windows.get(kind)
            if window is None or window.ends <= now:
                self._begin(kind, record, now)
                return True
            if window.through < THROUGH:
                window.through += 1
                return True
            window.held += 1
            return False

    def _begin(self, kind: Kind, record: logging.LogRecord, now: float) -> None:
        former = self._windows.pop(kind, None)
        if former is not None and former.held:
            annotate(record, repeated=former.held)
        if len(self._windows) < MOST_KINDS:
            self._windows[kind] = _Window(now + WINDOW)

    def ended(self) -> list[logging.LogRecord]:
        """A line for each window that is over with lines held back; they are forgotten."""
        now = self._clock()
        with self._lock:
            return self._take([kind for kind, _ in takewhile(lambda each: each[1].ends <= now, self._windows.items())])

    def all(self) -> list[logging.LogRecord]:
        """The same for every window, over or not."""
        with self._lock:
            return self._take(list(self._windows))

    def _take(self, kinds: list[Kind]) -> list[logging.LogRecord]:
        taken = [(kind, self._windows.pop(kind).held) for kind in kinds]
        return [_summary(kind, held) for kind, held in taken if held]


def annotate(record: logging.LogRecord, **particulars: Any) -> None:
    """Have the record's line say more."""
    (record.msg if isinstance(record.msg, dict) else record.__dict__).update(particulars)


def line(logger: str, level: int, text: str, **particulars: Any) -> logging.LogRecord:
    """A record as the standard library's loggers make them."""
    name = logging.getLevelName(level)
    return logging.makeLogRecord({"name": logger, "levelno": level, "levelname": name, "msg": text, **particulars})


def _summary(kind: Kind, held: int) -> logging.LogRecord:
    return line(kind.logger, kind.level, kind.text, **dict(kind.about), repeated=held)


def _kind(record: logging.LogRecord) -> Kind:
    # structlog's events are dictionaries in the place of the message.
    event: Mapping[str, Any] = record.msg if isinstance(record.msg, dict) else record.__dict__
    text = event["event"] if event is record.msg else _text(record)
    about = [(name, str(event[name])[:_LONGEST]) for name in _ABOUT if name in event]
    error = exception_of(event.get("exc_info"))
    if error is not None:
        about.append(("error", type(error).__name__))
    return Kind(record.name, record.levelno, str(text)[:_LONGEST], tuple(about))


def _text(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError):
        return str(record.msg)  # its arguments don't fit: the line says so when it is rendered
