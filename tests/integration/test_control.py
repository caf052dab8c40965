"""Control of a pool while requests go through it to a real Blender: nothing is lost, and order is kept."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
import trio

from bridge.client import AsyncClient, Client
from bridge.errors import TimedOut

from .serving import PATIENCE, Served, environment, until

pytestmark = pytest.mark.blender

CALLERS, TURNS = 16, 30
WORK = "import time\ntime.sleep(0.001)\nresult = {}"


@pytest.fixture
def operator(shared: Served) -> Iterator[Client]:
    """A client of the shared bridge; at the end the pool is as it was."""
    with shared.client() as client:
        usual = client.call("bridge.pools").value[0]["max_connections"]
        yield client
        client.call("bridge.resize", {"max_connections": usual})
        client.call("bridge.resume")


def accepted(shared: Served) -> int:
    """How many connections Blender has, the health check's own among them."""
    path = str(shared.home / "worker-default.sock")
    return sum(found.laddr == path for found in shared.worker().net_connections("unix")) - 1  # it listens on one


def assert_nothing_is_lost_during(control: Callable[[AsyncClient], Awaitable[None]], shared: Served) -> None:
    """16 callers call while `control` has its turns, TURNS at least; each request gets its own answer."""
    asked: list[list[int]] = []
    answered: list[list[int]] = []
    turns = 0

    async def caller(client: AsyncClient, number: int) -> None:
        while turns < TURNS:
            asked.append([number, len(asked)])
            said = await client.call("code.execute", {"code": WORK.format(asked[-1])})
            answered.append(said.value["result"])

    async def keep_controlling(client: AsyncClient) -> None:
        nonlocal turns
        while turns < TURNS:
            await control(client)
            turns += 1

    async def main() -> None:
        with trio.fail_after(2 * PATIENCE):
            async with AsyncClient(shared.address) as client, AsyncClient(shared.address) as operator:
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(keep_controlling, operator)
                    for number in range(CALLERS):
                        nursery.start_soon(caller, client, number)

    trio.run(main)
    assert sorted(answered) == sorted(asked)
    assert len(answered) > 2 * CALLERS


def test_drained_blender_has_no_connection_of_the_pool_and_after_resume_calls_work(shared, operator):
    operator.call("code.execute", {"code": "result = 1"})
    until(lambda: accepted(shared) > 1)
    assert operator.call("bridge.drain").value["state"] == "drained"
    until(lambda: accepted(shared) == 1)
    with pytest.raises(TimedOut) as caught:
        operator.call("code.execute", {"code": "result = 2"}, timeout=0.2)
    assert caught.value.outcome == "not_executed"
    assert operator.call("bridge.resume").value["state"] == "open"
    assert operator.call("code.execute", {"code": "result = 3"}).value["result"] == 3


def test_a_drain_waits_for_the_request_that_runs(shared, operator, tmp_path):
    gate, begun = tmp_path / "gate", tmp_path / "begun"
    code = f"""
import os, time
open({str(begun)!r}, "w").close()
while not os.path.exists({str(gate)!r}):
    time.sleep(0.01)
result = "whole"
"""
    results: list[Any] = []

    async def main() -> None:
        async def run(client: AsyncClient) -> None:
            results.append((await client.call("code.execute", {"code": code})).value["result"])

        async def drain(client: AsyncClient) -> None:
            results.append((await client.call("bridge.drain")).value["state"])

        with trio.fail_after(PATIENCE):
            async with AsyncClient(shared.address) as client, trio.open_nursery() as nursery:
                nursery.start_soon(run, client)
                while not begun.exists():
                    await trio.sleep(0.01)  # between two looks at another process
                nursery.start_soon(drain, client)
                while (await client.call("bridge.pools")).value[0]["state"] != "draining":
                    await trio.sleep(0.01)  # the same
                assert results == []
                gate.touch()

    trio.run(main)
    assert sorted(results) == ["drained", "whole"]


def test_a_paused_pool_holds_requests_and_serves_them_in_order_after_resume(shared, operator):
    """With one connection: Blender's own queue then has no part in the order."""
    code = "import builtins\nbuiltins.order = [*getattr(builtins, 'order', ()), {}]\nresult = builtins.order"
    operator.call("code.execute", {"code": "import builtins\nbuiltins.order = []"})
    operator.call("bridge.resize", {"max_connections": 1})
    assert operator.call("bridge.pause").value["state"] == "paused"

    async def main() -> None:
        with trio.fail_after(PATIENCE):
            async with AsyncClient(shared.address) as client, trio.open_nursery() as nursery:
                for number in range(12):
                    nursery.start_soon(client.call, "code.execute", {"code": code.format(number)})
                    while (await client.call("bridge.pools")).value[0]["waiting"] <= number:
                        await trio.sleep(0.002)  # between two looks at another process
                seen = await client.call("bridge.resume")
                assert seen.value["state"] == "open"

    trio.run(main)
    assert operator.call("code.execute", {"code": code.format(12)}).value["result"] == list(range(13))


def test_resized_up_and_down_under_load_no_request_is_lost(shared, operator):
    sizes = itertools.cycle([1, 8, 2, 16, 1, 4])

    async def control(client: AsyncClient) -> None:
        size = next(sizes)
        pool = (await client.call("bridge.resize", {"max_connections": size})).value
        assert pool["max_connections"] == size
        # It stands behind all that wait already: the change is felt before the next one.
        await client.call("code.execute", {"code": "pass"})

    assert_nothing_is_lost_during(control, shared)
    now = operator.call("bridge.resize", {"max_connections": 2}).value
    assert now["exclusivity_violations"] == 0
    until(lambda: accepted(shared) <= 2 + 1)


def test_reconnected_under_load_no_request_is_lost(shared, operator):
    before = operator.call("bridge.pools").value[0]["generation"]

    async def control(client: AsyncClient) -> None:
        await client.call("bridge.reconnect")
        await client.call("code.execute", {"code": "pass"})

    assert_nothing_is_lost_during(control, shared)
    assert operator.call("bridge.pools").value[0]["generation"] == before + TURNS


def test_drained_and_resumed_under_load_no_request_is_lost(shared, operator):
    async def control(client: AsyncClient) -> None:
        drained = (await client.call("bridge.drain")).value
        assert (drained["state"], drained["leased"], drained["idle"]) == ("drained", 0, 0)
        await client.call("bridge.resume")
        await client.call("code.execute", {"code": "pass"})

    assert_nothing_is_lost_during(control, shared)


def test_the_command_line_controls_the_running_bridge(shared, operator):
    def pool(*argv: str) -> str:
        command = [sys.executable, "-m", "bridge", "pool", *argv, "--bridge", shared.address]
        environ = environment(shared.home)
        return subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=True).stdout

    assert pool("pause") == "default: paused; 0 leased, 0 waiting, of 4\n"
    assert pool("resize", "2") == "default: paused; 0 leased, 0 waiting, of 2\n"
    assert pool("drain", "--timeout", "30") == "default: drained; 0 leased, 0 waiting, of 2\n"
    assert pool("show").splitlines()[1].split()[:3] == ["default", "drained", "0/2"]
    assert pool("resume") == "default: open; 0 leased, 0 waiting, of 2\n"
