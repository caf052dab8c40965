"""A worker's start: forked by a zygote, and fresh; what a forked one costs, and how soon a killed one is replaced."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import trio

from benchmarks.blender import home
from benchmarks.harness import Unmeasurable, row
from bridge.supervisor.executable import find_blender
from bridge.supervisor.fresh import FreshSpawner
from bridge.supervisor.process import Spawner, Start, WorkerProcess
from bridge.supervisor.zygote import ZygoteSpawner, available

_FORKED, _FRESH = 20, 5
_START = Start("bench", f"unix:{home()}/worker.sock", None, {})

Measure = Callable[[ZygoteSpawner], Awaitable[float]]


@row("fork a worker, until it is ready", unit="ms", limit=50)
def fork_a_worker() -> float:
    """The median of 20, one after another, by a zygote that is warm."""
    return _with_zygote(lambda spawner: _median_start(spawner, _FORKED))


@row("start a fresh worker, until it is ready (to compare)", unit="ms", limit=5000)
def start_a_fresh_worker() -> float:
    """The median of 5."""
    return trio.run(_median_start, FreshSpawner(lambda: find_blender("bpy")), _FRESH)


@row("a killed forked worker, until its successor is ready, 95 of 100", unit="ms", limit=500)
def replace_a_killed_worker() -> float:
    """From the kill; without the pause that the supervisor makes between two starts."""
    return _with_zygote(_slow_replacement)


@row("memory that an idle forked worker has for itself", unit="MB", limit=10)
def memory_of_a_worker() -> float:
    """The median of 5 that run at once."""
    return _with_zygote(_private_memory)


def _with_zygote(measure: Measure) -> float:
    why = available()
    if why is not None:
        raise Unmeasurable(why)
    return trio.run(_warm, measure)


async def _warm(measure: Measure) -> float:
    spawner = ZygoteSpawner()
    await spawner.warm({})
    try:
        return await measure(spawner)
    finally:
        await spawner.aclose()


async def _median_start(spawner: Spawner, count: int) -> float:
    seconds = []
    for _ in range(count):
        began = perf_counter()
        worker = await _ready(spawner, _START)
        seconds.append(perf_counter() - began)
        await worker.aclose()
    return median(seconds) * 1000


async def _slow_replacement(spawner: Spawner) -> float:
    seconds = []
    worker = await _ready(spawner, _START)
    for _ in range(_FORKED):
        began = perf_counter()
        os.kill(worker.pid, signal.SIGKILL)
        await worker.wait()
        successor = await _ready(spawner, _START)
        seconds.append(perf_counter() - began)
        await worker.aclose()
        worker = successor
    await worker.aclose()
    return _95th(seconds) * 1000


async def _private_memory(spawner: Spawner) -> float:
    workers = [
        await _ready(spawner, _START._replace(address=f"unix:{home()}/worker-{number}.sock")) for number in range(5)
    ]
    megabytes = median(_private_kilobytes(worker.pid) for worker in workers) / 1000
    for worker in workers:
        await worker.aclose()
    return megabytes


async def _ready(spawner: Spawner, start: Start) -> WorkerProcess:
    worker = await spawner.spawn(start)
    said = b""
    while b'{"ready"' not in said:
        chunk = await worker.output.receive_some()
        if not chunk:
            raise Unmeasurable(f"the worker did not start: {said.decode(errors='replace')[-200:]}")
        said += chunk
    return worker


def _private_kilobytes(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))


def _95th(values: Sequence[float]) -> float:
    return sorted(values)[int(len(values) * 0.95) - 1]
