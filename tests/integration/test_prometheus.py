"""The real Prometheus scrapes a bridge with a real Blender behind it, and what it knows then is true."""

from __future__ import annotations

import json
import shutil
from collections import Counter, defaultdict
from collections.abc import Iterator

import pytest
import trio

from bridge import __version__
from bridge.client import AsyncClient
from bridge.errors import ExecutionFailed, Refused

from .prometheus import Prometheus, prometheus, shipped
from .serving import Served, serving, until

WHY_NOT = "needs the Prometheus server (Debian: apt-get install prometheus)"
pytestmark = [pytest.mark.blender, pytest.mark.skipif(shutil.which("prometheus") is None, reason=WHY_NOT)]


@pytest.fixture(scope="module")
def served(_bpy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("scraped") / "home") as served:
        yield served


@pytest.fixture(scope="module")
def server(served: Served, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    target = served.ready["http"].removeprefix("http://")
    with prometheus(tmp_path_factory.mktemp("prometheus"), target) as server:
        yield server


def test_it_counts_the_requests_that_were_made(served, server):
    ended = 'bpy_bridge_requests_total{method="%s", outcome="%s"}'
    with served.client() as client:
        for _ in range(7):
            client.call("object.get", {"name": "Cube"})
        for _ in range(3):
            with pytest.raises(ExecutionFailed):
                client.call("code.execute", {"code": "1 / 0"})
        for number in range(5):
            with pytest.raises(Refused):
                client.call(f"no.such{number}")
        until(lambda: server.value(ended % ("other", "unknown_method")) == 5)
        assert server.value(ended % ("object.get", "ok")) == 7
        assert server.value(ended % ("code.execute", "execution_failed")) == 3
        assert server.value('bpy_bridge_request_seconds_count{method="object.get"}') == 7
        assert server.value("bpy_bridge_client_connections") == 1
    requests = server.value("sum(bpy_bridge_requests_total)")
    assert requests is not None
    assert requests >= 15
    assert server.value('bpy_bridge_pool_acquires_total{outcome="ok"}') == requests
    assert server.value("bpy_bridge_pool_use_seconds_count") == requests


def test_it_knows_the_blender_by_its_name_and_the_bridge_by_its_address(served, server):
    until(lambda: server.value("up") == 1)
    [series] = server.query("bpy_bridge_pool_max_connections")
    assert series.labels["instance"] == "default"
    assert series.labels["bridge"] == served.ready["http"].removeprefix("http://")
    assert series.values[-1][1] == 4
    assert server.value(f'bpy_bridge_info{{version="{__version__}"}}') == 1


def test_it_sees_the_probe_at_the_start(served, server):
    until(lambda: server.value('sum(bpy_bridge_health_checks_total{result=~"healthy|busy"}) > 0'))
    assert server.value("bpy_bridge_health_consecutive_failures") == 0
    assert server.value("time() - bpy_bridge_health_last_success_timestamp_seconds") < 300


def test_it_evaluates_every_rule_and_none_fires(served, server):
    def rules() -> list[dict]:
        return server.get("rules")["groups"][0]["rules"]

    until(lambda: all(rule["health"] != "unknown" for rule in rules()))
    assert [(rule["health"], rule["state"]) for rule in rules()] == [("ok", "inactive")] * 7


def test_it_has_something_to_draw_in_every_panel_of_the_dashboard(served, server):
    panels = json.loads(shipped("dashboard.json"))["panels"]
    with served.client() as client:
        with pytest.raises(Refused):
            client.call("scene.summary", {"no": "such parameter"})
        client.call("scene.summary")
        job = client.call("jobs.submit", {"kind": "export", "params": {"format": "stl"}}).value
        assert client.call("jobs.wait", {"id": job["id"]}, timeout=60).value["state"] == "completed"
    for target in (target for panel in panels for target in panel.get("targets", ())):
        query = target["expr"].replace("$instance", ".*").replace("$__rate_interval", "1m")
        if query == "bpy_bridge_background_errors_total":
            # There are none, and so it shall be.
            assert server.query(query) == []
        elif any(rare in query for rare in ("job_errors", "job_snoozes", "job_rescues", "job_silent")):
            # The one job has known no trouble.
            server.query(query)
        else:
            until(lambda query=query: server.query(query))


def test_every_scrape_is_consistent_while_64_callers_are_busy(served, server):
    def scraped_often_while_all_were_in_use() -> bool:
        found = server.query('bpy_bridge_pool_connections{state="leased"}[2m]')
        return sum(leased == 4 for series in found for _, leased in series.values) >= 3

    async def all_callers() -> None:
        done = False

        async def caller(client: AsyncClient) -> None:
            while not done:
                # Not read-only: equal looks that wait together would be one.
                await client.call("code.execute", {"code": "result = 1"})

        async with AsyncClient(served.address) as client, trio.open_nursery() as nursery:
            for _ in range(64):
                nursery.start_soon(caller, client)
            await trio.to_thread.run_sync(until, scraped_often_while_all_were_in_use)
            done = True

    trio.run(all_callers)
    # In one query, so that no scrape comes between two.
    pools = server.query('{__name__=~"bpy_bridge_pool_(connections|max_connections|waiters)"}[2m]')
    sums: defaultdict[str, Counter[float]] = defaultdict(Counter)
    for series in pools:
        for at, value in series.values:
            sums[series.labels["__name__"]][at] += value
    held, limits, waiting = (sums[f"bpy_bridge_pool_{name}"] for name in ("connections", "max_connections", "waiters"))
    assert limits.keys() == held.keys()
    assert all(held[at] <= limits[at] for at in held)
    assert max(waiting.values()) > 0
