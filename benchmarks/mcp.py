"""MCP: one tool call over standard input and output and over HTTP, how soon a client is answered, what a list costs."""

from __future__ import annotations

import http.client
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

from benchmarks.blender import STACK, RawClient, home, mcp_bridge, place
from benchmarks.harness import Unmeasurable, ratio, row
from bridge.paths import read_token

_METHOD, _PARAMS = "object.get", {"name": "Cube"}
_CALLS = 200
_STARTS = 5
_VERSION = "2026-07-28"
_INITIALIZE = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}},
}
_CALL = {"name": _METHOD.replace(".", "_"), "arguments": _PARAMS}
_META = {
    "io.modelcontextprotocol/protocolVersion": _VERSION,
    "io.modelcontextprotocol/clientCapabilities": {},
    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
}


def _median_seconds(ask: Callable[[], None]) -> float:
    seconds = []
    for _ in range(_CALLS):
        start = perf_counter()
        ask()
        seconds.append(perf_counter() - start)
    return median(seconds)


class Relay:
    """What a client starts: a process, and lines of JSON-RPC."""

    def __init__(self, directory: Path) -> None:
        script = Path(sys.executable).with_name("bpy-bridge-mcp")
        if not script.exists():
            raise Unmeasurable(f"there is no {script}: install bpy-bridge")
        environment = {**os.environ, "BPY_BRIDGE_HOME": str(directory), "BPY_BRIDGE_HTTP": "off"}
        self._process = subprocess.Popen(
            [script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment
        )

    def ask(self, line: bytes) -> Any:
        """The answer to a request; notifications are passed over."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(line)
        process.stdin.flush()
        for answer in process.stdout:
            if b'"id"' in answer:
                return answer
        raise Unmeasurable("the relay has ended without an answer")

    def end(self) -> None:
        process = self._process
        assert process.stdin is not None
        process.stdin.close()
        process.wait()


def _line(request: dict[str, Any]) -> bytes:
    return json.dumps(request).encode() + b"\n"


@contextmanager
def _relay(directory: Path) -> Iterator[Relay]:
    relay = Relay(directory)
    try:
        yield relay
    finally:
        relay.end()


@cache
def _client() -> Relay:
    """One that is at home at the bridge with all doors."""
    place(0, core=0)
    mcp_bridge()
    relay = STACK.enter_context(_relay(home()))
    relay.ask(_line(_INITIALIZE))
    return relay


@cache
def _framed() -> RawClient:
    place(0, core=0)
    return RawClient(mcp_bridge()["listen"][0])


def _over_the_framed_door() -> float:
    client = _framed()
    return _median_seconds(partial(client.ask, client.prepare(_METHOD, _PARAMS)))


def _over_stdio() -> float:
    relay = _client()
    line = _line({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": _CALL})
    return _median_seconds(partial(relay.ask, line))


@cache
def _http() -> http.client.HTTPConnection:
    place(0, core=0)
    return http.client.HTTPConnection(mcp_bridge()["http"].removeprefix("http://"))


def _over_http() -> float:
    connection = _http()
    body = _line({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {**_CALL, "_meta": _META}})
    headers: dict[str, str] = {
        "Authorization": f"Bearer {read_token(home() / 'mcp.token')}",
        "Accept": "application/json, text/event-stream",
        "Content-Type": "application/json",
        "MCP-Protocol-Version": _VERSION,
        "Mcp-Method": "tools/call",
        "Mcp-Name": str(_CALL["name"]),
    }

    def ask() -> None:
        connection.request("POST", "/mcp", body, headers)
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200 or b'"isError":true' in text:
            raise RuntimeError(text.decode())

    return _median_seconds(ask)


@row("MCP tool call over standard input and output, to the framed door", limit=4.0)
def over_stdio() -> float:
    return ratio(_over_stdio, _over_the_framed_door, rounds=9)


@row("MCP tool call over HTTP, to the framed door", limit=12.0)
def over_http() -> float:
    return ratio(_over_http, _over_the_framed_door, rounds=9)


def _seconds_to_initialize() -> float:
    """The median of some starts of a relay, until its client has its first answer."""
    line = _line(_INITIALIZE)
    seconds = []
    for _ in range(_STARTS):
        start = perf_counter()
        with _relay(home()) as relay:
            relay.ask(line)
            seconds.append(perf_counter() - start)
    return median(seconds)


def _seconds_of_nothing() -> float:
    seconds = []
    for _ in range(_STARTS):
        start = perf_counter()
        subprocess.run([sys.executable, "-c", "pass"], check=True)
        seconds.append(perf_counter() - start)
    return median(seconds)


@row("MCP client start to initialize answered, a bridge running, to python -c pass", limit=3.0)
def warm_start() -> float:
    _client()
    return ratio(_seconds_to_initialize, _seconds_of_nothing, rounds=9)


@row("MCP client start to initialize answered, a bridge running", unit="ms", limit=60.0)
def warm_start_in_milliseconds() -> float:
    _client()
    _seconds_to_initialize()
    return median(_seconds_to_initialize() for _ in range(5)) * 1000


@row("MCP client start to initialize answered, no bridge running", unit="s", limit=3.0)
def cold_start() -> float:
    # Free to use both cores, as a client's own would be.
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))
    try:
        return median(_seconds_from_nothing() for _ in range(3))
    finally:
        place(0, core=0)


def _seconds_from_nothing() -> float:
    with tempfile.TemporaryDirectory(prefix="bpy-bench-") as directory:
        try:
            start = perf_counter()
            with _relay(Path(directory)) as relay:
                relay.ask(_line(_INITIALIZE))
                return perf_counter() - start
        finally:
            stop = [sys.executable, "-m", "bridge", "stop"]
            environment = {**os.environ, "BPY_BRIDGE_HOME": directory}
            subprocess.run(stop, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


@row("MCP tools/list of the core profile", unit="bytes", limit=24_000)
def core_list() -> float:
    answer = json.loads(_client().ask(_line({"jsonrpc": "2.0", "id": 2, "method": "tools/list"})))
    return len(json.dumps(answer["result"], ensure_ascii=False, separators=(",", ":")).encode())
