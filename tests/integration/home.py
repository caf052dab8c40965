"""Where the bridges of a test live that run in the background."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from .serving import PATIENCE, environment

NO_BLENDER = ("--instance", "default=unix:/nonexistent")


class Home:
    """Where the bridges of a test live; none outlives it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.variables: dict[str, str] = {}
        self.prefix: tuple[str, ...] = ()
        self.cwd = path.parent

    def popen(self, *argv: str, **options: Any) -> subprocess.Popen[str]:
        variables = {**environment(self.path), **self.variables}
        return subprocess.Popen(
            [*self.prefix, sys.executable, "-m", "bridge", *argv], env=variables, text=True, cwd=self.cwd,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options,
        )  # fmt: skip

    def run(self, *argv: str) -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        with self.popen(*argv) as process:
            out, err = process.communicate(timeout=PATIENCE)
        return process.returncode, out, err

    def start(self, *flags: str) -> dict[str, Any]:
        code, out, err = self.run("start", "--json", *(flags or NO_BLENDER))
        assert code == 0, err
        started: dict[str, Any] = json.loads(out)
        return started

    def record(self) -> Mapping[str, Any]:
        record: dict[str, Any] = json.loads((self.path / "bridge.json").read_text())
        return record

    def bridges(self) -> list[psutil.Process]:
        """Every process that serves here, launchers not counted."""
        return [process for process in psutil.process_iter() if self._serves(process)]

    def _serves(self, process: psutil.Process) -> bool:
        try:
            return (
                process.cmdline()[3:6] == ["bridge", "serve", "--detached"]
                and process.environ().get("BPY_BRIDGE_HOME") == str(self.path)
                and process.status() != psutil.STATUS_ZOMBIE
            )
        except psutil.Error:
            return False


def lives(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
