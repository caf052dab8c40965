"""A queue at work in this process, with test work instead of Blenders."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from bridge import events
from bridge.jobs.attempt import Attempt
from bridge.jobs.elsewhere import Release
from bridge.jobs.model import Job, NewJob
from bridge.jobs.pace import Pace
from bridge.jobs.queue import Queue
from bridge.jobs.store import Store

PATIENCE = 30.0
# It hears of everything at once, or not within a test's patience.
DEAF = Pace(lease=600.0, heartbeat=600.0, poll=600.0, backoff=0.0)


class AtWork:
    """A running queue, and what it did."""

    def __init__(self, queue: Queue, happened: list[Any], nursery: trio.Nursery) -> None:
        self.queue = queue
        self.store = queue.store
        self.events = happened
        self.nursery = nursery

    async def submit(self, kind: str = "test", params: dict[str, Any] | None = None, **values: Any) -> str:
        job, _ = await self.queue.submit(NewJob(kind, params or {}, **values))
        return job.id

    async def get(self, job: str) -> Job:
        found = await trio.to_thread.run_sync(self.store.get, job)
        assert found is not None
        return found

    async def until(self, job: str, condition: Callable[[Job], object]) -> Job:
        """The job, once it is so."""
        with trio.fail_after(PATIENCE):
            while not condition(found := await self.get(job)):
                await trio.sleep(0.002)  # between two looks at what threads do
            return found

    async def ended(self, job: str) -> Job:
        return await self.until(job, lambda found: found.ended)

    def count(self) -> Counter[type]:
        return Counter(map(type, self.events))

    async def told(self, kind: type) -> Any:
        """The first event of that kind, once it is there."""
        await until(lambda: any(isinstance(event, kind) for event in self.events))
        return next(event for event in self.events if isinstance(event, kind))


async def until(condition: Callable[[], object]) -> None:
    """Wait for what other tasks and threads do."""
    with trio.fail_after(PATIENCE):
        while not condition():
            await trio.sleep(0.002)  # between two looks at what threads do


@asynccontextmanager
async def working(
    store: Store,
    perform: Callable[[Attempt], Awaitable[dict[str, Any]]],
    directory: Path,
    *,
    concurrency: int = 3,
    drain_timeout: float = 0.0,
    pace: Pace = DEAF,
    release: Release | None = None,
) -> AsyncIterator[AtWork]:
    """It is cancelled at the end, unless it was drained."""
    happened: list[events.BridgeEvent] = []
    queue = Queue(
        store,
        perform,
        concurrency=concurrency,
        drain_timeout=drain_timeout,
        directory=directory,
        emit=happened.append,
        pace=pace,
        release=release,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        yield AtWork(queue, happened, nursery)
        nursery.cancel_scope.cancel()


class Gate:
    """Work that waits in the middle until it is let go."""

    def __init__(self) -> None:
        self.began: dict[str, trio.Event] = {}
        self.go = trio.Event()
        self.at_once = 0
        self.most_at_once = 0
        self.cancelled: list[tuple[str, int]] = []

    def of(self, job: str) -> trio.Event:
        return self.began.setdefault(job, trio.Event())

    async def begins(self, job: str) -> None:
        with trio.fail_after(PATIENCE):
            await self.of(job).wait()

    async def __call__(self, attempt: Attempt) -> dict[str, Any]:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        self.of(attempt.job.id).set()
        try:
            await self.go.wait()
        except trio.Cancelled:
            self.cancelled.append((attempt.job.id, attempt.job.fence))
            raise
        finally:
            self.at_once -= 1
        return {"fence": attempt.job.fence}
