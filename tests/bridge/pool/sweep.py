"""Exhaustive injection: each schedule cancels one task, or does one act of control, after one scheduler step.

`schedule` runs a small crowd on a pool with a seeded scheduler. Called for every victim and every step, it visits each
point at which a cancellation can fall. What must hold is checked after every single step and when all is quiet.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import trio
import trio._core._run as trio_run
from trio.testing import MockClock, wait_all_tasks_blocked

from bridge import events
from bridge.errors import ShuttingDown
from bridge.pool import PoolSettings
from tests.bridge.pool.fakes import QUIET, Endpoint

WITHIN = 30.0
"""Virtual seconds: more than all retries take. Who is not served by then never is."""


@dataclass(frozen=True)
class Plan:
    """One schedule: after `step`, cancel a worker by its number, or the pool's run, or do an act of control."""

    size: int
    seed: int
    strike: int | str = "nothing"
    step: int = -1


@dataclass
class Outcome:
    steps: int = 0
    problems: list[str] = field(default_factory=list)


CONTROL = ("cancel the run", "close", "reconnect", "pause", "park", "shrink")


def schedules(
    sizes: range, seeds: range, pool_class: Callable[..., Any], stride: int = 1, control: tuple[str, ...] = CONTROL
) -> Iterator[Plan]:
    """All of them for these sizes and seeds; the number of steps is found by one run that nothing disturbs."""
    for size in sizes:
        for seed in seeds:
            plain = Plan(size, seed)
            yield plain
            steps = schedule(pool_class, plain).steps
            for strike in (*range(size + 3), *control):
                for step in range(1 + (seed + len(str(strike))) % stride, steps + 1, stride):
                    yield Plan(size, seed, strike, step)


def schedule(pool_class: Callable[..., Any], plan: Plan) -> Outcome:
    """Run one; its `problems` are empty where everything held."""
    before = trio_run._ALLOW_DETERMINISTIC_SCHEDULING
    state = trio_run._r.getstate()
    trio_run._ALLOW_DETERMINISTIC_SCHEDULING = True
    trio_run._r.seed(plan.seed)
    random.seed(plan.seed)
    crowd = Crowd(pool_class, plan)
    try:
        trio.run(crowd.main, clock=MockClock(autojump_threshold=0), instruments=[crowd])
    except Exception as error:  # noqa: BLE001  # any error is a finding
        crowd.problem(f"raised {error!r}")
    finally:
        trio_run._ALLOW_DETERMINISTIC_SCHEDULING = before
        trio_run._r.setstate(state)
    return crowd.outcome


