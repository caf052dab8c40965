"""The store, for tasks: each call in a thread, a few at a time, never on trio's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, TypeVarTuple

import trio

from bridge.errors import StoreUnavailable

Value = TypeVar("Value")
Arguments = TypeVarTuple("Arguments")

_MOST_AT_ONCE = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Access:
    """Calls a store's methods. A call that has begun ends before a cancellation is delivered: nothing is claimed and
    then forgotten.
    """

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(_MOST_AT_ONCE)

    async def call(self, method: Callable[[*Arguments], Value], *arguments: *Arguments) -> Value:
        """The method's value. Raises what it raises."""
        return await trio.to_thread.run_sync(method, *arguments, limiter=self._limiter)

    async def insist(self, method: Callable[[*Arguments], Value], *arguments: *Arguments) -> Value:
        """The same, again and again while the store cannot be reached: for what must not get lost. Raises Lost."""
        pause = _FIRST_PAUSE
        while True:
            try:
                return await self.call(method, *arguments)
            except StoreUnavailable:
                await trio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
