"""The bridge's line with the MCP door, and who comes in there: a client that says exactly what it is told to."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import trio

from bridge.frontends.mcp import McpDoor
from bridge.listeners import Listener, open_listener
from tests.bridge.blender import PATIENCE, Blender, Wires
from tests.bridge.line import Line, bridge

SESSIONS, STATELESS = "2025-11-25", "2026-07-28"
_META = {
    "io.modelcontextprotocol/protocolVersion": STATELESS,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
}


class Caller:
    """One connection. What comes that is no answer to `ask` is kept in `heard`."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self.stream = stream
        self.heard: list[dict[str, Any]] = []
        self._buffer = bytearray()
        self._answers: dict[Any, dict[str, Any]] = {}
        self._ids = iter(range(1, 1 << 30))

    async def say(self, data: bytes) -> None:
        await self.stream.send_all(data)

    async def send(self, method: str, params: Any = None, *, number: Any = None) -> Any:
        """A request; its id."""
        number = next(self._ids) if number is None else number
        await self.say(line({"id": number, "method": method, "params": {} if params is None else params}))
        return number

    async def note(self, method: str, **params: Any) -> None:
        await self.say(line({"method": method, "params": params}))

    async def ask(self, method: str, params: Any = None) -> dict[str, Any]:
        return await self.answer(await self.send(method, params))

    async def stateless(self, method: str, **params: Any) -> dict[str, Any]:
        """A request that says everything itself."""
        return await self.ask(method, {**params, "_meta": {**_META, **params.get("_meta", {})}})

    async def call(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """A tool's result."""
        return (await self.ask("tools/call", {"name": name, "arguments": arguments}))["result"]

    async def start(self, name: str, /, **arguments: Any) -> Any:
        """Call a tool and go on; the request's id."""
        return await self.send("tools/call", {"name": name, "arguments": arguments})

    async def answer(self, number: Any) -> dict[str, Any]:
        while number not in self._answers:
            await self.hear()
        return self._answers.pop(number)

    async def hear(self) -> dict[str, Any]:
        """The next message. Raises EOFError."""
        message = await self.next_message()
        if message is None:
            raise EOFError
        if "method" not in message and message.get("id") is not None:
            self._answers[message["id"]] = message
        else:
            self.heard.append(message)
        return message

    async def next_message(self) -> dict[str, Any] | None:
        while b"\n" not in self._buffer:
            data = await self.stream.receive_some(65_536)
            if not data:
                return None
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\n")
        found: dict[str, Any] = json.loads(message)
        return found

    async def greet(self, tools: str = "full", **preface: Any) -> None:
        await self.say(json.dumps({"bpy_bridge": 1, "tools": tools, **preface}).encode() + b"\n")

    async def initialize(self) -> dict[str, Any]:
        client = {"protocolVersion": SESSIONS, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
        answer = await self.ask("initialize", client)
        await self.note("notifications/initialized")
        return answer["result"]


def line(message: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n"


class House:
    """The door. `line` is the bridge behind it."""

    def __init__(self, line: Line, door: McpDoor, listener: Listener) -> None:
        self.line = line
        self.door = door
        self.listener = listener
        self.callers: list[Caller] = []
        self.serving = trio.CancelScope()

    async def stranger(self) -> Caller:
        """A connection that has said nothing."""
        kind, _, where = self.listener.address.partition(":")
        if kind == "unix":
            stream = await trio.open_unix_socket(where)
        else:
            host, _, port = where.rpartition(":")
            stream = await trio.open_tcp_stream(host, int(port))
        self.callers.append(Caller(stream))
        return self.callers[-1]

    async def caller(self, tools: str = "full", **preface: Any) -> Caller:
        """A client that has introduced itself."""
        caller = await self.stranger()
        await caller.greet(tools, **preface)
        await caller.initialize()
        return caller


@asynccontextmanager
async def house(
    wires: Mapping[str, Wires],
    listen: str,
    *,
    mcp: str | None = None,
    token: str | None = None,
    folders: list[Path] | None = None,
    **options: Any,
) -> AsyncIterator[House]:
    listener = open_listener(mcp or listen.replace("bridge.sock", "mcp.sock"), flag="--mcp")
    try:
        async with bridge(wires, listen, **options) as line:
            door = McpDoor(line.service, "", folders)
            found = House(line, door, listener)
            async with trio.open_nursery() as nursery:

                async def serve() -> None:
                    with found.serving:
                        await door.serve(listener, token)

                nursery.start_soon(serve)
                try:
                    with trio.fail_after(PATIENCE):
                        yield found
                finally:
                    for caller in found.callers:
                        caller.stream.socket.close()
                    nursery.cancel_scope.cancel()
    finally:
        listener.close()


def tell_revisions(blender: Blender) -> None:
    """Have the stand-in say what has changed, as the add-on does."""
    blender.catalogue.remove("addon.describe")

    @blender.catalogue.command("addon.describe", io_thread=True)
    def describe(*, known: str = "") -> Any:
        """Describe every command, unless that is known."""
        revision = blender.catalogue.revision
        return {"revision": revision, **({} if known == revision else {"methods": blender.catalogue.describe()})}
