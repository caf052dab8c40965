"""Every point at which a cancellation can fall while some want one pool, and some whichever is free first."""

from __future__ import annotations

import random
from typing import Any

import pytest
import trio
import trio._core._run as trio_run
from trio.testing import MockClock, wait_all_tasks_blocked

from bridge.errors import ShuttingDown
from bridge.pool import Contest, Pool, PoolSettings
from tests.bridge.pool.fakes import QUIET, Endpoint

WITHIN = 30.0
WORKERS = 7


class Crowd(trio.abc.Instrument):
    """Workers that acquire twice each, from either pool or from one; `strike` is cancelled or done after `step`."""

    def __init__(self, seed: int, strike: int | str, step: int) -> None:
        self.steps = 0
        self.problems: list[str] = []
        self._strike, self._step = strike, step
        self._dice = random.Random(seed)
        self._scopes = [trio.CancelScope() for _ in range(WORKERS)]
        self._watching = False
        self._order: list[int] = []
        self._asked = 0

    async def main(self) -> None:
        self._endpoints = [Endpoint(), Endpoint()]
        sizes = [self._dice.choice((1, 2)) for _ in range(2)]
        self._pools = [
            Pool(f"pool {number}", self._connector(endpoint), PoolSettings(**{**QUIET, "max_connections": size}))
            for number, (endpoint, size) in enumerate(zip(self._endpoints, sizes, strict=True))
        ]
        self._contest: Contest[Any] = Contest("any")
        with trio.move_on_after(WITHIN) as in_time:
            async with trio.open_nursery() as nursery:
                for pool in self._pools:
                    await nursery.start(pool.run)
                async with trio.open_nursery() as workers:
                    self._watching = True
                    for number in range(WORKERS):
                        workers.start_soon(self._work, number)
                await wait_all_tasks_blocked()
                self._watching = False
                self._judge()
                for pool in self._pools:
                    await pool.drain()
        if in_time.cancelled_caught:
            self.problems.append("somebody was stranded")

    def _connector(self, endpoint: Endpoint) -> Any:
        async def connect() -> Any:
            for _ in range(self._dice.randrange(3)):
                await trio.lowlevel.checkpoint()
            if self._dice.random() < 0.2:
                raise OSError("refused")
            return await endpoint.connect()

        return connect

    async def _work(self, number: int) -> None:
        plans = [(self._dice.randrange(3), self._dice.random() < 0.2, self._dice.randrange(4)) for _ in range(2)]
        with self._scopes[number]:
            for pauses, poisons, which in plans:
                try:
                    lease = await self._acquire(which)
                except ShuttingDown:
                    return
                with lease as connection:
                    connection.take()
                    connection.poisoned = True
                    try:
                        for _ in range(pauses):
                            await trio.lowlevel.checkpoint()
                        connection.poisoned = poisons
                    finally:
                        connection.give_back()

    async def _acquire(self, which: int) -> Any:
        if which < 2:
            return await self._pools[which].acquire()
        pool, lease = await self._contest.acquire(self._pools)
        assert pool.statistics().leased
        return lease

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if not self._watching:
            return
        self.steps += 1
        if self.steps == self._step:
            if isinstance(self._strike, int):
                self._scopes[self._strike].cancel()
            elif self._strike == "close":
                self._pools[0].close()
            else:
                self._pools[0].reconnect()

    def _judge(self) -> None:
        for pool, endpoint in zip(self._pools, self._endpoints, strict=True):
            now = pool.statistics()
            if now.leased or now.waiting or now.connecting or now.exclusivity_violations:
                self.problems.append(f"left over: {now}")
            if now.idle != len(endpoint.open):
                self.problems.append(f"{now}, but {len(endpoint.open)} are open")


def schedule(seed: int, strike: int | str = "nothing", step: int = -1) -> Crowd:
    before, state = trio_run._ALLOW_DETERMINISTIC_SCHEDULING, trio_run._r.getstate()
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True
    trio_run._r.seed(seed)
    random.seed(seed)
    crowd = Crowd(seed, strike, step)
    try:
        trio.run(crowd.main, clock=MockClock(autojump_threshold=0), instruments=[crowd])
    except Exception as error:  # noqa: BLE001  # any error is a finding
        crowd.problems.append(f"raised {error!r}")
    finally:
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = before
        trio_run._r.setstate(state)
    return crowd


def problems(seed: int, stride: int = 1) -> list[str]:
    plain = schedule(seed)
    found = [*plain.problems]
    for strike in (*range(WORKERS), "close", "reconnect"):
        for step in range(1 + seed % stride, plain.steps + 1, stride):
            found += [f"{strike} after {step}: {problem}" for problem in schedule(seed, strike, step).problems]
    return found


@pytest.mark.parametrize("seed", range(6))
def test_no_lease_is_lost_and_nobody_is_stranded_wherever_a_cancellation_falls(seed):
    assert problems(seed, stride=3) == []


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(6, 60))
def test_no_lease_is_lost_and_nobody_is_stranded_at_length(seed):
    assert problems(seed) == []
