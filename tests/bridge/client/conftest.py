"""A small real bridge: the wire's ServerSession on a Unix or TCP socket, one thread a connection."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from blender_addon.wire import (
    STANDARD_CODEC,
    Cancel,
    Fault,
    FrameDecoder,
    Limits,
    Opened,
    Part,
    Peer,
    Ping,
    Request,
    ServerSession,
    head,
    join_parts,
    split_parts,
)
from blender_addon.wire.parts import total_length
from bridge.client import AsyncClient, Client, Result

BOOT = "00112233445566aa"
LIMITS = Limits(1 << 20, 4)


class _Connection:
    """Answers by method; `held` are the requests that wait for another."""

    def __init__(self, bridge: FakeBridge, sock: socket.socket) -> None:
        self.bridge = bridge
        self.sock = sock
        self.session = ServerSession(Peer("fake", "1"), bridge.limits, token=bridge.token)
        self.held: dict[str, Any] = {}

    def serve(self) -> None:
        decoder = FrameDecoder(self.bridge.limits.max_payload)
        try:
            self.sock.sendall(self.bridge.first_words)
            while not self.session.closed and (count := self.sock.recv_into(decoder.buffer())):
                decoder.received(count)
                while (frame := decoder.next_frame()) is not None:
                    event = self.session.receive(frame)
                    self.flush()
                    self.act(event, frame.payload)
        except (OSError, Fault):
            pass
        finally:
            self.sock.close()
            self.bridge.seen.put("closed")

    def flush(self) -> None:
        for data in self.session.outbox:
            self.sock.sendall(data)
        self.session.outbox.clear()

    def act(self, event: object, payload: Any) -> None:
        if isinstance(event, Cancel):
            self.bridge.seen.put(f"cancel {event.id}")
            if self.held.pop(event.id, None) == "wait":
                self.say(self.session.event(event.id, "log") or b"", b"{}")
                self.fail(event.id, Fault("cancelled", "the client cancelled it", outcome="not_executed"))
        elif isinstance(event, Ping):
            if self.bridge.answers_pings:
                self.say(self.session.pong(event), b'{"version":"1"}')
        elif isinstance(event, Request):
            json_bytes, parts = split_parts(payload, event.parts)
            self.bridge.requests.append(event)
            params = STANDARD_CODEC.loads(json_bytes) if len(json_bytes) else {}
            getattr(self, event.method.replace(".", "_"))(event, params, parts)
            self.bridge.seen.put(event.method)
        else:
            assert event is None or isinstance(event, Opened)

    def answer(self, request_id: str, value: Any, parts: dict[str, Part] | None = None) -> None:
        described, buffers = join_parts(STANDARD_CODEC.dumps(value), parts or {})
        envelope = self.session.respond(request_id, ok=True, parts=described, boot=BOOT)
        self.sock.sendall(head(envelope, total_length(buffers)))
        for buffer in buffers:
            self.sock.sendall(buffer)

    def fail(self, request_id: str, fault: Fault) -> None:
        self.say(self.session.respond(request_id, ok=False), STANDARD_CODEC.dumps(fault.as_object()))

    def say(self, envelope: bytes, payload: bytes) -> None:
        self.sock.sendall(head(envelope, len(payload)) + payload)

    # Methods.

    def echo(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.answer(request.id, params, parts)

    def nothing(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.say(self.session.respond(request.id, ok=True), b"")

    def bridge_methods(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.answer(request.id, [{"name": "echo"}])

    def bridge_status(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.answer(request.id, {"pid": 1})

    def error(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.say(self.session.respond(request.id, ok=False), STANDARD_CODEC.dumps(params))

    def progress(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        for payload in params["payloads"]:
            envelope = self.session.event(request.id, "progress")
            assert envelope is not None
            self.say(envelope, payload.encode())
        self.answer(request.id, None)

    def wait(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        """Says that it has begun, and ends when it is cancelled."""
        self.held[request.id] = "wait"
        envelope = self.session.event(request.id, "progress")
        assert envelope is not None
        self.say(envelope, b"{}")

    def hang(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        """As wait, and a cancel does not help."""
        self.wait(request, params, parts)
        self.held[request.id] = "hang"

    def gather(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        """Once `of` requests have come, answers them all, the last first."""
        self.held[request.id] = params
        if len(self.held) == params["of"]:
            for request_id, value in reversed(self.held.items()):
                self.answer(request_id, value)
            self.held.clear()

    def vanish(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.sock.shutdown(socket.SHUT_RDWR)

    def refuse_all(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.session.refuse(Fault("shutting_down", "the bridge goes away", fatal=True))
        self.flush()

    def say_raw(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        """Says anything at all, then the answer."""
        self.sock.sendall(bytes.fromhex(params["hex"]))
        self.answer(request.id, "said")

    def stop_reading(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.answer(request.id, "ok")
        self.bridge.over.wait(30)

    def bad_json(self, request: Request, params: Any, parts: dict[str, Part]) -> None:
        self.say(self.session.respond(request.id, ok=params["ok"]), b"{")


class FakeBridge:
    """`seen` tells, in order, the methods that were acted on, the cancels, and the ends of connections."""

    def __init__(
        self, listener: socket.socket, address: str, token: str | None = None, limits: Limits = LIMITS
    ) -> None:
        self.address = address
        self.token = token
        self.limits = limits
        self.first_words = b""
        self.answers_pings = True
        self.requests: list[Request] = []
        self.seen: queue.Queue[str] = queue.Queue()
        self.over = threading.Event()
        self.accepted = 0
        self._listener = listener
        self._sockets: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                return
            self.accepted += 1
            self._sockets.append(sock)
            thread = threading.Thread(target=_Connection(self, sock).serve)
            self._threads.append(thread)
            thread.start()

    def wait_for(self, what: str) -> None:
        """Until `what` was seen; a bridge that never sees it fails the test."""
        while self.seen.get(timeout=30) != what:
            pass

    def say(self, data: bytes) -> None:
        """To every client, from the test's own thread."""
        for sock in self._sockets:
            sock.sendall(data)

    def hang_up(self) -> None:
        """End every connection."""
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    def close(self) -> None:
        self.over.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.hang_up()
        for thread in self._threads:
            thread.join(30)


