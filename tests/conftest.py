"""One Blender, and the wires to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.bridge.blender import Blender, Wires, running_blender
from tests.standard_error import log_to_standard_error

log_to_standard_error()


@pytest.fixture
def blender(tmp_path: Path) -> Iterator[Blender]:
    with running_blender(tmp_path / "blender.sock") as blender:
        yield blender


@pytest.fixture
def wires(blender: Blender) -> dict[str, Wires]:
    """To `blender`, as the only instance."""
    return {"default": Wires(blender.path)}


@pytest.fixture
def listen(tmp_path: Path) -> str:
    return f"unix:{tmp_path / 'bridge.sock'}"


@pytest.fixture
def start_blender() -> Iterator[Callable[[Path], Blender]]:
    """Start one more, at a path of its own."""
    with ExitStack() as stack:
        yield lambda path: stack.enter_context(running_blender(path))
