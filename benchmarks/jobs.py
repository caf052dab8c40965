"""Jobs: what a claim and its completion cost beside bare commits to such a database, and how soon work begins."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import trio
from structlog.testing import capture_logs

from benchmarks.harness import Side, Unmeasurable, ratio, row
from bridge import events
from bridge.jobs.attempt import Attempt
from bridge.jobs.model import NewJob
from bridge.jobs.queue import Queue
from bridge.jobs.store import Store, open_store
from tests import postgresql

_JOBS = 100
_BEGINNINGS = 200
_LEASE = 600.0
# Not /tmp: where that is memory, a commit costs nothing.
_DISK = "/var/tmp" if Path("/var/tmp").is_dir() else None


@row("jobs on SQLite: claim + complete, to a commit of one row", better="higher", limit=0.25)
def claims_on_sqlite() -> float:
    """Jobs a second over commits a second."""
    with _directory() as directory, ExitStack() as stack:
        store = _opened(stack, f"sqlite://{directory}/jobs.sqlite")
        bare = sqlite3.connect(directory / "bare.sqlite", isolation_level=None)
        stack.callback(bare.close)
        bare.execute("PRAGMA journal_mode = WAL")
        bare.execute("PRAGMA synchronous = FULL")
        bare.execute("CREATE TABLE bare (number INTEGER)")
        commits = _commits(lambda number: bare.execute("INSERT INTO bare VALUES (?)", [number]))
        return 1 / ratio(_claims(store), commits)


@row("jobs on PostgreSQL: claim + complete, to a commit of one row", better="higher", limit=0.18)
def claims_on_postgresql() -> float:
    """Jobs a second over commits a second."""
    import psycopg  # noqa: PLC0415  # an extra

    with _server() as url, ExitStack() as stack:
        store = _opened(stack, url)
        bare = stack.enter_context(psycopg.connect(url, autocommit=True))
        bare.execute("CREATE TABLE bare (number integer)")
        commits = _commits(lambda number: bare.execute("INSERT INTO bare VALUES (%s)", [number]))
        return 1 / ratio(_claims(store), commits)


@row("jobs on SQLite: from submit to the work's first line, p50", unit="ms", limit=5.0)
def beginning_on_sqlite() -> float:
    """The median of 200 jobs, one after another."""
    with _directory() as directory, capture_logs():
        return trio.run(_beginnings, f"sqlite://{directory}/jobs.sqlite", directory)


@row("jobs on PostgreSQL: from submit to the work's first line, p50", unit="ms", limit=5.0)
def beginning_on_postgresql() -> float:
    """The median of 200 jobs, one after another."""
    with _server() as url, _directory() as directory, capture_logs():
        return trio.run(_beginnings, url, directory)


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir=_DISK) as directory:
        yield Path(directory)


@contextmanager
def _server() -> Iterator[str]:
    if postgresql.programs() is None:
        raise Unmeasurable("PostgreSQL is not installed (Debian: postgresql)")
    with postgresql.server() as server:
        yield server.url


def _opened(stack: ExitStack, url: str) -> Store:
    store = open_store(url, namespace="bench")
    stack.callback(store.close)
    return store


def _claims(store: Store) -> Side:
    def side() -> float:
        for number in range(_JOBS):
            store.submit(NewJob("bench", {"number": number}))
        began = perf_counter()
        for _ in range(_JOBS):
            job = store.claim("bench", _LEASE)
            assert job is not None
            store.complete(job.id, job.fence, {"files": []})
        return perf_counter() - began

    return side


def _commits(commit: Callable[[int], Any]) -> Side:
    def side() -> float:
        began = perf_counter()
        for number in range(_JOBS):
            commit(number)
        return perf_counter() - began

    return side


async def _beginnings(url: str, directory: Path) -> float:
    begun: list[float] = []
    done = trio.Event()

    async def work(attempt: Attempt) -> dict[str, Any]:  # noqa: ARG001  # a job's signature
        begun.append(perf_counter())
        await trio.lowlevel.checkpoint()
        done.set()
        return {}

    queue = Queue(
        open_store(url, namespace="bench"),
        work,
        concurrency=1,
        drain_timeout=0.0,
        directory=directory,
        emit=events.ignore,
    )
    submitted: list[float] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(queue.run)
        for number in range(_BEGINNINGS):
            done = trio.Event()
            submitted.append(perf_counter())
            await queue.submit(NewJob("bench", {"number": number}))
            await done.wait()
            await _idle(queue)
        await queue.drain()
    return 1e3 * median(after - before for before, after in zip(submitted, begun, strict=True))


async def _idle(queue: Queue) -> None:
    while queue.running:
        await queue.changed.wait()
