"""The page as it goes to whoever scrapes: format, content type, and the linter's verdict."""

from __future__ import annotations

import shutil
import subprocess

import prometheus_client
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics

from bridge.metrics import Metrics
from tests.bridge.line import bridge

from .busy import every_event
from .scrape import tell, without_instances

PROMETHEUS_ASKS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"


@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "text/html", "text/plain;version=x", "\xff;;,"])
async def test_it_is_prometheus_text_for_whoever_asks_for_nothing_better(accept):
    body, kind = without_instances().page(accept)
    assert kind == "text/plain; version=0.0.4; charset=utf-8"
    assert b'bpy_bridge_info{version="' in body


@pytest.mark.parametrize("accept", [PROMETHEUS_ASKS, "Application/OpenMetrics-Text; version=junk"])
async def test_it_is_openmetrics_for_whoever_asks_for_that(accept):
    body, kind = without_instances().page(accept)
    assert kind == "application/openmetrics-text; version=1.0.0; charset=utf-8"
    assert body.endswith(b"# EOF\n")


async def test_both_formats_say_the_same(wires, listen):
    async with bridge(wires, listen) as line:
        metrics = Metrics(line.fleet, line.service.status)
        ours = {(s.name, *s.labels.items()): s.value for s in tell(metrics, every_event("default")).samples}
        page = metrics.page(PROMETHEUS_ASKS)[0].decode()
        theirs = {(s.name, *s.labels.items()): s.value for family in read_openmetrics(page) for s in family.samples}
        assert {key: ours[key] for key in ours if key[0].startswith("bpy_")} == {
            key: theirs[key] for key in theirs if key[0].startswith("bpy_")
        }


async def test_label_values_may_hold_anything():
    strange = 'a"b\\c\nd é\N{GRINNING FACE}'
    page = tell(without_instances(), every_event("default", method=strange))
    assert page("bpy_bridge_requests_total", method=strange, outcome="ok") == 1


@pytest.mark.skipif(shutil.which("promtool") is None, reason="needs promtool (Debian: apt-get install prometheus)")
async def test_promtool_has_no_complaint(wires, listen):
    async with bridge(wires, listen) as line:
        metrics = Metrics(line.fleet, line.service.status)
        page = tell(metrics, every_event("default"))
        assert all(page.buckets(f"bpy_bridge_{name}_seconds", instance="default") for name in ("pool_wait", "pool_use"))
        body = metrics.page("")[0]
    checked = subprocess.run(["promtool", "check", "metrics"], input=body, capture_output=True, check=False)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


async def test_nothing_is_registered_globally():
    before = set(prometheus_client.REGISTRY._names_to_collectors)
    without_instances()
    without_instances()
    assert set(prometheus_client.REGISTRY._names_to_collectors) == before
