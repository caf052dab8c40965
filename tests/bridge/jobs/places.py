"""Where jobs can be kept, for tests that hold for each of these places."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from typing import Any

import pytest

from bridge.jobs.store import Store, open_store
from tests import postgresql

NO_POSTGRESQL = "PostgreSQL is not installed (Debian: postgresql)"
_numbers = count()

_TIMES = (
    "run_at",
    "created_at",
    "started_at",
    "finished_at",
    "phase_started_at",
    "lease_until",
    "seen_at",
    "parked_at",
)


@dataclass
class Place:
    """One queue of one database."""

    url: str
    namespace: str = "jobs"

    @property
    def shared(self) -> bool:
        return not self.url.startswith("sqlite")

    def open(self) -> Store:
        return open_store(self.url, namespace=self.namespace)

    @contextmanager
    def opened(self) -> Iterator[Store]:
        store = self.open()
        try:
            yield store
        finally:
            store.close()


def own_namespace(server: postgresql.Server) -> Place:
    """A queue of its own on the tests' server."""
    return Place(server.url, f"test_{next(_numbers)}")


def skip_without_postgresql() -> None:
    if postgresql.programs() is None:
        pytest.skip(NO_POSTGRESQL)


def ask(store: Store, sql: str, **values: Any) -> list[Any]:
    """What the database itself says."""
    return store._database.run(sql, values)  # a look behind the protocol


def let_pass(store: Store, seconds: float, job: str | None = None) -> None:
    """Time passes: whatever was noted, was noted so much earlier. With `job`, for that one alone."""
    earlier = ", ".join(f"{column} = {column} - {seconds}" for column in _TIMES)
    ask(store, f"UPDATE job SET {earlier}" + (f" WHERE id = '{job}'" if job else ""))


def die(store: Store, owner: str) -> None:
    """The owner is heard of no more: where there is a lease, it is over."""
    if store.shared:
        store.heartbeat(owner, -1.0)
