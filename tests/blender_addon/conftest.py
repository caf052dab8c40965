from __future__ import annotations

import pytest

from blender_addon.wire.address import Address
from tests.blender_addon.serving import Served


@pytest.fixture
def serve(tmp_path):
    """Serve a small application; keywords as Served takes them. Everything is closed at the end."""
    running = []

    def start(**options):
        address = options.pop("address", Address("unix", path=str(tmp_path / f"{len(running)}.sock")))
        running.append(Served(address, **options))
        return running[-1]

    yield start
    for served in running:
        served.close()


@pytest.fixture
def served(serve):
    return serve()


@pytest.fixture
def connect(served):
    """Open one more connection to `served`."""
    return served.client