class Crowd(trio.abc.Instrument):
    """size + 3 workers; each acquires twice, works for some steps, and now and then leaves a poisoned connection."""

    def __init__(self, pool_class: Callable[..., Any], plan: Plan) -> None:
        self.outcome = Outcome()
        self._pool_class = pool_class
        self._plan = plan
        self._dice = random.Random(plan.seed)
        self._scopes: dict[int | str, trio.CancelScope] = {}
        self._watching = False
        self._arrivals = 0
        self._asking: dict[trio.lowlevel.Task, int] = {}
        self._scheduled: dict[int, int] = {}
        self._grants: list[tuple[int, int]] = []
        self._clock = 0

    def problem(self, text: str) -> None:
        self.outcome.problems.append(f"{self._plan}: {text}")

    # the script

    async def main(self) -> None:
        plan = self._plan
        self._endpoint = Endpoint()
        settings = PoolSettings(**{**QUIET, "max_connections": plan.size, "warm": plan.seed % 2})
        self._pool = self._pool_class("blender", self._connect, settings, self._emit)
        self._emitted: list[Any] = []
        with trio.move_on_after(WITHIN) as in_time:
            async with trio.open_nursery() as nursery:
                self._scopes["cancel the run"] = trio.CancelScope()
                nursery.start_soon(self._run_pool)
                async with trio.open_nursery() as workers:
                    self._watching = True
                    for number in range(plan.size + 3):
                        self._scopes[number] = trio.CancelScope()
                        workers.start_soon(self._work, number)
                await wait_all_tasks_blocked()
                self._watching = False
                self._pool.resume()  # the script may be over before the second is
                await wait_all_tasks_blocked()
                self._judge_quiet()
                await self._pool.drain()
        if in_time.cancelled_caught:
            self.problem("somebody was stranded")
        elif self._endpoint.open:
            self.problem(f"left open: {self._endpoint.open}")

    async def _run_pool(self) -> None:
        with self._scopes["cancel the run"]:
            await self._pool.run()

    async def _connect(self) -> Any:
        pauses, fails = self._dice.randrange(3), self._dice.random() < 0.2
        for _ in range(pauses):
            await trio.lowlevel.checkpoint()
        if fails:
            raise OSError("refused")
        return await self._endpoint.connect()

    async def _work(self, number: int) -> None:
        plans = [(self._dice.randrange(3), self._dice.random() < 0.2) for _ in range(2)]
        with self._scopes[number]:
            for pauses, poisons in plans:
                try:
                    lease = await self._acquire()
                except ShuttingDown:
                    return  # the victim is the pool
                connection = lease.connection
                try:
                    connection.take()
                    connection.poisoned = True
                    for _ in range(pauses):
                        await trio.lowlevel.checkpoint()
                    connection.poisoned = poisons
                finally:
                    connection.give_back()
                    released = lease.release()
                    if released is not None:
                        await released

    async def _acquire(self) -> Any:
        task = trio.lowlevel.current_task()
        self._arrivals += 1
        arrival = self._asking[task] = self._arrivals
        try:
            lease = await self._pool.acquire()
        finally:
            del self._asking[task]
        self._clock += 1
        self._grants.append((self._scheduled.get(arrival, self._clock), arrival))
        return lease

    def _emit(self, event: Any) -> None:
        self._emitted.append(event)

    # the watch

    def task_scheduled(self, task: trio.lowlevel.Task) -> None:
        if task in self._asking:
            self._clock += 1
            self._scheduled[self._asking[task]] = self._clock

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        if not self._watching:
            return
        self.outcome.steps += 1
        try:
            self._strike(self.outcome.steps - self._plan.step)
        except Exception as error:  # noqa: BLE001  # trio would only log it, and watch no more
            self.problem(f"{self._plan.strike} raised {error!r}")
        now = self._pool.statistics()
        if now.idle + now.leased + now.connecting + now.checking > self._plan.size:
            self.problem(f"too many sockets: {now}")
        if now.idle and now.waiting and now.state != "paused":
            self.problem(f"an idle one beside a waiter: {now}")

    def _strike(self, steps_since: int) -> None:
        match self._plan.strike, steps_since:
            case ("nothing", _):
                pass
            case ("close", 0):
                self._pool.close()
            case ("reconnect", 0):
                self._pool.reconnect()
            case ("pause", 0):
                self._pool.pause()
                trio.lowlevel.spawn_system_task(self._a_second_later, self._pool.resume)
            case ("park", 0):
                self._pool.park()
                trio.lowlevel.spawn_system_task(self._a_second_later, self._pool.resume)
            case ("shrink", 0):
                self._pool.resize(max(1, self._plan.size - 1))
                trio.lowlevel.spawn_system_task(self._a_second_later, self._pool.resize, self._plan.size)
            case (victim, 0) if victim in self._scopes:
                self._scopes[victim].cancel()

    async def _a_second_later(self, act: Callable[..., None], *arguments: int) -> None:
        await trio.sleep(1)
        act(*arguments)

    def _judge_quiet(self) -> None:
        now = self._pool.statistics()
        if now.leased or now.waiting or now.connecting or now.checking:
            self.problem(f"left over: {now}")
        if now.idle != len(self._endpoint.open):
            self.problem(f"{now}, but {len(self._endpoint.open)} are open")
        order = [arrival for _, arrival in sorted(self._grants)]
        if order != sorted(order):
            self.problem(f"served out of order: {order}")
        violated = [event for event in self._emitted if isinstance(event, events.ExclusivityViolated)]
        if violated or now.exclusivity_violations:
            self.problem("exclusivity was violated")
