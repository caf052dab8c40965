"""Bridges in processes of their own, which may be killed, stopped, and looked at from outside."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.bridge.jobs.bridge_process import Settings
from tests.bridge.jobs.places import Place

ROOT = Path(__file__).parents[3]
PATIENCE = 60.0


class Bridges:
    """The bridges of one place; all that they leave behind is in `directory`."""

    def __init__(self, place: Place, directory: Path) -> None:
        self._place = place
        self._directory = directory
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self, **options: Any) -> subprocess.Popen[bytes]:
        settings = Settings(self._place.url, self._place.namespace, **options)
        (self._directory / "settings.json").write_text(json.dumps(settings._asdict()))
        command = [sys.executable, "-m", "tests.bridge.jobs.bridge_process", str(self._directory)]
        with (self._directory / "log").open("ab") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)
        self._processes.append(process)
        return process

    def log(self) -> str:
        return (self._directory / "log").read_text()

    def found(self, what: str) -> set[str]:
        """The evidence of a kind: `job.fence`."""
        return {path.name.removeprefix(f"{what}.") for path in self._directory.glob(f"{what}.*")}

    def text(self, what: str) -> str:
        return (self._directory / what).read_text()

    def go(self) -> None:
        (self._directory / "go").touch()

    def end(self) -> None:
        for process in self._processes:
            if process.poll() is None:
                process.kill()
                process.wait()


@contextmanager
def bridges(place: Place, directory: Path) -> Iterator[Bridges]:
    """None is left afterwards."""
    every = Bridges(place, directory)
    try:
        yield every
    finally:
        every.end()


def until(condition: Any, every: Bridges) -> Any:
    """Wait for what other processes do."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, every.log()[-5000:]
        time.sleep(0.01)  # between two looks at other processes
    return value
