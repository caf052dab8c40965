"""The real parts that the request rows talk to: one headless Blender, one bridge before it, and a raw client."""

from __future__ import annotations

import atexit
import json
import os
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from functools import cache, partial
from pathlib import Path
from typing import Any

from benchmarks.harness import Unmeasurable
from blender_addon.wire import ClientSession, FrameDecoder, Opened, Peer, Request, Response, head, parse_address

_CORES = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []

STACK = ExitStack()
atexit.register(STACK.close)


@cache
def home() -> Path:
    """A private directory for sockets; short, since a socket's path is bounded."""
    return Path(STACK.enter_context(tempfile.TemporaryDirectory(prefix="bpy-bench-")))


def place(process: int, core: int) -> None:
    """Keep a process on one core, where the platform can: 0 for clients and the bridge, 1 for Blender and the echo.

    Left to itself a scheduler may put all on one core, where a request costs the sum of everybody's time and an echo
    is one switch of context, or on several; which of them changes within one run, and the ratios with it.
    """
    if len(_CORES) > 1:
        os.sched_setaffinity(process, {_CORES[core]})


def start(core: int, *arguments: str, **variables: str) -> str:
    """Start a program that prints one ready line, and return the line; it ends with this process."""
    environment = {**os.environ, "BPY_BRIDGE_HOME": str(home()), **variables}
    process = subprocess.Popen(
        [sys.executable, "-m", *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        text=True,
        preexec_fn=partial(place, 0, core),  # noqa: PLW1509  # no thread is running yet that could hold a lock
    )
    STACK.callback(process.wait)
    STACK.callback(process.terminate)
    assert process.stdout is not None
    line = next((line for line in process.stdout if '"ready"' in line or arguments[0] == "benchmarks.scraper"), "")
    if not line:
        raise Unmeasurable(f"{arguments[0]} did not start: is the bpy wheel installed?")
    return line


@cache
def blender() -> str:
    """The address of a headless Blender."""
    address = f"unix:{home()}/blender.sock"
    start(1, "blender_addon.headless", "--listen", address)
    return address


@cache
def bridge() -> str:
    """The address of a bridge whose only instance is that Blender, without metrics."""
    return str(_serve("door", "off", BPY_BRIDGE_NAME="door", BPY_BRIDGE_MCP="off")["listen"][0])


@cache
def monitored_bridge() -> str:
    """The same with metrics on, a scrape every second and a health check every second."""
    variables = {"BPY_BRIDGE_NAME": "monitored", "BPY_BRIDGE_MCP": "off", "BPY_BRIDGE_HEALTH__INTERVAL": "1"}
    ready = _serve("monitored", f"unix:{home()}/http.sock", **variables)
    start(1, "benchmarks.scraper", f"{home()}/http.sock")
    return str(ready["listen"][0])


@cache
def mcp_bridge() -> dict[str, Any]:
    """What a bridge with all doors says; it has no name, so that relays find it at the usual place."""
    return _serve("assistants", "tcp:127.0.0.1:0")


def _serve(name: str, http: str, **variables: str) -> dict[str, Any]:
    listen = f"unix:{home()}/{name}.sock"
    doors = ["--listen", listen, "--http", http, "--instance", f"default={blender()}"]
    ready: dict[str, Any] = json.loads(start(0, "bridge", "serve", *doors, **variables))
    return ready


class RawClient:
    """The least that a client can do: send prepared bytes, read until the response is whole."""

    def __init__(self, address: str, token: str | None = None) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.connect(parse_address(address).path)
        self._decoder = FrameDecoder()
        self._session = ClientSession(Peer("bench", "1"), token=token)
        self._session.greet()
        opened = False
        while not opened:
            while self._session.outbox:
                self._socket.sendall(self._session.outbox.pop(0))
            opened = isinstance(self._session.receive(self._frame()), Opened)

    def _frame(self) -> Any:
        while True:
            frame = self._decoder.next_frame()
            if frame is not None:
                return frame
            self._decoder.received(self._socket.recv_into(self._decoder.buffer()))

    def prepare(self, method: str, params: dict[str, Any]) -> bytes:
        """The bytes of a request; they may be sent again once it is answered."""
        payload = json.dumps(params).encode()
        return head(self._session.request(Request("bench", method)), len(payload)) + payload

    def send(self, prepared: bytes) -> None:
        """Send, and do not wait."""
        self._socket.sendall(prepared)

    def wait(self) -> Any:
        """The payload of the response, as it is."""
        return self._frame().payload

    def ask(self, prepared: bytes) -> None:
        """Send and wait for the whole frame of the response, which is not looked at."""
        self._socket.sendall(prepared)
        self._frame()

    def call(self, method: str, params: dict[str, Any]) -> Any:
        """Ask, and read the answer. Raises RuntimeError where it is no success."""
        self._socket.sendall(self.prepare(method, params))
        frame = self._frame()
        response = self._session.receive(frame)
        if not isinstance(response, Response) or not response.ok:
            raise RuntimeError(bytes(frame.payload).decode())
        return frame.payload
