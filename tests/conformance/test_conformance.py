"""The protocol's own judges on a bridge with a Blender: the conformance suite, and the inspector's schema check."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bridge.paths import read_token
from tests.integration.serving import serving

from . import node
from .scenarios import CHECKS_LEFT_OUT, LEFT_OUT, PASS
from .token_bearer import bearing

pytestmark = [
    pytest.mark.conformance,
    pytest.mark.skipif(not node.installed(), reason="the judges are not installed: make conformance"),
]

_RESULT = re.compile(r"server-(.+)-\d{4}-\d{2}-\d{2}T[\d-]+Z")
_GOOD = ("SUCCESS", "INFO", "SKIPPED")


class Judged(NamedTuple):
    """What was said about each scenario of a revision."""

    checks: dict[str, list[dict[str, Any]]]
    said: str


@pytest.fixture(scope="session")
def served(tmp_path_factory):
    """A bridge with a Blender."""
    with serving(tmp_path_factory.mktemp("conformance") / "home") as served:
        yield served


@pytest.fixture(scope="session")
def token(served):
    return read_token(served.home / "mcp.token")


@pytest.fixture(scope="session")
def judged(served, token, tmp_path_factory):
    """judged(revision): the suite is run once for each. It can show no token: somebody else does."""
    known: dict[str, Judged] = {}
    port = int(served.ready["http"].rpartition(":")[2])

    def judge(revision: str) -> Judged:
        if revision not in known:
            place = tmp_path_factory.mktemp(revision)
            with bearing(token, port) as to_all:
                server = ["server", "--url", f"http://127.0.0.1:{to_all}/mcp", "--requirements", revision]
                ran = node.run("conformance", *server, "-o", "out", home=place)
            known[revision] = Judged(_checks(place / "out"), ran.stdout + ran.stderr)
        return known[revision]

    return judge


def _checks(place: Path) -> dict[str, list[dict[str, Any]]]:
    found = {}
    for directory in place.iterdir():
        name = _RESULT.fullmatch(directory.name)
        assert name is not None, directory
        found[name[1]] = json.loads((directory / "checks.json").read_text())
    return found


@pytest.mark.parametrize("revision", PASS)
def test_every_scenario_passes_or_is_left_out_for_a_reason(judged, revision):
    result = judged(revision)
    assert set(result.checks) == {*PASS[revision], *LEFT_OUT[revision]}, result.said


@pytest.mark.parametrize(
    ("revision", "scenario"), [(revision, scenario) for revision, names in PASS.items() for scenario in names]
)
def test_scenario(judged, revision, scenario):
    checks = judged(revision).checks[scenario]
    wrong = [check for check in checks if check["status"] not in _GOOD and check["id"] not in CHECKS_LEFT_OUT]
    assert checks
    assert wrong == []


def listed(*arguments: str, home: Path) -> list[dict[str, Any]]:
    """The tools as the inspector lists them; it fails where a schema has an error."""
    options = ["--method", "tools/list", "--strict", "--format", "json"]
    ran = node.run("inspector", "--cli", *arguments, *options, home=home)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    tools: list[dict[str, Any]] = json.loads(ran.stdout)["result"]["tools"]
    return tools


profiles = pytest.mark.parametrize(("tools", "least", "most"), [("core", 10, 25), ("full", 50, 1000)])


@pytest.mark.parametrize("era", ["legacy", "modern"])
@profiles
def test_no_tool_has_a_schema_with_an_error(served, token, tmp_path, tools, least, most, era):
    url = f"{served.ready['http']}/mcp?tools={tools}"
    over_http = ["--server-url", url, "--transport", "http", "--header", f"Authorization: Bearer {token}"]
    assert least <= len(listed(*over_http, "--protocol-era", era, home=tmp_path)) <= most


@profiles
def test_nor_over_standard_input_and_output(served, tmp_path, tools, least, most):
    relay = str(Path(sys.executable).with_name("bpy-bridge-mcp"))
    place = ["-e", f"BPY_BRIDGE_HOME={served.home}"]
    assert least <= len(listed(relay, "--tools", tools, *place, home=tmp_path)) <= most
