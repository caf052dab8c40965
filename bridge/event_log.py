"""Which events become log lines. The others are logged by whoever emits them, where more is known of them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextvars import Context

import structlog

from . import events

log = structlog.get_logger(__name__)


def handlers(level: str) -> events.Handlers:
    """What writes the lines of that level and above; an event whose line would not be written has no handler."""
    least = logging.getLevelNamesMapping()[level.upper()]
    return {kind: write for at, lines in _LINES.items() if at >= least for kind, write in lines.items()}


def _exclusivity_violated(event: events.ExclusivityViolated) -> None:
    log.error("a connection was about to be lent twice; it was not", instance=event.instance)


def _lease_leaked(event: events.LeaseLeaked) -> None:
    _of_the_pool(
        log.warning,
        "a connection is held for very long",
        instance=event.instance,
        held=round(event.held, 3),
        taken_at=event.taken_at,
        task=event.task,
    )


def _connect_failed(event: events.ConnectFailed) -> None:
    _of_the_pool(
        log.warning,
        "no connection to Blender",
        instance=event.instance,
        attempt=event.attempt,
        error=event.error,
    )


def _connection_opened(event: events.ConnectionOpened) -> None:
    _of_the_pool(log.debug, "connected to Blender", instance=event.instance, seconds=round(event.seconds, 6))


def _connection_discarded(event: events.ConnectionDiscarded) -> None:
    _of_the_pool(log.debug, "connection to Blender closed", instance=event.instance, reason=event.reason)


def _request_finished(event: events.RequestFinished) -> None:
    log.debug(
        "request finished",
        instance=event.instance,
        connection=event.connection,
        request=event.request,
        method=event.method,
        outcome=event.outcome,
        seconds=round(event.seconds, 6),
    )


def _of_the_pool(write: Callable[..., object], text: str, **particulars: object) -> None:
    """Log outside of the context: a pool's task has it from the client whose request happened to start the task."""
    Context().run(write, text, **particulars)


_LINES: Mapping[int, events.Handlers] = {
    logging.ERROR: {events.ExclusivityViolated: _exclusivity_violated},
    logging.WARNING: {events.LeaseLeaked: _lease_leaked, events.ConnectFailed: _connect_failed},
    logging.DEBUG: {
        events.ConnectionOpened: _connection_opened,
        events.ConnectionDiscarded: _connection_discarded,
        events.RequestFinished: _request_finished,
    },
}
