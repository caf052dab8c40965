"""A real Prometheus server that scrapes one bridge every second, set up with the files that we ship."""

from __future__ import annotations

import json
import re
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from .serving import PATIENCE, until


class Series(NamedTuple):
    """One of a query's results; `values` are pairs of time and value, one for an instant."""

    labels: dict[str, str]
    values: list[tuple[float, float]]


class Prometheus:
    """Answers at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        """What the API answers: its data."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}?{query}", timeout=PATIENCE) as response:
            return json.load(response)["data"]

    def query(self, expression: str) -> list[Series]:
        return [
            Series(found["metric"], [(at, float(value)) for at, value in found.get("values") or [found["value"]]])
            for found in self.get("query", query=expression)["result"]
        ]

    def value(self, expression: str) -> float | None:
        """The latest value of the only series, None where there is none yet."""
        found = self.query(expression)
        assert len(found) <= 1, found
        return found[0].values[-1][1] if found else None


@contextmanager
def prometheus(directory: Path, target: str) -> Iterator[Prometheus]:
    """Runs on a port of its own, with all that it writes in the directory."""
    (directory / "bpy-bridge.rules.yml").write_text(shipped("rules.yml"))
    (directory / "prometheus.yml").write_text(_configuration(target))
    log = directory / "prometheus.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            ["prometheus", "--config.file", "prometheus.yml", "--storage.tsdb.path", "data",
             "--web.listen-address", "127.0.0.1:0"],
            cwd=directory, stdout=output, stderr=subprocess.STDOUT,
        )  # fmt: skip
    try:
        until(lambda: process.poll() is not None or "Server is ready" in log.read_text())
        assert process.poll() is None, log.read_text()
        listening = re.search(r'msg="Listening on" address=(\S+)', log.read_text())
        assert listening is not None, log.read_text()
        yield Prometheus(f"http://{listening[1]}")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def shipped(name: str) -> str:
    return files("bridge").joinpath("monitoring", name).read_text(encoding="utf-8")


def _configuration(target: str) -> str:
    """The example that we ship, with another target, and in a hurry."""
    text = shipped("prometheus.yml")
    for ours, theirs in {"127.0.0.1:9871": target, "scrape_interval: 15s": "scrape_interval: 1s"}.items():
        assert ours in text
        text = text.replace(ours, theirs)
    return f"global:\n  evaluation_interval: 1s\n{text}"
