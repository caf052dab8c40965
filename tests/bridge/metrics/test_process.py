"""The bridge itself: version, clients, background errors, lag."""

from __future__ import annotations

import os
import sys

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import __version__
from bridge.events import BackgroundError
from bridge.fleet import Fleet
from bridge.metrics import Metrics
from bridge.metrics.process import LAG_INTERVAL, MAX_TASKS
from bridge.status import Status
from tests.bridge.line import bridge

from .scrape import Page, page_of, tell, without_instances

ERRORS = "bpy_bridge_background_errors_total"


async def test_the_version_is_a_label():
    assert Page(without_instances())("bpy_bridge_info", version=__version__) == 1


async def test_open_client_connections_are_counted():
    fleet = Fleet([])
    status = Status(fleet)
    metrics = Metrics(fleet, status)
    with status.client(), status.client():
        assert Page(metrics)("bpy_bridge_client_connections") == 2
    assert Page(metrics)("bpy_bridge_client_connections") == 0


async def test_a_tool_s_connection_is_one(wires, listen):
    async with bridge(wires, listen) as line:
        await line.tool()
        assert page_of(line)("bpy_bridge_client_connections") == line.door.clients == 1


async def test_background_errors_count_for_their_task():
    page = tell(without_instances(), [BackgroundError("pool a", "x"), BackgroundError("pool b", "x")] * 2)
    assert {page(ERRORS, task="pool a"), page(ERRORS, task="pool b")} == {2}


async def test_tasks_are_bounded():
    failed = [BackgroundError(f"task {number}", "x") for number in range(MAX_TASKS + 7)]
    page = tell(without_instances(), failed)
    assert page(ERRORS, task="other") == 7
    assert page(ERRORS, task="task 0") == 1


async def test_lag_is_how_late_the_loop_wakes_a_sleeper(mock_clock):
    metrics = without_instances()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(metrics.watch_loop)
        for late in (0.0, 0.2):
            await wait_all_tasks_blocked()
            mock_clock.jump(LAG_INTERVAL + late)
        await wait_all_tasks_blocked()
        nursery.cancel_scope.cancel()
    page = Page(metrics)
    assert page.buckets("bpy_bridge_event_loop_lag_seconds") == {"5e-05": 1, "0.25": 2}
    assert page("bpy_bridge_event_loop_lag_seconds_sum") == pytest.approx(0.2)


@pytest.mark.skipif(sys.platform != "linux", reason="prometheus_client reads /proc")
async def test_the_process_s_own_series_are_this_process():
    page = Page(without_instances())
    assert page("process_resident_memory_bytes") > 1 << 20
    assert page("process_open_fds") <= len(os.listdir("/proc/self/fd")) + 1
