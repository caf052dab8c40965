"""Small Python processes in Blender's place, and the workers that run them."""

from __future__ import annotations

import os
import sys
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from bridge.config import WorkerSettings
from bridge.supervisor.fresh import FreshSpawner
from bridge.supervisor.worker import Worker

ROOT = Path(__file__).parents[3]
BEGIN = """
import json, os, signal, socket, sys, threading, time
say = lambda text: os.write(1, text.encode())
phase = lambda name: say(json.dumps({"phase": name, "pid": os.getpid()}) + "\\n")
address = sys.argv[sys.argv.index("--listen") + 1].removeprefix("unix:")
"""
LISTEN = """
phase("importing")
phase("listening")
listening = socket.socket(socket.AF_UNIX)
listening.bind(address)
listening.listen()
"""
SAY_READY = 'say(json.dumps({"ready": True, "address": address, "pid": os.getpid()}) + "\\n")\n'
STAY = "threading.Event().wait()\n"
READY = LISTEN + SAY_READY
GOOD = READY + STAY


def spawner(script: str) -> FreshSpawner:
    """Starts a Python that runs the script."""
    return FreshSpawner(lambda: [sys.executable, "-c", BEGIN + script])


def make(tmp_path: Path, script: str, *, emit: Any = lambda event: None, log_path: Path | None = None, **settings: Any):
    """A worker of that script."""
    chosen = WorkerSettings(**settings)
    return Worker("w", spawner(script), chosen, socket_path=tmp_path / "w.sock", log_path=log_path, emit=emit)


@asynccontextmanager
async def running(worker: Worker):
    """The worker under way; nothing of it is left afterwards."""
    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(worker.run)
            yield worker
            pid = worker.state.pid
            nursery.cancel_scope.cancel()
    assert pid is None or not alive(pid)
    assert not os.path.exists(worker.address.removeprefix("unix:")), "no socket file stays behind"
    assert (worker.state.pid, worker.state.phase) == (None, "stopped")


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def gate(path: Path) -> str:
    """Script text: wait until that file exists."""
    return f"while not os.path.exists({str(path)!r}): time.sleep(0.002)\n"
