"""One request on its way: straight to the add-on, through a pool, through the whole bridge."""

from __future__ import annotations

import json
import multiprocessing
import socket
from collections.abc import Awaitable, Callable
from functools import cache, partial
from statistics import median
from time import perf_counter

import trio

from benchmarks.blender import RawClient, blender, bridge, monitored_bridge, place
from benchmarks.harness import ratio, row
from blender_addon.wire import Request, parse_address
from bridge import stream
from bridge.connection import Connection, Exchange, open_connection
from bridge.memory import MemoryBudget
from bridge.pool import Pool

# It changes nothing: what an undo step costs is Blender's own (0.07 ms in 3.4, 0.6 ms in 5.0), not the way's.
_METHOD, _PARAMS = "modifier.list", {"object": "Cube"}
_REQUESTS = 400
_MANY = 3000
_VERTICES = (64 << 20) // 12


def _median_seconds(ask: Callable[[], None], count: int = _REQUESTS) -> float:
    seconds = []
    for _ in range(count):
        start = perf_counter()
        ask()
        seconds.append(perf_counter() - start)
    return median(seconds)


@cache
def _client(address: str) -> RawClient:
    place(0, core=0)
    return RawClient(address)


def _small(address: str) -> float:
    client = _client(address)
    return _median_seconds(partial(client.ask, client.prepare(_METHOD, _PARAMS)))


def _echo(connected: socket.socket) -> None:
    place(0, core=1)
    while data := connected.recv(65_536):
        connected.sendall(data)


@cache
def _echo_server() -> socket.socket:
    ours, theirs = socket.socketpair()
    multiprocessing.get_context("fork").Process(target=_echo, args=(theirs,), daemon=True).start()
    theirs.close()
    return ours


def _echoed() -> float:
    connected = _echo_server()
    prepared = _client(blender()).prepare(_METHOD, _PARAMS)

    def ask() -> None:
        connected.sendall(prepared)
        connected.recv(65_536)

    return _median_seconds(ask)


@row("small request straight to the add-on, to a raw blocking echo", limit=3.0)
def straight() -> float:
    _echo_server()  # forked before Blender's threads and sockets are here
    return ratio(lambda: _small(blender()), _echoed)


@row("small request through the bridge, to straight to the add-on", limit=2.5)
def through_the_bridge() -> float:
    return ratio(lambda: _small(bridge()), lambda: _small(blender()))


@row("small requests with monitoring on, to off", limit=1.05)
def monitored() -> float:
    return ratio(lambda: _many_small(monitored_bridge()), lambda: _many_small(bridge()))


def _many_small(address: str) -> float:
    """Seconds in all: a scrape delays one request in many, which a median would not see."""
    client = _client(address)
    prepared = client.prepare(_METHOD, _PARAMS)
    start = perf_counter()
    for _ in range(_MANY):
        client.ask(prepared)
    return perf_counter() - start


@row("small request through the pool, to the same connection without", limit=1.05)
def through_the_pool() -> float:
    place(0, core=0)

    async def main() -> float:
        async with trio.open_nursery() as nursery:
            pool = Pool("bench", _connect)
            await nursery.start(pool.run)
            ratios = []
            for _ in range(15):
                with await pool.acquire() as connection:
                    alone = await _timed(partial(_call, connection))
                pooled = await _timed(partial(_call_pooled, pool))
                ratios.append(pooled / alone)
            await pool.drain()
        return median(ratios)

    return trio.run(main)


async def _connect() -> Connection:
    memory = MemoryBudget(1 << 30).share(1 << 30)
    path = parse_address(blender()).path
    opened = partial(stream.connect_unix, path)
    return await open_connection(opened, token=None, memory=memory, max_payload=1 << 28, cancel_grace=1.0)


async def _call(connection: Connection) -> None:
    exchange = Exchange(Request("bench", _METHOD), json.dumps(_PARAMS).encode())
    await connection.call(exchange)
    assert exchange.reply is not None
    exchange.reply.drop()


async def _call_pooled(pool: Pool[Connection]) -> None:
    with await pool.acquire() as connection:
        await _call(connection)


async def _timed(call: Callable[[], Awaitable[None]]) -> float:
    seconds = []
    for _ in range(_REQUESTS):
        start = perf_counter()
        await call()
        seconds.append(perf_counter() - start)
    return median(seconds)


@row("64 MiB mesh.read through the bridge, to straight to the add-on", limit=1.5)
def large_read() -> float:
    _client(blender()).call("code.execute", {"code": _MESH})
    sides = [_client(address) for address in (bridge(), blender())]
    asks = [partial(side.ask, side.prepare("mesh.read", {"object": "Bench", "attributes": ["co"]})) for side in sides]
    return ratio(lambda: _median_seconds(asks[0], 3), lambda: _median_seconds(asks[1], 3), rounds=7)


_MESH = f"""
import bpy
if "Bench" not in bpy.data.objects:
    mesh = bpy.data.meshes.new("Bench")
    mesh.vertices.add({_VERTICES})
    bpy.context.scene.collection.objects.link(bpy.data.objects.new("Bench", mesh))
"""
