"""The two kinds of store, real ones: each test that asks for `place` or `store` runs on both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.jobs.store import Store
from tests import postgresql
from tests.bridge.jobs.places import Place, own_namespace, skip_without_postgresql


@pytest.fixture(scope="session")
def server() -> Iterator[postgresql.Server]:
    """A PostgreSQL server of the tests' own, for all of them."""
    skip_without_postgresql()
    with postgresql.server() as running:
        yield running


@pytest.fixture
def sqlite(tmp_path: Path) -> Place:
    return Place(f"sqlite://{tmp_path}/jobs.sqlite")


@pytest.fixture
def shared(server: postgresql.Server) -> Place:
    """A queue that several bridges may share."""
    return own_namespace(server)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Place:
    return request.getfixturevalue("sqlite" if request.param == "sqlite" else "shared")


@pytest.fixture
def store(place: Place) -> Iterator[Store]:
    with place.opened() as opened:
        yield opened
