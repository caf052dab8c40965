"""The boundary at which a background task's exception ends: it is logged and counted, and the task goes on."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import structlog
import trio

from bridge import events

log = structlog.get_logger(__name__)

FIRST_DELAY = 0.05
MAX_DELAY = 5.0

_ENDING = (trio.Cancelled, KeyboardInterrupt, SystemExit, GeneratorExit)


class Split(NamedTuple):
    """`survived` ends at a supervised boundary, `ending` has to be raised on."""

    survived: BaseException | None
    ending: BaseException | None


def split(error: BaseException) -> Split:
    """Part what a background task survives from what ends it: Cancelled, KeyboardInterrupt, SystemExit."""
    if isinstance(error, BaseExceptionGroup):
        ending, survived = error.split(_ENDING)
        return Split(survived, ending) if ending is not None else Split(error, None)
    return Split(None, error) if isinstance(error, _ENDING) else Split(error, None)


async def keep_running(name: str, function: Callable[[], Awaitable[None]], emit: events.Emit) -> None:
    """Await `function()` until it returns; whatever it raises, log, emit BackgroundError, back off and begin anew.

    The delay is exponential with full jitter, FIRST_DELAY to MAX_DELAY seconds, and starts over once the function has
    gone on for longer than MAX_DELAY. Cancelled, KeyboardInterrupt and SystemExit propagate, also out of a group.
    """
    failures = 0
    while True:
        started = trio.current_time()
        try:
            await function()
            return
        except trio.Cancelled:
            raise
        except BaseException as error:  # supervised: whatever it is, the task goes on
            survived, ending = split(error)
            if survived is None:
                raise
            if trio.current_time() - started > MAX_DELAY:
                failures = 0
            failures += 1
            delay = random.uniform(0.0, min(MAX_DELAY, FIRST_DELAY * 2.0**failures))  # noqa: S311  # spreads load, no secret
            found = {"task": name, "failures": failures, "retry_in": round(delay, 3)}
            log.exception("background task failed", exc_info=survived, **found)
            emit(events.BackgroundError(name, repr(survived)))
            if ending is not None:
                raise ending from None
        await trio.sleep(delay)


def dispatcher(*listeners: events.Handlers) -> events.Emit:
    """One emitter for several listeners, each with its handlers by type of event; one that raises is logged."""
    handlers: dict[type, list[Callable[..., None]]] = {}
    for listener in listeners:
        for kind, handler in listener.items():
            handlers.setdefault(kind, []).append(handler)
    if not handlers:
        return events.ignore

    def emit(event: events.BridgeEvent) -> None:
        for handler in handlers.get(type(event), ()):
            try:
                handler(event)
            except Exception:  # supervised: neither the emitter nor the other listeners are to blame
                log.exception("listener failed", event_seen=repr(event))

    return emit


def guarded(emit: events.Emit) -> events.Emit:
    """The same emitter, but what it raises is logged: a listener's bug must not break a decision in two."""
    if emit is events.ignore:
        return emit

    def emit_guarded(event: events.BridgeEvent) -> None:
        try:
            emit(event)
        except Exception:  # supervised: the emitter has no use for a listener's error
            log.exception("listener failed", event_seen=repr(event))

    return emit_guarded
