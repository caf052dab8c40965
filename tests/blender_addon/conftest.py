from __future__ import annotations

import pytest

from blender_addon.pump import Pump
from blender_addon.wire.address import Address
from blender_addon.work import Ticket, Work
from tests.blender_addon.pumping import Function, Waiting
from tests.blender_addon.serving import CooperativeInterrupter, Served


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


@pytest.fixture
def pump():
    return Pump(CooperativeInterrupter(), most_queued=3)


@pytest.fixture
def client():
    return Waiting()


@pytest.fixture
def submit(pump, client):
    def submit(request_id, function=lambda call: {}, *, deadline=None, **key):
        work = Work(Ticket(client, request_id, deadline), "a.b", Function(function), {}, **key)
        pump.submit(work)
        return work

    return submit
