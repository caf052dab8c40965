"""The pool that one writes first: a lock, a deque of events, and an await at every step of a release.

It is here to be caught by the suite: a cancellation falls between "you get it" and "you have it".
"""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any

import trio

from bridge.pool import PoolStatistics


class NaivePool:
    def __init__(self, name: str, connect: Any, settings: Any, emit: Any = None) -> None:
        self.name = name
        self._connect = connect
        self._max = settings.max_connections
        self._lock = trio.Lock()
        self._idle: list[Any] = []
        self._leased = 0
        self._connecting = 0
        self._waiters: deque[trio.Event] = deque()
        self._closed = trio.Event()
        self._paused = False

    async def run(self, task_status: Any = trio.TASK_STATUS_IGNORED) -> None:
        task_status.started()
        await self._closed.wait()

    async def acquire(self) -> Any:
        while True:
            async with self._lock:
                if self._idle:
                    self._leased += 1
                    return self._lease(self._idle.pop())
                if self._leased + self._connecting < self._max:
                    self._connecting += 1
                    try:
                        connection = await self._connect()
                    finally:
                        self._connecting -= 1
                    self._leased += 1
                    return self._lease(connection)
                turn = trio.Event()
                self._waiters.append(turn)
            await turn.wait()

    def _lease(self, connection: Any) -> Any:
        return SimpleNamespace(connection=connection, release=lambda: self._release(connection))

    async def _release(self, connection: Any) -> None:
        async with self._lock:
            self._leased -= 1
            if connection.poisoned:
                await connection.aclose()
            else:
                self._idle.append(connection)
            if self._waiters:
                self._waiters.popleft().set()

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def close(self) -> None:
        self._closed.set()

    async def drain(self) -> None:
        self.close()
        for connection in self._idle:
            await connection.aclose()
        self._idle.clear()

    def statistics(self) -> PoolStatistics:
        return PoolStatistics(
            name=self.name,
            state="paused" if self._paused else "open",
            max_connections=self._max,
            max_waiting=1000,
            idle=len(self._idle),
            leased=self._leased,
            connecting=self._connecting,
            checking=0,
            waiting=len(self._waiters),
            oldest_wait=0.0,
            generation=0,
            connect_failures=0,
            last_error=None,
            exclusivity_violations=0,
        )


class NaivePoolThatReleasesLater(NaivePool):
    """The same with a release that need not be awaited: a task of its own does it."""

    def _lease(self, connection: Any) -> Any:
        def release() -> None:
            trio.lowlevel.spawn_system_task(self._release, connection)

        return SimpleNamespace(connection=connection, release=release)
