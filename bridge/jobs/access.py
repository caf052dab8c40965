"""The store, for tasks: each call in a thread, a few at a time, never on trio's own."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeVar, TypeVarTuple

import structlog
import trio

from bridge.errors import StoreUnavailable

log = structlog.get_logger(__name__)

Value = TypeVar("Value")
Arguments = TypeVarTuple("Arguments")

_MOST_AT_ONCE = 4
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 5.0


class Access:
    """Calls a store's methods. A call that has begun ends before a cancellation is delivered: nothing is claimed and
    then forgotten. That the store cannot be reached is logged once, and once when it can be again.
    """

    def __init__(self) -> None:
        self._limiter = trio.CapacityLimiter(_MOST_AT_ONCE)
        self._reachable = True

    async def call(self, method: Callable[[*Arguments], Value], *arguments: *Arguments) -> Value:
        """The method's value. Raises what it raises."""
        try:
            value = await trio.to_thread.run_sync(method, *arguments, limiter=self._limiter)
        except StoreUnavailable as error:
            if self._reachable:
                log.warning("the store of jobs cannot be used, tried again until it can", error=str(error))
            self._reachable = False
            raise
        if not self._reachable:
            log.info("the store of jobs can be used again")
        self._reachable = True
        return value

    async def insist(self, method: Callable[[*Arguments], Value], *arguments: *Arguments) -> Value:
        """The same, again and again while the store cannot be used: for what must not get lost. Raises Lost."""

        async def once() -> Value:
            return await self.call(method, *arguments)

        return await self.outlast(once)

    async def outlast(self, function: Callable[[], Awaitable[Value]]) -> Value:
        """Await `function()`, anew with growing pauses where the store cannot be used."""
        pause = _FIRST_PAUSE
        while True:
            began = trio.current_time()
            try:
                return await function()
            except StoreUnavailable:
                if trio.current_time() - began > _LONGEST_PAUSE:
                    pause = _FIRST_PAUSE
                await trio.sleep(pause)
                pause = min(2 * pause, _LONGEST_PAUSE)
