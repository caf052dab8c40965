"""The bridge's line in one process: door, service, fleet and pools, on real sockets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import trio

from blender_addon.wire import Limits
from bridge.events import BridgeEvent
from bridge.fleet import Fleet, Instance
from bridge.frontends.framed import FramedDoor
from bridge.health import Health, HealthLimits
from bridge.listeners import Listener, open_listener
from bridge.memory import MemoryBudget
from bridge.pool import PoolSettings
from bridge.service import Service
from bridge.status import Status
from tests.bridge.blender import PATIENCE, Wires
from tests.bridge.tool import Tool

MEGABYTE = 1 << 20


@dataclass
class Line:
    """What a test may look at."""

    service: Service
    fleet: Fleet
    door: FramedDoor
    listener: Listener
    memory: MemoryBudget
    token: str | None
    events: list[BridgeEvent] = field(default_factory=list)
    tools: list[Tool] = field(default_factory=list)

    async def stranger(self) -> Tool:
        """A connection that has not said hello."""
        kind, _, where = self.listener.address.partition(":")
        if kind == "unix":
            stream = await trio.open_unix_socket(where)
        else:
            host, _, port = where.rpartition(":")
            stream = await trio.open_tcp_stream(host, int(port))
        self.tools.append(Tool(stream, token=self.token))
        return self.tools[-1]

    async def tool(self) -> Tool:
        """A connected tool client."""
        tool = await self.stranger()
        await tool.greet()
        return tool

    def pool(self, name: str = "default"):
        return self.fleet.instances[name].pool.statistics()

    def health(self, name: str = "default") -> Health:
        return self.fleet.instances[name].health.latest.value


@asynccontextmanager
async def bridge(
    wires: Mapping[str, Wires],
    listen: str,
    *,
    token: str | None = None,
    pool: PoolSettings | None = None,
    cancel_grace: float = 1.0,
    max_payload: int = 64 * MEGABYTE,
    max_in_flight: int = 64,
    max_buffered: int = 256 * MEGABYTE,
    max_clients: int = 1024,
    frame_timeout: float = PATIENCE,
    handshake_timeout: float = PATIENCE,
    default_deadline: float = 300.0,
    health: HealthLimits | None = None,
) -> AsyncIterator[Line]:
    """The line, running, and at the end the proof that no payload's memory was forgotten.

    Without `health` nothing is probed: every wire is the pool's.
    """
    seen: list[BridgeEvent] = []
    memory = MemoryBudget(max_buffered)
    responses, requests = memory.share(max_buffered), memory.share(max(max_payload, max_buffered - max_payload))
    fleet = Fleet(
        Instance(
            name,
            f"test:{name}",
            wire,
            token=None,
            pool=pool or PoolSettings(),
            memory=responses,
            max_payload=max_payload,
            cancel_grace=cancel_grace,
            emit=seen.append,
            health=health,
        )
        for name, wire in wires.items()
    )
    if health is None:
        for instance in fleet.instances.values():
            instance.health.run = trio.sleep_forever
    service = Service(fleet, Status(fleet), default_deadline=default_deadline, emit=seen.append)
    door = FramedDoor(
        service,
        limits=Limits(max_payload, max_in_flight),
        memory=requests,
        max_clients=max_clients,
        frame_timeout=frame_timeout,
        handshake_timeout=handshake_timeout,
    )
    listener = open_listener(listen)
    line = Line(service, fleet, door, listener, memory, token, seen)
    try:
        with trio.fail_after(2 * PATIENCE):
            async with trio.open_nursery() as nursery:
                await nursery.start(fleet.run)
                nursery.start_soon(door.serve, [(listener, token)])
                try:
                    yield line
                finally:
                    for tool in line.tools:
                        tool.stream.socket.close()
                await until(lambda: door.clients == 0)
                assert memory.used == 0
                nursery.cancel_scope.cancel()
    finally:
        listener.close()


async def until(condition: Callable[[], object]) -> None:
    """Wait for what happens on another thread or task; never longer than PATIENCE."""
    with trio.fail_after(PATIENCE):
        while not condition():
            await trio.sleep(0.002)


def unix(tmp_path: Path) -> str:
    return f"unix:{tmp_path / 'bridge.sock'}"
