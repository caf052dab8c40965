"""SIGTERM, in the middle of things and again and again: nothing that was accepted is lost, nothing stays behind."""

from __future__ import annotations

import json
import signal
import urllib.error
import urllib.request
from collections import Counter

import psutil
import pytest
import trio

from bridge.client import AsyncClient
from bridge.errors import NotRunning, RequestError

from .serving import PATIENCE, children, serving, until

pytestmark = pytest.mark.blender


def test_sigterm_under_load_loses_no_accepted_request(start, tmp_path):
    served = start()
    done = tmp_path / "done"
    append = f"open({str(done)!r}, 'a').write('%s\\n')"
    answered: list[str] = []
    refused: Counter[str] = Counter()

    async def caller(number: int) -> None:
        async with AsyncClient(served.address) as client:
            for i in range(10_000):
                try:
                    await client.call("code.execute", {"code": append % f"{number}.{i}"})
                except RequestError as error:
                    refused[f"{error.code} {error.outcome}"] += 1
                    return
                except NotRunning:
                    refused["not sent"] += 1
                    return
                answered.append(f"{number}.{i}")

    async def load() -> None:
        with trio.fail_after(PATIENCE):
            async with trio.open_nursery() as nursery:
                for number in range(32):
                    nursery.start_soon(caller, number)
                while len(answered) < 500:
                    await trio.sleep(0.01)
                served.process.send_signal(signal.SIGTERM)

    trio.run(load)
    assert served.process.wait(PATIENCE) == 0
    assert sorted(done.read_text().split()) == sorted(answered), "what ran was answered, and the other way round"
    assert set(refused) <= {"shutting_down not_executed", "blender_lost not_executed", "not sent"}
    assert refused.total() == 32


def test_while_it_drains_it_is_alive_and_not_ready_and_the_log_tells_the_steps(start, tmp_path):
    served = start()
    with served.client() as client:
        client.call("scene.summary")
    go = tmp_path / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)"

    async def drain() -> None:
        async with AsyncClient(served.address) as client, trio.open_nursery() as nursery:
            nursery.start_soon(client.call, "code.execute", {"code": wait})
            await trio.to_thread.run_sync(until, lambda: page(served, "/status")[1]["instances"][0]["pool"]["leased"])
            served.process.send_signal(signal.SIGTERM)
            await trio.to_thread.run_sync(until, lambda: page(served, "/readyz")[0] == 503)
            assert page(served, "/livez")[0] == 200
            assert page(served, "/status")[1]["state"] == "draining"
            go.touch()

    trio.run(drain)
    assert served.process.wait(PATIENCE) == 0
    steps = [
        "shutting down",
        "doors closed",
        "requests in flight ended",
        "client connections closed",
        "HTTP door closed",
    ]
    places = [served.log.index(step) for step in [*steps, "bridge has ended"]]
    assert places == sorted(places)


def page(served, path: str):
    """The status code and the JSON of a page of the HTTP door."""
    try:
        with urllib.request.urlopen(served.ready["http"] + path, timeout=PATIENCE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


# A token that clients were given, and the jobs, outlive every bridge.
KEPT = {"mcp.token", "jobs.sqlite"}


@pytest.mark.parametrize("cycles", [20, pytest.param(100, marks=pytest.mark.soak)])
@pytest.mark.usefixtures("_bpy")
def test_started_and_stopped_again_and_again_it_leaves_nothing_behind(tmp_path, cycles):
    home = tmp_path / "home"
    for _ in range(cycles):
        with serving(home) as served:
            with served.client() as client:
                client.call("object.create", {"type": "cube"})
            left = children(served.process.pid)
            assert left
            assert served.end() == 0
            assert not psutil.wait_procs(left, PATIENCE)[1]
        assert {path.name for path in home.iterdir()} == KEPT


def test_a_taken_http_port_is_a_clear_error_and_nothing_is_started(start, tmp_path):
    first = start()
    taken = first.ready["http"].replace("http://", "tcp:")
    with pytest.raises(AssertionError) as caught:
        start("--http", taken, home=tmp_path / "second")
    assert f"cannot listen at {taken}" in str(caught.value)
    assert "--http off" in str(caught.value)
    assert list((tmp_path / "second").iterdir()) == []


def test_without_the_http_door_the_ready_line_names_none(start):
    served = start("--http", "off")
    assert "http" not in served.ready
    with served.client() as client:
        assert client.status()["http"] is None
