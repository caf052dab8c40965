"""What is shipped for Prometheus and Grafana fits the page, and is what it says it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from bridge import cli
from bridge.metrics import Metrics
from tests.bridge.line import bridge
from tests.bridge.metrics.busy import every_event
from tests.bridge.metrics.scrape import Page, tell

FILES = {"rules": "rules.yml", "dashboard": "dashboard.json", "prometheus": "prometheus.yml"}
NAME = re.compile(r"\b(?:bpy_bridge|process)_\w+")
MATCHER = re.compile(r'(\w+)(?:=|!=)"([^"$]*)"')
GROUPING = re.compile(r"\b(?:by|on|ignoring|without) *\(([\w, ]*)\)")

needs_promtool = pytest.mark.skipif(
    shutil.which("promtool") is None, reason="needs promtool (Debian: apt-get install prometheus)"
)


def packaged(name: str) -> str:
    return files("bridge").joinpath("monitoring", name).read_text(encoding="utf-8")


DASHBOARD = json.loads(packaged("dashboard.json"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def dashboard_queries() -> Iterator[str]:
    for panel in PANELS:
        yield from (target["expr"] for target in panel["targets"])
    yield from (variable["definition"] for variable in DASHBOARD["templating"]["list"] if "definition" in variable)


def families(page: Page) -> set[str]:
    """The names of ours, without what a histogram adds to its own."""
    ours = {sample.name for sample in page.samples if sample.name.startswith("bpy_bridge_")}
    return {re.sub("_(bucket|sum|count)$", "", name) for name in ours}


def without_comments(text: str) -> str:
    return "\n".join(line.partition("# ")[0] for line in text.splitlines())


@pytest.fixture
async def page(wires, listen):
    """Of a bridge on which everything has happened once."""
    async with bridge(wires, listen) as line:
        yield tell(Metrics(line.fleet, line.service.status), every_event("default"))


async def test_every_series_of_the_rules_is_on_the_page(page):
    named = set(NAME.findall(without_comments(packaged("rules.yml"))))
    assert len(named) > 5
    assert named <= {sample.name for sample in page.samples} | families(page)


async def test_every_series_and_label_of_the_dashboard_is_on_the_page(page):
    queries = " ".join(dashboard_queries())
    named = set(NAME.findall(queries))
    assert len(named) > 20
    assert named <= {sample.name for sample in page.samples}
    labels = {label for sample in page.samples for label in sample.labels} | {"job"}
    for group in GROUPING.findall(queries):
        assert set(re.split(r"[, ]+", group)) <= labels
    for label, value in MATCHER.findall(queries):
        assert value in {sample.labels.get(label) for sample in page.samples}


async def test_every_series_of_ours_is_on_the_dashboard(page):
    queries = " ".join(dashboard_queries())
    assert {family for family in families(page) if family not in queries} == set()


def test_the_dashboard_has_its_rows_and_variables():
    rows = [panel["title"] for panel in DASHBOARD["panels"] if panel["type"] == "row"]
    assert rows == ["Requests", "Pool", "Health", "Process", "Jobs"]
    assert [variable["name"] for variable in DASHBOARD["templating"]["list"]] == ["datasource", "instance"]


def test_every_panel_has_a_unit_a_description_and_the_chosen_data_source():
    for panel in PANELS:
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["description"], panel["title"]
        assert {target["datasource"]["uid"] for target in panel["targets"]} == {"${datasource}"}
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_no_panel_lies_on_another():
    places = [(panel["gridPos"], panel["title"]) for panel in DASHBOARD["panels"]]
    taken: dict[tuple[int, int], str] = {}
    for place, title in places:
        for x in range(place["x"], place["x"] + place["w"]):
            for y in range(place["y"], place["y"] + place["h"]):
                assert x < 24
                assert taken.setdefault((x, y), title) == title
    assert len({panel["id"] for panel in DASHBOARD["panels"]}) == len(places)


@pytest.mark.parametrize("name", FILES)
def test_the_command_line_prints_each_file_as_it_is_packaged(name, capsys):
    assert cli.main(["monitoring", name]) == 0
    assert capsys.readouterr().out == packaged(FILES[name])


@needs_promtool
def test_promtool_accepts_the_rules_and_the_configuration_beside_them(tmp_path: Path):
    (tmp_path / "bpy-bridge.rules.yml").write_text(packaged("rules.yml"))
    (tmp_path / "prometheus.yml").write_text(packaged("prometheus.yml"))
    assert promtool("check", "config", str(tmp_path / "prometheus.yml")).count("7 rules found") == 1


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then():
    assert "SUCCESS" in promtool("test", "rules", str(Path(__file__).parent / "alerts.yml"))


def test_each_alert_is_tested():
    tested = set(re.findall(r"alertname: (\w+)", (Path(__file__).parent / "alerts.yml").read_text()))
    assert tested == set(re.findall(r"alert: (\w+)", packaged("rules.yml")))


def promtool(*arguments: str) -> str:
    done = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
