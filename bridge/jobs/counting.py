"""How many jobs are in each state, told to whoever listens: so nobody who is asked for it waits for the store."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import trio

from bridge import events

from .access import Access
from .store import Store

INTERVAL = 5.0
"""Other bridges on a shared store change it too, and how long a job has been silent changes by itself."""
_LEAST = 0.25


async def tell_counts(
    store: Store,
    access: Access,
    changed: Callable[[], trio.Event],
    silences: Callable[[], Mapping[str, float]],
    emit: events.Emit,
) -> None:
    """Emit JobsCounted at each change and every INTERVAL seconds, until cancelled. Raises StoreUnavailable."""
    while True:
        news = changed()
        emit(events.JobsCounted(await access.call(store.stats), silences()))
        await trio.sleep(_LEAST)
        with trio.move_on_after(INTERVAL - _LEAST):
            await news.wait()
