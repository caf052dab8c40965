"""A bridge's queue in a process of its own, with test kinds of work that leave evidence of every run.

python -m tests.bridge.jobs.bridge_process DIRECTORY, where settings.json says the rest. Kinds:

flaky   as many errors and snoozes as its params ask for, and a moment of work
held    until a file `go` is there, with a child process that stands for its Blender
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import trio

from bridge import events
from bridge.jobs.attempt import Attempt, JobFailed, Snooze
from bridge.jobs.pace import Pace
from bridge.jobs.queue import Queue
from bridge.jobs.store import open_store

CHILD = [sys.executable, "-c", "import sys; sys.stdin.read()"]


class Settings(NamedTuple):
    """`until_done`: it drains and ends once nothing waits or runs. `skew`: what its clock is wrong by."""

    url: str
    namespace: str
    lease: float = 600.0
    heartbeat: float = 600.0
    poll: float = 600.0
    concurrency: int = 4
    until_done: bool = False
    skew: float = 0.0


class Evidence:
    """Files, one for each thing that happened: what happens twice breaks."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def leave(self, what: str, attempt: Attempt, text: str = "") -> None:
        path = self._directory / f"{what}.{attempt.job.id}.{attempt.job.fence}"
        with path.open("x") as file:
            file.write(text)

    def there(self, name: str) -> bool:
        return (self._directory / name).exists()

    async def flaky(self, attempt: Attempt) -> dict[str, Any]:
        self.leave("run", attempt)
        job, params = attempt.job, attempt.job.params
        async with attempt.phase("working", 60.0):
            await trio.sleep(random.uniform(0.0, params["seconds"]))
            attempt.progress(1, 2)
        if job.errors < params["errors"]:
            raise JobFailed("x", "as it was asked to")
        if job.snoozes < params["snoozes"]:
            raise Snooze(0.0)
        return {"fence": job.fence, "pid": os.getpid()}

    async def held(self, attempt: Attempt) -> dict[str, Any]:
        child = subprocess.Popen(CHILD, stdin=subprocess.PIPE)
        try:
            self.leave("run", attempt, str(child.pid))
            while not self.there("go"):
                await trio.sleep(0.01)  # between two looks at what another process does
        except trio.Cancelled:
            self.leave("stopped", attempt)
            raise
        finally:
            child.kill()
            child.wait()
        return {"pid": os.getpid()}

    async def __call__(self, attempt: Attempt) -> dict[str, Any]:
        return await getattr(self, attempt.job.kind)(attempt)


async def work(settings: Settings, directory: Path) -> None:
    pace = Pace(settings.lease, settings.heartbeat, settings.poll, backoff=0.0)
    queue = Queue(
        open_store(settings.url, namespace=settings.namespace),
        Evidence(directory),
        concurrency=settings.concurrency,
        drain_timeout=0.0,
        directory=directory,
        emit=events.ignore,
        pace=pace,
    )
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        if settings.until_done:
            await _done(queue)
            await queue.drain()


async def _done(queue: Queue) -> None:
    while True:
        counts = await queue.access.outlast(lambda: queue.access.call(queue.store.stats))
        if counts["pending"] + counts["processing"] == 0:
            return
        await trio.sleep(0.05)  # between two looks at the store


def main() -> None:
    directory = Path(sys.argv[1])
    settings = Settings(**json.loads((directory / "settings.json").read_text()))
    right = time.time
    time.time = lambda: right() + settings.skew
    trio.run(work, settings, directory)


if __name__ == "__main__":
    main()