@pytest.fixture
def start_bridge(tmp_path: Path) -> Iterator[Callable[..., FakeBridge]]:
    """Start a bridge: start_bridge(token=…, limits=…, tcp=True)."""
    with ExitStack() as stack:

        def start(*, tcp: bool = False, **settings: Any) -> FakeBridge:
            listener = socket.socket(socket.AF_INET if tcp else socket.AF_UNIX)
            listener.bind(("127.0.0.1", 0) if tcp else str(tmp_path / "bridge.sock"))
            listener.listen()
            name = f"tcp:127.0.0.1:{listener.getsockname()[1]}" if tcp else f"unix:{listener.getsockname()}"
            bridge = FakeBridge(listener, name, **settings)
            stack.callback(bridge.close)
            return bridge

        yield start


@pytest.fixture
def bridge(start_bridge: Callable[..., FakeBridge]) -> FakeBridge:
    return start_bridge()


@pytest.fixture
def silent(tmp_path: Path) -> Iterator[str]:
    """The address of a server that takes connections and says nothing."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "silent.sock"))
        listener.listen()
        yield f"unix:{tmp_path}/silent.sock"


@pytest.fixture(params=["asyncio", "trio"])
def run(request: pytest.FixtureRequest) -> Callable[[Callable[[], Any]], Any]:
    """Run an async function on either loop."""
    return lambda scenario: anyio.run(scenario, backend=request.param)


Caller = Callable[..., Result]


@pytest.fixture(params=["blocking", "asyncio", "trio"])
def call(request: pytest.FixtureRequest) -> Caller:
    """One call of a client's method by a new client: call(address, method, …, client={…}, use="call")."""

    def blocking(address: str, *args: Any, client: dict[str, Any], use: str, **kwargs: Any) -> Any:
        with Client(address, **client) as opened:
            return getattr(opened, use)(*args, **kwargs)

    def asynchronous(address: str, *args: Any, client: dict[str, Any], use: str, **kwargs: Any) -> Any:
        async def scenario() -> Any:
            async with AsyncClient(address, **client) as opened:
                return await getattr(opened, use)(*args, **kwargs)

        return anyio.run(scenario, backend=request.param)

    chosen = blocking if request.param == "blocking" else asynchronous

    def caller(address: str, *args: Any, client: dict[str, Any] | None = None, use: str = "call", **kwargs: Any) -> Any:
        return chosen(address, *args, client=client or {}, use=use, **kwargs)

    return caller
