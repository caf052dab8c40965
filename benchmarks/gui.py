"""A Blender with a window, beside which a person works: how soon it answers, and what it costs while nobody asks."""

from __future__ import annotations

import json
import multiprocessing
import socket
import threading
import time
from functools import cache
from statistics import median, quantiles
from time import perf_counter

import psutil

from benchmarks.blender import RawClient, place
from benchmarks.harness import ratio, row
from benchmarks.window import bare_window, client, window

_BURST = 2000
_VERTICES = 5_000_000
_BYTES = _VERTICES * 12
_SOCKETS = 8
_IDLE_SECONDS = 6.0


@cache
def _client() -> RawClient:
    place(0, core=0)
    return client()


@cache
def _prepared() -> bytes:
    return _client().prepare("object.get", {"name": "Cube"})


def _asked(after: float = 0.0) -> float:
    """Milliseconds of one request, asked after a pause in which nobody asks anything."""
    ask, prepared = _client().ask, _prepared()
    if after:
        time.sleep(after)  # noqa: TID251  # the pause is what is measured
    start = perf_counter()
    ask(prepared)
    return (perf_counter() - start) * 1e3


@cache
def _burst() -> list[float]:
    for _ in range(100):
        _asked()
    return [_asked() for _ in range(_BURST)]


@row("window: one request after the other, p50", unit="ms", limit=0.3)
def sequential_median() -> float:
    return median(_burst())


@row("window: one request after the other, p99", unit="ms", limit=6.0)
def sequential_worst() -> float:
    return quantiles(_burst(), n=100)[98]


@row("window: a request after a pause of 50 ms, p50", unit="ms", limit=6.0)
def after_a_short_pause() -> float:
    return median(_asked(after=0.05) for _ in range(60))


@row("window: a request after a pause of 2 s, p50", unit="ms", limit=6.0)
def after_a_long_pause() -> float:
    return median(_asked(after=2.0) for _ in range(7))


@row("window: 8 sockets at once, requests a second", unit="/s", limit=2000, better="higher")
def eight_sockets() -> float:
    clients = [client() for _ in range(_SOCKETS)]
    prepared = _prepared()
    each = 400

    def ask(one: RawClient) -> None:
        for _ in range(each):
            one.ask(prepared)

    def once() -> float:
        threads = [threading.Thread(target=ask, args=(one,)) for one in clients]
        start = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return _SOCKETS * each / (perf_counter() - start)

    once()
    return median(once() for _ in range(5))


_COUNT_TICKS = """
names = bpy.app.driver_namespace
names["ticks"] = 0
def count():
    names["ticks"] += 1
    return 0.0
bpy.app.timers.register(count, persistent=True)
"""
_HOLD = "import time; time.sleep(0.1)"
_TICK = "result = bpy.app.driver_namespace['ticks']"


@row("window: ticks that drain what 8 sockets ask while it is busy", unit="ticks", limit=1)
def one_tick() -> float:
    _client().call("code.execute", {"code": "import bpy" + _COUNT_TICKS})
    clients = [client() for _ in range(_SOCKETS)]
    return median(_ticks(clients) for _ in range(9))


def _ticks(clients: list[RawClient]) -> int:
    _client().send(_client().prepare("code.execute", {"code": _HOLD}))
    for one in clients:
        one.send(one.prepare("code.execute", {"code": _TICK}))
    _client().wait()
    return len({json.loads(bytes(one.wait()))["result"] for one in clients})


@row("window: idle, above a Blender without the add-on", unit="% of a core", limit=1.5)
def idle() -> float:
    with_addon, without = psutil.Process(window().process.pid), bare_window()
    time.sleep(_IDLE_SECONDS)  # noqa: TID251  # a Blender that has just started has things to do
    return median(_above(with_addon, without) for _ in range(5))


def _above(with_addon: psutil.Process, without: psutil.Process) -> float:
    # At the same time: whatever else the machine does weighs on both.
    before = _seconds(with_addon), _seconds(without)
    time.sleep(_IDLE_SECONDS)  # noqa: TID251  # the time in which nothing is asked is what is measured
    return 100 * ((_seconds(with_addon) - before[0]) - (_seconds(without) - before[1])) / _IDLE_SECONDS


def _seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


_MESH = f"""
import bpy
if "Bench" not in bpy.data.objects:
    mesh = bpy.data.meshes.new("Bench")
    mesh.vertices.add({_VERTICES})
    # Not in the scene: that its points be drawn is not what is asked.
    bpy.data.objects.new("Bench", mesh).use_fake_user = True
"""


def _read() -> float:
    asking = _client()
    prepared = asking.prepare("mesh.read", {"object": "Bench", "attributes": ["co"]})
    start = perf_counter()
    asking.ask(prepared)
    return perf_counter() - start


def _serve_bytes(connected: socket.socket) -> None:
    place(0, core=1)
    content = bytes(_BYTES)
    while connected.recv(1):
        connected.sendall(content)


@cache
def _sender() -> socket.socket:
    ours, theirs = socket.socketpair()
    multiprocessing.get_context("fork").Process(target=_serve_bytes, args=(theirs,), daemon=True).start()
    theirs.close()
    return ours


def _sent() -> float:
    """The seconds in which a process sends as many bytes by `sendall`, asked for by one byte."""
    connected = _sender()
    start = perf_counter()
    connected.sendall(b"1")
    into = memoryview(bytearray(_BYTES))  # as a client does that reads one mesh
    received = 0
    while received < _BYTES:
        received += connected.recv_into(into[received:])
    return perf_counter() - start


@row("window: a mesh of 60 MB read, to sendall of as many bytes", limit=4.0)
def mesh() -> float:
    _client().call("code.execute", {"code": _MESH})
    return ratio(_read, _sent, rounds=7)


@row("window: a mesh of 60 MB read", unit="MB/s", limit=200, better="higher")
def mesh_rate() -> float:
    _client().call("code.execute", {"code": _MESH})
    _read()
    return median(_BYTES / 1e6 / _read() for _ in range(7))
