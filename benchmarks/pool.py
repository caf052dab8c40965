"""The pool alone, against trio.CapacityLimiter, which counts tokens and knows nothing of connections."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from statistics import quantiles
from time import perf_counter

import trio
import trio.testing

from benchmarks.harness import ratio, row, timed
from bridge.pool import Pool, PoolSettings

SIZE = 4


class Socket:
    """A connection that does nothing, so that only the pool is timed."""

    poisoned = False

    def usable(self) -> bool:
        return True

    async def check(self) -> None:
        return None

    async def aclose(self) -> None:
        return None

    def abort(self) -> None:
        return None


async def _connect() -> Socket:  # noqa: ASYNC124  # as a pool asks for it
    return Socket()


def _with_pool(settings: PoolSettings, use: Callable[[Pool[Socket]], Awaitable[float]]) -> float:
    async def main() -> float:
        pool = Pool("bench", _connect, settings)
        async with trio.open_nursery() as nursery:
            await nursery.start(pool.run)
            with await pool.acquire():
                pass  # the first connection is open from here on
            seconds = await use(pool)
            await pool.drain()
        return seconds

    return trio.run(main)


async def _pool_alone(pool: Pool[Socket]) -> float:
    start = perf_counter()
    for _ in range(10_000):
        with await pool.acquire():
            pass
    return perf_counter() - start


async def _limiter_alone() -> float:
    limiter = trio.CapacityLimiter(SIZE)
    start = perf_counter()
    for _ in range(10_000):
        async with limiter:
            pass
    return perf_counter() - start


@row("pool acquire + release, uncontended, to trio.CapacityLimiter", limit=1.0)
def uncontended() -> float:
    settings = PoolSettings(max_connections=SIZE, acquire_timeout=30)
    return ratio(lambda: _with_pool(settings, _pool_alone), lambda: trio.run(_limiter_alone))


async def _crowd(worker: Callable[[], Awaitable[None]], tasks: int = 64) -> float:
    start = perf_counter()
    async with trio.open_nursery() as nursery:
        for _ in range(tasks):
            nursery.start_soon(worker)
    return perf_counter() - start


async def _pool_crowded(pool: Pool[Socket]) -> float:
    async def worker() -> None:
        for _ in range(100):
            with await pool.acquire():
                await trio.lowlevel.checkpoint()

    return await _crowd(worker)


async def _limiter_crowded() -> float:
    limiter: AbstractAsyncContextManager[None] = trio.CapacityLimiter(SIZE)

    async def worker() -> None:
        for _ in range(100):
            async with limiter:
                await trio.lowlevel.checkpoint()

    return await _crowd(worker)


@row("pool acquire + release, 64 tasks on 4 connections, with deadlines, to trio.CapacityLimiter without", limit=2.0)
def contended() -> float:
    settings = PoolSettings(max_connections=SIZE, acquire_timeout=30)
    return ratio(lambda: _with_pool(settings, _pool_crowded), lambda: trio.run(_limiter_crowded))


def _queue_of(waiters: int, total: int = 10_000) -> float:
    """Seconds that `total` tasks take, of which `waiters` at a time stand in the queue."""

    async def use(pool: Pool[Socket]) -> float:
        async def waiter() -> None:
            for _ in range(2):  # the second time it joins the queue at its full length
                with await pool.acquire():
                    pass

        seconds = 0.0
        for _ in range(total // waiters):
            async with trio.open_nursery() as nursery:
                with await pool.acquire():
                    for _ in range(waiters):
                        nursery.start_soon(waiter)
                    await trio.testing.wait_all_tasks_blocked()
                    start = perf_counter()
            seconds += perf_counter() - start
        return seconds

    return _with_pool(PoolSettings(max_connections=1, max_waiting=waiters, acquire_timeout=30), use)


@row("cost of an operation at 10 000 waiters, to that at 16", limit=1.3)
def depth() -> float:
    return ratio(lambda: _queue_of(10_000), lambda: _queue_of(16), rounds=7)


@row("acquire, uncontended, p99", limit=1.0, unit="ms")
def slowest() -> float:
    async def use(pool: Pool[Socket]) -> float:
        times = []
        for _ in range(20_000):
            start = perf_counter()
            lease = await pool.acquire()
            times.append(perf_counter() - start)
            lease.release()
        return quantiles(times, n=100)[98]

    return timed(lambda: _with_pool(PoolSettings(max_connections=SIZE, acquire_timeout=30), use)) * 1000
