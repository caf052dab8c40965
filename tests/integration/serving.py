"""`bpy-bridge serve` as users run it: a process of its own, with a directory of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil

from bridge.client import Client

ROOT = Path(__file__).parents[2]
PATIENCE = 60.0


class Served:
    """A running bridge; its log is in `log`."""

    def __init__(self, process: subprocess.Popen[str], home: Path, log: Path) -> None:
        self.process = process
        self.home = home
        self._log = log
        self.ready: dict[str, Any] = {}

    @property
    def address(self) -> str:
        address: str = self.ready["listen"][0]
        return address

    @property
    def log(self) -> str:
        return self._log.read_text()

    def client(self, **options: Any) -> Client:
        return Client(self.address, **options)

    def worker(self, name: str = "default") -> psutil.Process:
        """The Blender process that the bridge started under that name."""
        address = f"unix:{self.home / f'worker-{name}.sock'}"
        [found] = [child for child in children(self.process.pid) if address in child.cmdline()]
        return found

    def end(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE)


def children(pid: int) -> list[psutil.Process]:
    """Every living descendant."""
    return psutil.Process(pid).children(recursive=True)


@contextmanager
def serving(
    home: Path,
    *arguments: str,
    command: Sequence[str] = (sys.executable, "-m", "bridge"),
    settings: Mapping[str, str] | None = None,
) -> Iterator[Served]:
    """A bridge that has said that it is ready; it and all that it started are gone afterwards.

    `settings` are environment variables of ours beside the usual ones.
    """
    log = home.with_suffix(".log")
    variables = {**environment(home), **(settings or {})}
    with log.open("w") as errors:
        process = subprocess.Popen(
            [*command, "serve", *arguments], cwd=home.parent, env=variables, stdout=subprocess.PIPE,
            stderr=errors, text=True,
        )  # fmt: skip
    served = Served(process, home, log)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, served.log
        served.ready = json.loads(line)
        yield served
    finally:
        if process.poll() is None:
            left = children(process.pid)
            process.kill()
            process.wait()
            psutil.wait_procs(left, PATIENCE)
        process.stdout.close()


def environment(home: Path) -> dict[str, str]:
    """Ours, without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPY_BRIDGE_")}
    return {
        **kept,
        "BPY_BRIDGE_HOME": str(home),
        "BPY_BRIDGE_HTTP": "tcp:127.0.0.1:0",
        "BLENDER_USER_RESOURCES": str(home.with_suffix(".blender")),
    }


def until(condition: Any) -> Any:
    """Wait for what another process does; never longer than PATIENCE."""
    end = time.monotonic() + PATIENCE
    while not (value := condition()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.01)  # between two looks at another process
    return value
