"""bridge.workers and the methods that start, stop and restart them."""

from __future__ import annotations

import pytest

from bridge import methods
from bridge.errors import Refused
from bridge.supervisor import Supervisor
from tests.bridge.supervisor.standin import GOOD, make


def context(supervisor):
    return methods.Context(None, None, None, 0.0, None, None, "c1", None, supervisor)


async def run(method, supervisor, **arguments):
    result = methods.CATALOGUE.find(method).run(context(supervisor), arguments)
    return await result if hasattr(result, "__await__") else result


async def test_a_worker_is_listed_started_restarted_and_stopped_by_its_name(tmp_path, nursery):
    supervisor = Supervisor()
    supervisor.add(make(tmp_path, GOOD, on_demand=True))
    await nursery.start(supervisor.run)
    [asleep] = await run("bridge.workers", supervisor)
    assert (asleep["name"], asleep["phase"], asleep["pid"]) == ("w", "asleep", None)
    [started] = await run("bridge.worker_start", supervisor, name="w")
    assert started["phase"] == "ready"
    [again] = await run("bridge.worker_restart", supervisor, name="w")
    assert again["phase"] == "ready"
    assert again["pid"] != started["pid"]
    [stopped] = await run("bridge.worker_stop", supervisor, name="w")
    assert (stopped["phase"], stopped["pid"]) == ("stopped", None)


async def test_a_bridge_that_starts_no_blenders_says_so():
    with pytest.raises(Refused, match="starts no Blenders") as caught:
        await run("bridge.workers", None)
    assert caught.value.code == "forbidden"
