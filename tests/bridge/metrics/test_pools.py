"""What the pools hold, and what became of acquires and connections."""

from __future__ import annotations

from typing import get_args

import trio

from bridge import events
from bridge.metrics import Metrics
from bridge.pool import PoolSettings
from tests.bridge.line import bridge, until

from .scrape import Page, page_of, tell

STATES = ("idle", "leased", "connecting", "checking")
OUTCOMES = {"ok", "busy", "timeout", "cancelled", "closed", "unavailable", "shared"}


def connections(page: Page, instance: str = "default") -> dict[str, float]:
    return {state: page("bpy_bridge_pool_connections", instance=instance, state=state) for state in STATES}


async def test_all_series_of_an_instance_are_there_before_anything_has_happened(wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(warm=0)) as line:
        page = Page(Metrics(line.fleet, line.service.status))
        prefix = "bpy_bridge_pool_"
        assert page.labels(f"{prefix}acquires_total", "outcome") == OUTCOMES
        assert page.labels(f"{prefix}discarded_total", "reason") == set(get_args(events.DiscardReason))
        for name in ("wait", "use", "connect"):
            assert page(f"{prefix}{name}_seconds_count", instance="default") == 0
        assert page(f"{prefix}exclusivity_violations_total", instance="default") == 0
        assert page(f"{prefix}connect_failures_total", instance="default") == 0
        ours = [sample for sample in page.samples if sample.name.startswith(prefix)]
        assert {sample.labels["instance"] for sample in ours} == {"default"}
        assert sum(sample.value for sample in ours) == page(f"{prefix}max_connections", instance="default") == 4


async def test_an_instance_that_comes_later_has_its_series_too(wires, listen):
    async with bridge({**wires, "late": wires["default"]}, listen) as line:
        late = line.fleet.instances.pop("late")
        metrics = Metrics(line.fleet, line.service.status)
        assert Page(metrics).labels("bpy_bridge_pool_acquires_total", "instance") == {"default"}
        line.fleet.instances["late"] = late
        assert Page(metrics).labels("bpy_bridge_pool_acquires_total", "instance") == {"default", "late"}


async def test_the_page_shows_who_holds_and_who_waits_now(wires, listen, blender):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=2)) as line:
        tool = await line.tool()
        for number in range(5):
            await tool.send(f"r{number}", "test.wait", {"name": "gate"})
        await until(lambda: (line.pool().leased, line.pool().waiting) == (2, 3))
        await until(lambda: line.pool().oldest_wait > 0)
        page = page_of(line)
        assert connections(page) == {"idle": 0, "leased": 2, "connecting": 0, "checking": 0}
        assert page("bpy_bridge_pool_max_connections", instance="default") == 2
        assert page("bpy_bridge_pool_waiters", instance="default") == 3
        assert 0 < page("bpy_bridge_pool_oldest_wait_seconds", instance="default") <= line.pool().oldest_wait
        blender.gates["gate"].set()


async def test_a_connection_whose_other_side_has_gone_is_not_counted(wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(warm=0)) as line:
        tool = await line.tool()
        await tool.call("r1", "test.echo")
        assert connections(page_of(line))["idle"] == 1
        wires["default"].cut()
        assert connections(page_of(line))["idle"] == 0
        assert page_of(line)("bpy_bridge_pool_discarded_total", instance="default", reason="broken") == 1


async def test_grants_and_uses_are_counted_and_timed(wires, listen):
    async with bridge(wires, listen) as line:
        tool = await line.tool()
        for number in range(3):
            await tool.call(f"r{number}", "test.echo")
        page = page_of(line)
        assert page("bpy_bridge_pool_acquires_total", instance="default", outcome="ok") == 3
        assert page("bpy_bridge_pool_wait_seconds_count", instance="default") == 3
        assert page("bpy_bridge_pool_use_seconds_count", instance="default") == 3
        assert page("bpy_bridge_pool_use_seconds_sum", instance="default") > 0
        assert page("bpy_bridge_pool_connect_seconds_count", instance="default") == 1
        assert page("bpy_bridge_pool_connect_seconds_sum", instance="default") > 0


async def test_failed_acquires_are_counted_by_outcome_and_their_wait_is_too(wires, listen):
    async with bridge(wires, listen) as line:
        refused = [events.LeaseRefused("default", outcome, 2.0) for outcome in sorted(OUTCOMES - {"ok"})]
        page = tell(Metrics(line.fleet, line.service.status), [*refused, events.LeaseGranted("default", 0.0)])
        for outcome in OUTCOMES:
            assert page("bpy_bridge_pool_acquires_total", instance="default", outcome=outcome) == 1
        assert page.buckets("bpy_bridge_pool_wait_seconds", instance="default") == {"5e-05": 1, "2.5": len(OUTCOMES)}
        assert page("bpy_bridge_pool_wait_seconds_sum", instance="default") == 2.0 * len(OUTCOMES - {"ok"})


async def test_attempts_that_fail_and_connections_that_close_are_counted(wires, listen):
    async with bridge({**wires, "gone": type(wires["default"])(None)}, listen, pool=PoolSettings(warm=0)) as line:
        seen = [events.ConnectFailed("gone", "nobody listens", 1), events.ConnectFailed("gone", "nobody listens", 2)]
        closed = [events.ConnectionDiscarded("default", "poisoned")]
        page = tell(Metrics(line.fleet, line.service.status), [*seen, *closed])
        assert page("bpy_bridge_pool_connect_failures_total", instance="gone") == 2
        assert page("bpy_bridge_pool_connect_failures_total", instance="default") == 0
        assert page("bpy_bridge_pool_discarded_total", instance="default", reason="poisoned") == 1
        assert page("bpy_bridge_pool_discarded_total", instance="default", reason="idle") == 0


async def test_a_prevented_double_lend_shows(wires, listen):
    async with bridge(wires, listen) as line:
        line.fleet.instances["default"].pool._ledger._supply.violations = 1
        assert page_of(line)("bpy_bridge_pool_exclusivity_violations_total", instance="default") == 1


async def test_every_sample_is_consistent_while_64_callers_are_busy(wires, listen):
    async with bridge(wires, listen, pool=PoolSettings(max_connections=3)) as line:
        metrics = Metrics(line.fleet, line.service.status)
        pages: list[Page] = []

        async def call_often() -> None:
            tool = await line.tool()
            for turn in range(5):
                await tool.call(f"r{turn}", "test.echo")
                pages.append(Page(metrics))

        async with trio.open_nursery() as nursery:
            for _ in range(64):
                nursery.start_soon(call_often)
        assert any(page("bpy_bridge_pool_waiters", instance="default") for page in pages)
        for page in pages:
            held = connections(page)
            assert sum(held.values()) <= page("bpy_bridge_pool_max_connections", instance="default")
            assert not (held["idle"] and page("bpy_bridge_pool_waiters", instance="default"))
