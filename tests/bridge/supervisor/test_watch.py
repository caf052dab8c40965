"""What is done to a worker that is ready: it hangs, is too large, too old or idle, or its work cannot be stopped.

Each test has a real process, its instance with pool and health check, and the service that asks it.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from blender_addon.wire import Fault, Request
from bridge.config import WorkerSettings
from bridge.errors import BlenderLost, BlenderUnavailable, RequestError, error_from_fault
from bridge.events import ignore
from bridge.fleet import Fleet, Instance
from bridge.health import HealthLimits
from bridge.memory import MemoryBudget
from bridge.pool import PoolSettings
from bridge.service import Service
from bridge.status import Status
from bridge.supervisor.fresh import FreshSpawner
from bridge.supervisor.worker import Worker
from tests.bridge.line import until

SERVANT = Path(__file__).with_name("servant.py")
OFTEN = {"ping_interval": 0.1, "hung_after": 0.5}


class House:
    """A worker, its instance, and who asks it."""

    def __init__(self, tmp_path: Path, **settings) -> None:
        chosen = WorkerSettings(**{**OFTEN, **settings})
        spawner = FreshSpawner(lambda: [sys.executable, str(SERVANT)])
        self.worker = Worker("w", spawner, chosen, socket_path=tmp_path / "w.sock")
        self.instance = Instance(
            "w",
            self.worker.address,
            self.worker.open_stream,
            token=None,
            pool=PoolSettings(),
            memory=MemoryBudget(1 << 28).share(1 << 28),
            max_payload=1 << 24,
            cancel_grace=0.1,
            emit=ignore,
            health=HealthLimits(timeout=0.3),
        )
        self.worker.on_change = self.instance.changed
        self.worker.watch(self.instance.health, self.instance.pool)
        self.instance.health.starting = self.worker.starting
        self.instance.on_abandoned = self.worker.abandoned
        self.fleet = Fleet([self.instance])
        self.service = Service(self.fleet, Status(self.fleet), default_deadline=60.0, emit=ignore)

    async def ask(self, method: str, deadline: float | None = None, **params):
        """The result. Raises RequestError."""
        call = self.service.call(Request("r", method, deadline), json.dumps(params).encode())
        reply = await self.service.perform(call)
        body = json.loads(bytes(reply.payload))
        reply.drop()
        if not reply.ok:
            raise error_from_fault(Fault.from_object(body))
        return body

    async def looked_at(self, times: int) -> None:
        """Wait until its health has been checked so often."""
        for _ in range(times):
            before = self.instance.health.latest.value.checked_at
            await until(lambda before=before: self.instance.health.latest.value.checked_at != before)

    @property
    def phase(self) -> str:
        return self.worker.state.phase

    async def replaced(self, first: int) -> None:
        """Wait until another process is ready."""
        await until(lambda: self.phase == "ready" and self.worker.state.pid not in (None, first))


@asynccontextmanager
async def house(tmp_path: Path, **settings):
    built = House(tmp_path, **settings)
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(built.worker.run)
            await nursery.start(built.fleet.run)
            yield built
            nursery.cancel_scope.cancel()


async def test_one_that_answers_stays_whatever_it_does(tmp_path):
    async with house(tmp_path) as home:
        await home.worker.start()
        first = home.worker.state.pid
        with pytest.raises(RequestError):
            await home.ask("test.wait", deadline=2.0, name="never")
        assert (home.worker.state.pid, home.phase) == (first, "ready")


async def test_one_that_hangs_is_killed_and_replaced_and_its_late_answer_is_nobody_s(tmp_path):
    async with house(tmp_path) as home:
        await home.worker.start()
        first = home.worker.state.pid
        async with trio.open_nursery() as nursery:

            async def ask() -> None:
                with pytest.raises(BlenderLost) as caught:
                    await home.ask("test.wait", name="x")
                assert caught.value.outcome == "unknown"

            nursery.start_soon(ask)
            await until(lambda: (home.instance.health.latest.value.blender or {}).get("busy"))
            os.kill(first, signal.SIGSTOP)
            await until(lambda: home.phase != "ready")
            await home.replaced(first)
        assert await home.ask("test.echo", value=1) == {"value": 1}
        assert home.worker.state.restarts == 1


async def test_why_it_was_replaced_is_told_until_the_next_one_is_ready(tmp_path):
    async with house(tmp_path, max_restarts=0) as home:
        await home.worker.start()
        await home.looked_at(5)
        os.kill(home.worker.state.pid, signal.SIGSTOP)
        await until(lambda: home.phase == "failed")
        assert home.worker.state.last_error == "it hangs: it has not answered for 0.5 s"


async def test_one_whose_first_answer_does_not_come_is_not_ready_for_long(tmp_path):
    async with house(tmp_path, max_restarts=0, ready_timeout=0.5, hung_after=60.0) as home:
        home.instance.health._connect = trio.sleep_forever
        await until(lambda: home.phase == "failed")
        assert home.worker.state.last_error == "its first answer did not come within 0.5 s"


async def test_while_it_starts_its_health_is_unknown_and_no_failure(tmp_path):
    async with house(tmp_path, on_demand=True) as home:
        latest = home.instance.health.latest
        await until(lambda: latest.value.reason == "its worker is asleep")
        assert (latest.value.state, latest.value.failures, latest.value.unhealthy) == ("unknown", 0, False)
        await home.worker.start()
        await until(lambda: latest.value.state == "healthy")


async def test_a_sleeper_is_woken_by_a_request_and_by_nothing_else(tmp_path):
    async with house(tmp_path, on_demand=True) as home:
        await until(lambda: home.instance.pool.statistics().connect_failures > 1)
        home.instance.health.poke()
        await until(lambda: home.instance.health.latest.value.checked_at)
        assert home.phase == "asleep", "neither the pool nor the health check is a request"
        assert await home.ask("test.echo", value=1) == {"value": 1}


async def test_after_max_requests_it_is_replaced_between_two_requests(tmp_path):
    async with house(tmp_path, max_requests=3) as home:
        await home.worker.start()
        first = home.worker.state.pid
        for number in range(3):
            await home.ask("test.echo", value=number)
        await home.replaced(first)
        assert await home.ask("test.echo", value=4) == {"value": 4}
        assert (home.worker.state.restarts, home.worker.state.last_error) == (0, None)


async def test_under_load_max_requests_loses_no_request(tmp_path):
    async with house(tmp_path, max_requests=20) as home:
        pids = set()
        await home.worker.start()

        async def client() -> None:
            for number in range(60):
                assert await home.ask("test.echo", value=number) == {"value": number}
                pids.add(home.worker.state.pid)
                await trio.sleep(0.02)  # a pace, no synchronisation

        async with trio.open_nursery() as nursery:
            for _ in range(6):
                nursery.start_soon(client)
    assert len(pids) > 1


async def test_one_that_is_too_large_is_replaced(tmp_path):
    (tmp_path / "large").touch()
    async with house(tmp_path, max_memory=100 << 20) as home:
        await until(lambda: home.worker.state.pid)
        first = home.worker.state.pid
        await home.worker.start()
        (tmp_path / "large").unlink()
        await home.replaced(first)


@pytest.mark.parametrize("limit", [{"max_requests": 1}, {"max_memory": 1}, {"idle_exit": 0.2}])
async def test_nothing_is_done_to_one_with_unsaved_changes(tmp_path, limit):
    (tmp_path / "dirty").touch()
    async with house(tmp_path, **limit) as home:
        await home.worker.start()
        first = home.worker.state.pid
        await home.ask("test.echo")
        await home.looked_at(6)
        assert (home.worker.state.pid, home.phase) == (first, "ready")
        assert await home.ask("test.echo", value=2) == {"value": 2}
        (tmp_path / "dirty").unlink()
        await until(lambda: home.worker.state.pid != first)


async def test_idle_for_long_it_goes_to_sleep_until_it_is_wanted(tmp_path):
    async with house(tmp_path, idle_exit=0.5) as home:
        await home.ask("test.echo")
        first = home.worker.state.pid
        await until(lambda: home.phase == "asleep")
        assert home.worker.state.pid is None
        assert await home.ask("test.echo", value=2) == {"value": 2}
        assert home.worker.state.pid != first


@pytest.mark.parametrize(("hold", "state"), [("pause", "paused"), ("park", "drained")])
async def test_one_that_somebody_holds_is_left_alone(tmp_path, hold, state):
    async with house(tmp_path, idle_exit=0.2) as home:
        await home.worker.start()
        getattr(home.instance.pool, hold)()
        first = home.worker.state.pid
        await home.looked_at(6)
        assert (home.worker.state.pid, home.instance.pool.statistics().state) == (first, state)


async def test_work_that_cannot_be_stopped_is_ended_with_its_process_and_what_waits_behind_it_did_not_run(tmp_path):
    async with house(tmp_path, hard_cancel=True, hard_cancel_grace=0.5) as home:
        await home.worker.start()
        first = home.worker.state.pid
        outcomes = []

        async def behind() -> None:
            with pytest.raises(BlenderUnavailable) as caught:
                await home.ask("test.echo", value="behind")
            outcomes.append((caught.value.outcome, caught.value.retryable))

        async with trio.open_nursery() as nursery:

            async def stubborn() -> None:
                with pytest.raises(RequestError) as caught:
                    await home.ask("test.wait", deadline=0.5, name="x", stubborn=True)
                assert (caught.value.code, caught.value.outcome) == ("timeout", "unknown")

            nursery.start_soon(stubborn)
            await until(lambda: (home.instance.health.latest.value.blender or {}).get("running"))
            for _ in range(3):
                nursery.start_soon(behind)
            await until(lambda: (home.instance.health.latest.value.blender or {}).get("queued") == 3)
        await home.replaced(first)
        assert outcomes == [("not_executed", True)] * 3
        assert await home.ask("test.echo", value=5) == {"value": 5}
        assert (home.worker.state.restarts, home.worker.state.last_error) == (0, None)


async def test_work_that_ends_within_the_grace_costs_nothing(tmp_path):
    async with house(tmp_path, hard_cancel=True, hard_cancel_grace=30.0) as home:
        await home.worker.start()
        first = home.worker.state.pid
        with pytest.raises(RequestError):
            await home.ask("test.linger", deadline=0.3, seconds=1.5)
        assert await home.ask("test.echo", value=1) == {"value": 1}
        await home.looked_at(3)
        assert home.worker.state.pid == first


async def test_without_hard_cancel_nobody_is_killed(tmp_path):
    async with house(tmp_path, hard_cancel_grace=0.1) as home:
        await home.worker.start()
        first = home.worker.state.pid
        with pytest.raises(RequestError):
            await home.ask("test.wait", deadline=0.3, name="x", stubborn=True)
        await home.looked_at(8)
        assert home.worker.state.pid == first
