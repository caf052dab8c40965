"""A home for bridges in the background, none of which outlives its test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.home import Home
from tests.integration.serving import PATIENCE


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    home = Home(tmp_path / "home")
    yield home
    left = [process for bridge in home.bridges() for process in [bridge, *bridge.children(recursive=True)]]
    for process in left:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(left, PATIENCE)
