"""The health of a real Blender: rendering, at work, frozen, killed and started anew."""

from __future__ import annotations

import signal
import statistics
import threading
import time

import pytest

from bridge.errors import BlenderLost

from .serving import PATIENCE, until

pytestmark = pytest.mark.blender

OFTEN = {"BPY_BRIDGE_HEALTH__INTERVAL": "0.1"}
RENDERED = 20.0
ENDLESS = """
import bpy
cycles = bpy.context.scene.cycles
cycles.use_adaptive_sampling = cycles.use_denoising = False
"""


def health(client):
    return client.status()["instances"][0]["health"]


def found(client, state: str):
    """The health if it is that one now."""
    now = health(client)
    return now if now["state"] == state else None


def run_until_lost(served, method, params):
    """The request on a thread of its own; Blender is killed before it ends."""

    def run() -> None:
        with served.client() as client, pytest.raises(BlenderLost):
            client.call(method, params)

    thread = threading.Thread(target=run)
    thread.start()
    return thread


def test_for_20_seconds_of_a_render_it_is_busy_and_a_ping_takes_no_50_ms(start):
    served = start(settings=OFTEN)
    with served.client() as client, served.client() as other:
        client.call("code.execute", {"code": ENDLESS})
        size = {"width": 1280, "height": 720, "engine": "cycles", "samples": 65_536}
        thread = run_until_lost(served, "render.still", size)
        until(lambda: health(client)["reason"].startswith("runs render.still for "))
        pings, seen, pause = [], [], threading.Event()
        end = time.monotonic() + RENDERED
        while time.monotonic() < end:
            began = time.perf_counter()
            assert other.ping()["ready"] == 1
            pings.append(time.perf_counter() - began)
            seen.append(health(client))
            pause.wait(0.02)  # a pace, no synchronisation
        served.worker().kill()
        thread.join(PATIENCE)
    assert {one["state"] for one in seen} == {"busy"}
    assert seen[-1]["blender"]["running"]["seconds"] > RENDERED - 1
    assert len({one["checked_at"] for one in seen}) > RENDERED, "measured anew, again and again"
    assert ninth_decile(pings) < 0.05
    assert ninth_decile([one["latency"] for one in seen]) < 0.05


def ninth_decile(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=10)[-1]


def test_python_that_sleeps_or_calculates_is_busy(start):
    served = start(settings=OFTEN)
    with served.client() as client, served.client() as worker:
        for code in ("import time\ntime.sleep(600)", "while True: pass"):
            until(lambda: found(client, "healthy"))
            thread = threading.Thread(target=lambda code=code: cancelled(worker, code))
            thread.start()
            assert until(lambda: found(client, "busy"))["reason"].startswith("runs code.execute for ")
            until(worker.cancel)
            thread.join(PATIENCE)


def cancelled(client, code: str) -> None:
    with pytest.raises(Exception, match="cancelled"):
        client.call("code.execute", {"code": code})


def test_killed_and_started_anew_it_is_unreachable_and_then_healthy(start):
    served = start(settings=OFTEN)
    with served.client() as client:
        before = until(lambda: found(client, "healthy"))
        served.worker().kill()
        lost = until(lambda: found(client, "unreachable"))
        assert lost["failures"] >= 1
        assert before["last_success"] <= lost["last_success"] < lost["checked_at"]
        after = until(lambda: found(client, "healthy"))
        assert after["blender"]["pid"] == served.worker().pid != before["blender"]["pid"]
        assert (after["failures"], after["unhealthy"]) == (0, False)
    assert "instance answers again" in served.log
    assert served.end() == 0


def test_a_frozen_blender_becomes_unhealthy_and_is_not_ready_until_it_goes_on(start):
    served = start(settings={**OFTEN, "BPY_BRIDGE_HEALTH__TIMEOUT": "0.2"})
    with served.client() as client:
        until(lambda: found(client, "healthy") and client.ping()["ready"] == 1)
        worker = served.worker()
        worker.send_signal(signal.SIGSTOP)
        until(lambda: health(client)["unhealthy"])
        assert health(client)["reason"] == "no answer within 0.2 s"
        assert client.ping()["ready"] == 0
        worker.send_signal(signal.SIGCONT)
        until(lambda: found(client, "healthy") and client.ping()["ready"] == 1)
    assert served.end() == 0
