"""Requests that wait together behind one that holds the only connection."""

from __future__ import annotations

from bridge.events import RequestShared
from bridge.pool import PoolSettings
from tests.bridge.line import until

ONE = PoolSettings(max_connections=1)


class Queue:
    """Requests of one tool behind one that holds the only connection, until `open`."""

    def __init__(self, line, tool, blender) -> None:
        self.line = line
        self.tool = tool
        self._blender = blender

    async def hold(self) -> None:
        await until(lambda: self.line.pool().live)
        await self.tool.call("methods", "bridge.methods")  # Blender's own commands are known from now on
        await self.tool.send("held", "test.wait", {"name": "held"})
        await until(lambda: "held" in self._blender.ran)

    async def add(self, request_id: str, params: object = None, method: str = "test.look", tool=None, **fields) -> None:
        before = self.line.pool().waiting
        await (tool or self.tool).send(request_id, method, params, **fields)
        await until(lambda: self.line.pool().waiting == before + 1)

    def open(self, name: str = "held") -> None:
        self._blender.gates[name].set()

    @property
    def shared(self) -> list[str]:
        return [event.method for event in self.line.events if isinstance(event, RequestShared)]
