"""The bridge's line with MCP mounted into the HTTP door, and who comes in there: the SDK's client, and plain HTTP."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import trio
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from blender_addon.call import Call
from bridge.frontends.http import HttpDoor, Pages
from bridge.frontends.mcp.catalogue import Catalogue
from bridge.frontends.mcp.client import Shared
from bridge.frontends.mcp.http import McpOverHttp
from bridge.listeners import open_listener
from tests.bridge.blender import PATIENCE, Blender
from tests.bridge.line import Line, bridge

TOKEN = "the-token-of-the-test"
HOLDER = {"Authorization": f"Bearer {TOKEN}"}
ERAS = ["legacy", "2026-07-28"]
SESSIONS, STATELESS = "2025-11-25", "2026-07-28"
# The SDK's client leaves streams of events half read behind; trio finds that worth a word.
UNCLOSED = "ignore:Async generator 'http(x|core)2:ResourceWarning"
_ACCEPT = {"Accept": "application/json, text/event-stream"}


class Site:
    """The door. `line` is the bridge behind it, `app` what is mounted."""

    def __init__(self, line: Line, app: McpOverHttp, door: HttpDoor, url: str, stop: Callable[[], None]) -> None:
        self.line = line
        self.app = app
        self.door = door
        self.url = url
        self.stop = stop

    @asynccontextmanager
    async def client(self, mode: str, query: str = "?tools=full", **options: Any) -> AsyncIterator[Client]:
        """The SDK's client; `mode` is its protocol's era."""
        async with self.http() as http:
            transport = streamable_http_client(f"{self.url}/mcp{query}", http_client=http)
            async with Client(transport, mode=mode, **options) as client:
                yield client

    @asynccontextmanager
    async def http(self, **headers: str) -> AsyncIterator[httpx2.AsyncClient]:
        """Plain HTTP for who holds the token."""
        timeout = httpx2.Timeout(20)
        async with httpx2.AsyncClient(
            base_url=self.url, headers={**_ACCEPT, **HOLDER, **headers}, timeout=timeout, trust_env=False
        ) as http:
            yield http


def initialize(number: int = 1) -> dict[str, Any]:
    params = {"protocolVersion": SESSIONS, "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}}
    return {"jsonrpc": "2.0", "id": number, "method": "initialize", "params": params}


def tool_call(name: str, arguments: dict[str, Any] | None = None, *, number: int = 2, **meta: Any) -> dict[str, Any]:
    params: dict[str, Any] = {"name": name, "arguments": arguments or {}}
    if meta:
        params["_meta"] = meta
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}


def stateless(request: dict[str, Any], *, client: str = "test") -> dict[str, Any]:
    """As `post`'s arguments: a request of the era without sessions, which says everything itself."""
    params = request.setdefault("params", {})
    params["_meta"] = {
        **params.get("_meta", {}),
        "io.modelcontextprotocol/protocolVersion": STATELESS,
        "io.modelcontextprotocol/clientCapabilities": {},
        "io.modelcontextprotocol/clientInfo": {"name": client, "version": "1"},
    }
    headers = {"MCP-Protocol-Version": STATELESS, "Mcp-Method": request["method"]}
    if "name" in params:
        headers["Mcp-Name"] = params["name"]
    return {"json": request, "headers": headers}


async def session_of(http: httpx2.AsyncClient, path: str = "/mcp?tools=full") -> dict[str, str]:
    """Open a session: the headers that its requests carry."""
    opened = await http.post(path, json=initialize())
    assert opened.status_code == 200, opened.text
    headers = {"Mcp-Session-Id": opened.headers["mcp-session-id"], "MCP-Protocol-Version": SESSIONS}
    note = {"jsonrpc": "2.0", "method": "notifications/initialized"}
    assert (await http.post(path, json=note, headers=headers)).status_code == 202
    return headers


def messages(text: str) -> list[dict[str, Any]]:
    """What a stream of events has told."""
    return [json.loads(line.removeprefix("data:")) for line in text.splitlines() if line.startswith("data:")]


async def next_message(lines: AsyncIterator[str]) -> dict[str, Any]:
    """The next one that a stream of events tells."""
    async for line in lines:
        if line.startswith("data: {"):
            return messages(line)[0]
    raise AssertionError("the stream has ended")


def command_that_reports(blender: Blender) -> None:
    """`test.half`: it is half-way there until its gate opens."""

    @blender.catalogue.command("test.half")
    def half(call: Call, *, name: str) -> Any:
        """Report, and wait for the gate of that name."""
        call.progress(1, 2, "half-way")
        blender.gates[name].wait(PATIENCE)
        return {"done": name}


@asynccontextmanager
async def serving(wires: Any, listen: str) -> AsyncIterator[Site]:
    listener = open_listener("tcp:127.0.0.1:0", flag="--http")
    async with bridge(wires, listen) as line:
        catalogue = Catalogue(line.service)
        app = McpOverHttp(Shared(line.service, catalogue, None), TOKEN)
        door = HttpDoor(Pages(line.service.status, lambda _: (b"", "text/plain"), {"/mcp": app}))
        async with trio.open_nursery() as nursery:
            running = trio.CancelScope()

            async def run() -> None:
                with running:
                    await app.run()

            nursery.start_soon(run)
            nursery.start_soon(catalogue.run)
            nursery.start_soon(door.serve, listener)
            port = listener.socket.getsockname()[1]
            try:
                yield Site(line, app, door, f"http://127.0.0.1:{port}", running.cancel)
            finally:
                running.cancel()
                door.stop()
                listener.close()
                nursery.cancel_scope.cancel()
