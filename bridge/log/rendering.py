"""From an event to its line: `console` for people, `json` for machines, and no secret in either."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import Iterable, MutableMapping
from typing import Any, Literal

import structlog
from structlog.typing import Processor

Format = Literal["console", "json"]

HIDDEN = "•••"
_SECRET_NAMES = ("token", "secret", "password", "proof", "authorization")
_SHORTEST_SECRET = 4  # a shorter one would blacken ordinary words
_LONGEST_TEXT = 8_192

_Event = MutableMapping[str, Any]


def formatter(form: Format, secrets: Iterable[str]) -> logging.Formatter:
    """What makes a record one line, structlog's and the standard library's alike."""
    every = {text for secret in secrets for text in (secret, json.dumps(secret)[1:-1])}
    return _OneLine(
        sorted(every, key=len, reverse=True),
        foreign_pre_chain=processors(),
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _render_json if form == "json" else _render_console,
        ],
    )


def processors() -> list[Processor]:
    """What happens to an event where it is logged, in the task and thread whose context it carries."""
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        _hide_by_name,
        _cut,
    ]


def exception_of(exc_info: object) -> BaseException | None:
    """The exception that a log call was given or is made under."""
    if isinstance(exc_info, tuple):
        exc_info = exc_info[1]
    elif exc_info is True:
        exc_info = sys.exc_info()[1]
    return exc_info if isinstance(exc_info, BaseException) else None


class _OneLine(structlog.stdlib.ProcessorFormatter):
    """The last step: no secret and no second line gets past it, whoever wrote the event."""

    def __init__(self, secrets: list[str], **options: Any) -> None:
        super().__init__(**options)
        self._secrets = [secret for secret in secrets if len(secret) >= _SHORTEST_SECRET]

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        for secret in self._secrets:
            line = line.replace(secret, HIDDEN)
        return line


def _hide_by_name(_logger: Any, _method: str, event: _Event) -> _Event:
    for name in event:
        if any(secret in name.lower() for secret in _SECRET_NAMES):
            event[name] = HIDDEN
    return event


def _cut(_logger: Any, _method: str, event: _Event) -> _Event:
    for name, value in event.items():
        if isinstance(value, str) and len(value) > _LONGEST_TEXT:
            event[name] = _short(value)
    return event


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT // 2] + " … " + text[-_LONGEST_TEXT // 2 :]


def _render_json(_logger: Any, _method: str, event: _Event) -> str:
    error = exception_of(event.pop("exc_info", None))
    ordered = {name: event.pop(name) for name in ("time", "level", "event") if name in event}
    ordered.update(event)
    if error is not None:
        ordered["exception"] = _short("".join(traceback.format_exception(error)))
    return json.dumps(ordered, default=repr, ensure_ascii=False)


def _render_console(_logger: Any, _method: str, event: _Event) -> str:
    error = exception_of(event.pop("exc_info", None))
    words = [str(event.pop("time", "")), f"{event.pop('level', ''):<7}", _plain(event.pop("event", ""))]
    words += [f"{name}={_quoted(value)}" for name, value in event.items()]
    if error is not None:
        words.append(f"exception={_quoted(_short(_in_short(error)))}")
    return " ".join(words)


def _in_short(error: BaseException) -> str:
    """What was raised and where, innermost frame first, on one line; json has the whole traceback."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " ← ".join(
        f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
    said = f"{type(error).__name__}: {error}" + (f" ({places})" if places else "")
    if isinstance(error, BaseExceptionGroup):
        said += " [" + "; ".join(_in_short(inner) for inner in error.exceptions) + "]"
    if error.__cause__ is not None:
        said += " caused by " + _in_short(error.__cause__)
    return said


def _plain(value: object) -> str:
    text = str(value)
    return text if text.isprintable() else json.dumps(text, ensure_ascii=False)[1:-1]


def _quoted(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    simple = text.isprintable() and text and not any(character in text for character in ' "=')
    return text if simple else json.dumps(text, ensure_ascii=False)
