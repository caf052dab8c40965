"""Requests by method and outcome, and no more series than there are methods."""

from __future__ import annotations

import pytest

from bridge.events import RequestFinished, RequestShared
from bridge.metrics.requests import MAX_FOREIGN_METHODS

from .scrape import tell, without_instances

TOTAL = "bpy_bridge_requests_total"
SECONDS = "bpy_bridge_request_seconds"


def ended(method: str, outcome: str = "ok", seconds: float = 0.001) -> RequestFinished:
    return RequestFinished("default", method, outcome, seconds, "c1", "r1")


async def test_each_request_counts_for_its_method_and_outcome():
    requests = [ended("scene.summary"), ended("scene.summary"), ended("scene.summary", "timeout"), ended("file.new")]
    page = tell(without_instances(), requests)
    assert page(TOTAL, method="scene.summary", outcome="ok") == 2
    assert page(TOTAL, method="scene.summary", outcome="timeout") == 1
    assert page(TOTAL, method="file.new", outcome="ok") == 1


async def test_what_another_s_execution_answered_counts_for_its_method():
    shared = [RequestShared("default", "scene.summary")] * 3
    page = tell(without_instances(), [*shared, ended("file.new")])
    assert page("bpy_bridge_requests_shared_total", method="scene.summary") == 3
    assert page("bpy_bridge_requests_shared_total", method="file.new") == 0


async def test_its_time_falls_into_the_first_bucket_that_is_long_enough():
    durations = [0.0, 0.01, 0.010_001, 599.0, 601.0]
    page = tell(without_instances(), [ended("render.still", seconds=seconds) for seconds in durations])
    counted = {"5e-05": 1, "0.01": 2, "0.025": 3, "600.0": 4, "+Inf": 5}
    assert page.buckets(SECONDS, method="render.still") == counted
    assert page(f"{SECONDS}_count", method="render.still") == 5
    assert page(f"{SECONDS}_sum", method="render.still") == pytest.approx(sum(durations))


async def test_names_that_nobody_knows_share_one_label():
    strange = [ended(f"no.such.{number}", "unknown_method") for number in range(1000)]
    page = tell(without_instances(), [*strange, ended("", "timeout"), ended('a"b\nc', "busy")])
    assert page.labels(TOTAL, "method") == page.labels(f"{SECONDS}_count", "method") == {"other"}
    assert page(TOTAL, method="other", outcome="unknown_method") == 1000


@pytest.mark.parametrize("method", ["bridge.status", "object.create"])
async def test_what_is_in_the_catalogues_is_known_from_the_first_failure_on(method):
    assert tell(without_instances(), [ended(method, "busy")])(TOTAL, method=method, outcome="busy") == 1


@pytest.mark.parametrize("outcome", ["ok", "execution_failed"])
async def test_what_blender_has_run_is_known_from_then_on(outcome):
    requests = [ended("studio.bake", "timeout"), ended("studio.bake", outcome), ended("studio.bake", "timeout")]
    page = tell(without_instances(), requests)
    assert page(TOTAL, method="studio.bake", outcome=outcome) == 1
    assert page(TOTAL, method="studio.bake", outcome="timeout") == 1
    assert page(TOTAL, method="other", outcome="timeout") == 1


async def test_other_add_ons_commands_are_bounded_and_ours_do_not_count():
    ours = [ended("scene.summary")]
    foreign = [ended(f"studio.{number}") for number in range(MAX_FOREIGN_METHODS + 10)]
    page = tell(without_instances(), [*foreign, *ours, *foreign])
    assert len(page.labels(TOTAL, "method") - {"other", "scene.summary"}) == MAX_FOREIGN_METHODS
    assert page(TOTAL, method="other", outcome="ok") == 20
    assert page(TOTAL, method="scene.summary", outcome="ok") == 1


async def test_codes_that_are_not_the_protocol_s_share_one_label():
    page = tell(without_instances(), [ended("file.new", f"code-{number}") for number in range(100)])
    assert page(TOTAL, method="file.new", outcome="other") == 100
    assert page.labels(TOTAL, "outcome") == {"other"}
