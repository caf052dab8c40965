"""A claimed job with a real store, and a Blender that does what a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

from bridge import events
from bridge.jobs.access import Access
from bridge.jobs.attempt import Attempt
from bridge.jobs.model import Job, NewJob
from bridge.jobs.store import Store, open_store

Answer = Callable[["FakeBlender", dict[str, Any], Callable[..., None]], Any]


class Claims:
    """One queue of jobs in `directory`; each claim is an attempt, and `events` what they emitted."""

    def __init__(self, directory: Path, store: Store) -> None:
        self.directory = directory
        self.store = store
        self.events: list[events.BridgeEvent] = []

    def submit(self, kind: str, **params: Any) -> Job:
        job, _ = self.store.submit(NewJob(kind, params))
        (self.directory / job.id).mkdir()
        return job

    def claim(self) -> Attempt:
        job = self.store.claim("me", 30.0)
        assert job is not None
        return Attempt(job, self.store, Access(), self.events.append)

    def rescued(self) -> Attempt:
        """The same job again, after the bridge that had it died."""
        assert self.store.rescue("somebody else")
        return self.claim()

    def phases(self) -> list[str]:
        """Those that have ended, in their order."""
        return [event.phase for event in self.events if isinstance(event, events.JobPhaseEnded)]


@contextmanager
def claims_in(directory: Path) -> Iterator[Claims]:
    directory.mkdir()
    store = open_store(f"sqlite://{directory}/jobs.sqlite", namespace="x")
    try:
        yield Claims(directory, store)
    finally:
        store.close()


class FakeBlender:
    """Answers by method; `calls` are those that came, `file` what it was opened with, `log` where its words go."""

    def __init__(self, **answers: Answer | Any) -> None:
        self.answers = {name.replace("_", ".", 1): answer for name, answer in answers.items()}
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self.file: Path | None = None
        self.running = False

    @asynccontextmanager
    async def __call__(self, file: Path | None, log: Path):
        self.file = file
        try:
            yield self
        finally:
            self.running = False

    async def start(self) -> None:
        self.running = True

    async def call(self, method: str, params: dict[str, Any], on_progress: Callable[..., None] | None = None) -> Any:
        assert self.running
        self.calls.append((method, params))
        answer = self.answers[method]
        told = answer(self, params, on_progress or (lambda *_: None)) if callable(answer) else answer
        return await told if hasattr(told, "__await__") else told


def blend(path: Path) -> Path:
    """What is taken for a .blend file."""
    path.write_bytes(b"BLENDER-v500" + bytes(64))
    return path
