"""What the probes found, for each instance."""

from __future__ import annotations

import pytest

from bridge.events import ProbeFinished
from bridge.metrics import Metrics
from tests.bridge.line import bridge

from .scrape import Page, tell

CHECKS = "bpy_bridge_health_checks_total"
STATES = {"unknown", "healthy", "busy", "unresponsive", "unreachable"}


@pytest.fixture
async def metrics(wires, listen):
    async with bridge(wires, listen) as line:
        yield Metrics(line.fleet, line.service.status)


def probed(state, failures: int = 0, at: float = 1_700_000_000.5) -> ProbeFinished:
    return ProbeFinished("default", state, "so it is", 0.001, failures, at)


def state_of(page: Page) -> str:
    [state] = [s.labels["state"] for s in page.samples if s.name == "bpy_bridge_health_state" and s.value == 1]
    return state


async def test_before_the_first_probe_nothing_is_known_and_every_result_is_at_0(metrics):
    page = Page(metrics)
    assert state_of(page) == "unknown"
    assert page.labels("bpy_bridge_health_state", "state") == STATES
    assert page.labels(CHECKS, "result") == STATES - {"unknown"}
    assert {s.value for s in page.samples if s.name == CHECKS} == {0}
    assert page("bpy_bridge_health_consecutive_failures", instance="default") == 0
    assert page("bpy_bridge_health_last_success_timestamp_seconds", instance="default") == 0


async def test_each_probe_counts_for_its_result_and_the_last_is_the_state(metrics):
    page = tell(metrics, [probed("healthy"), probed("busy"), probed("healthy")])
    assert page(CHECKS, instance="default", result="healthy") == 2
    assert page(CHECKS, instance="default", result="busy") == 1
    assert state_of(page) == "healthy"


async def test_failures_in_a_row_are_shown_and_leave_the_last_success_where_it_was(metrics):
    page = tell(metrics, [probed("busy", at=100.0), probed("unreachable", 1, 200.0), probed("unresponsive", 2, 300.0)])
    assert page("bpy_bridge_health_consecutive_failures", instance="default") == 2
    assert page("bpy_bridge_health_last_success_timestamp_seconds", instance="default") == 100.0
    assert state_of(page) == "unresponsive"


async def test_recovery_ends_them(metrics):
    page = tell(metrics, [probed("unreachable", 1, 100.0), probed("healthy", 0, 200.0)])
    assert page("bpy_bridge_health_consecutive_failures", instance="default") == 0
    assert page("bpy_bridge_health_last_success_timestamp_seconds", instance="default") == 200.0
