"""How long a command takes from start to end, beside a Python that does nothing."""

from __future__ import annotations

import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.blender import bridge, home, place
from benchmarks.harness import Unmeasurable, ratio, row

_STARTS = 5


def _seconds(command: list[str]) -> float:
    """The median of some starts of a process."""
    environment = {**os.environ, "BPY_BRIDGE_HOME": str(home()), "BPY_BRIDGE_ADDRESS": bridge()}
    seconds = []
    for _ in range(_STARTS):
        start = perf_counter()
        subprocess.run(command, env=environment, stdout=subprocess.DEVNULL, check=True)
        seconds.append(perf_counter() - start)
    return median(seconds)


def _to_nothing(*arguments: str) -> float:
    place(0, core=0)
    script = Path(sys.executable).with_name("bpy-bridge")
    if not script.exists():
        raise Unmeasurable(f"there is no {script}: install bpy-bridge")
    nothing = partial(_seconds, [sys.executable, "-c", "pass"])
    return ratio(partial(_seconds, [str(script), *arguments]), nothing, rounds=9)


@row("bpy-bridge status --json against a warm bridge, to python -c pass", limit=6.0)
def status() -> float:
    return _to_nothing("status", "--json")


@row("bpy-bridge call scene.summary against a warm bridge, to python -c pass", limit=6.0)
def call() -> float:
    return _to_nothing("call", "scene.summary")
