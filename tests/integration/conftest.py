"""One real bridge with a real Blender for the tests that leave it as it was; `start` for those that break one."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bridge.client import Client

from .serving import Served, serving


@pytest.fixture(scope="session")
def _bpy() -> None:
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy wheel: install bpy-bridge[embedded]")


@pytest.fixture(scope="session")
def shared(_bpy: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("bridge") / "home") as served:
        yield served


@pytest.fixture
def client(shared: Served) -> Iterator[Client]:
    """A client of the shared bridge, in the factory scene."""
    with shared.client() as client:
        client.call("file.new")
        yield client


@pytest.fixture
def start(_bpy: None, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    """Start a bridge of the test's own; arguments as for `bpy-bridge serve`."""
    with ExitStack() as stack:
        yield lambda *arguments, **options: stack.enter_context(
            serving(options.pop("home", tmp_path / "home"), *arguments, **options)
        )
