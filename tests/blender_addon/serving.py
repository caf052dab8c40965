"""A small served application without Blender: real sockets and threads, gated commands, and a blocking client."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from typing import Any

from blender_addon import wire
from blender_addon.call import Call, Interrupted
from blender_addon.intake import Intake
from blender_addon.listener import Listener
from blender_addon.pump import BlockingPump, Pump
from blender_addon.registry import Catalogue
from blender_addon.wire import Part
from blender_addon.wire.address import Address

BOOT = "0123456789abcdef"
PATIENCE = 20.0


class CooperativeInterrupter:
    """Counts its strikes; commands find out by call.check(). For pumps that run off the main thread."""

    def __init__(self):
        self.strikes = threading.Semaphore(0)

    def install(self):
        pass

    def uninstall(self):
        pass

    def guarded(self, call, run):
        return run()

    def strike(self, call):
        self.strikes.release()

    def shield(self):
        return contextlib.nullcontext()


class Application:
    """Commands whose progress the test controls; `ran` lists the ones that started."""

    def __init__(self):
        self.catalogue = Catalogue()
        self.ran: list[str] = []
        self.started = threading.Semaphore(0)
        self.gate = threading.Event()
        command = self.catalogue.command

        @command("test.echo")
        def echo(*, value: Any = None) -> Any:
            """Return the value."""
            self.ran.append(f"echo {value}")
            return {"value": value}

        @command("test.wait")
        def wait(call: Call, *, name: str = "", swallow: bool = False) -> Any:
            """Run until the test opens the gate, or until stopped."""
            self.ran.append(f"wait {name}")
            self.started.release()
            while not self.gate.wait(0.001):
                if not swallow:
                    call.check()
            return {"waited": name}

        @command("test.fail")
        def fail(*, kind: str) -> Any:
            """Print something, then raise."""
            print("before it failed")
            raise {"value": ValueError("no"), "exit": SystemExit(3), "interrupt": KeyboardInterrupt()}[kind]

        @command("test.blob")
        def blob(*, size: int) -> Any:
            """Return a part of that many bytes."""
            return {"blob": Part(bytes(size), media_type="application/octet-stream")}

        @command("test.size")
        def size(*, blob: Part) -> Any:
            """Return how long the part is."""
            return {"size": len(blob)}

        @command("test.progress")
        def progress(call: Call, *, steps: int) -> Any:
            """Tell of as many steps, each at once."""
            for step in range(steps):
                call.progress(step + 1, steps, "going")
            return {}

        @command("test.describe", io_thread=True)
        def describe() -> Any:
            """Answered beside the main thread."""
            return {"commands": len(self.catalogue.describe())}

        @command("test.bug", io_thread=True)
        def bug() -> Any:
            """Raise on the I/O thread."""
            raise ZeroDivisionError


class Served:
    """The application behind a listener; its pump runs on a thread of its own."""

    def __init__(self, address: Address, *, token=None, max_payload=wire.DEFAULT_MAX_PAYLOAD, most_queued=64, **bounds):
        self._clients: list[Client] = []
        self.application = Application()
        self.interrupter = CooperativeInterrupter()
        self.pump = Pump(self.interrupter, most_queued=most_queued, max_payload=max_payload)
        intake = Intake(self.application.catalogue, self.pump, BOOT, max_payload=max_payload)
        self.listener = Listener(
            address,
            intake,
            token=token,
            peer=wire.Peer("test", "1"),
            describe=lambda: {"blender": "0.0.0", "file": "/tmp/a.blend"},
            **bounds,
        )
        self.address = self.listener.address
        self.token = token
        self._thread = threading.Thread(target=BlockingPump(self.pump).run)
        self._thread.start()
        self.listener.start()

    def client(self, **options) -> Client:
        """A new connection; all are closed in the end."""
        self._clients.append(Client(self.address, **{"token": self.token, **options}))
        return self._clients[-1]

    def close(self):
        for client in self._clients:
            client.close()
        self.application.gate.set()
        self.listener.leave("the test is over")
        self.pump.close("the test is over")
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.listener.close(0.0)


class Client:
    """A blocking client that says exactly what it is told to."""

    def __init__(self, address: Address, *, token=None, greet=True):
        if address.kind == "unix":
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(PATIENCE)
            try:
                self.sock.connect(address.path)
            except OSError:
                self.sock.close()
                raise
        else:
            assert address.kind == "tcp"
            self.sock = socket.create_connection((address.host, address.port), PATIENCE)
        self.session = wire.ClientSession(wire.Peer("client", "1"), token=token)
        self._decoder = wire.FrameDecoder()
        if greet:
            self.greet()

    def greet(self):
        """Go through the handshake; `opened` is what the server said of itself."""
        self.session.greet()
        self._say()
        while not isinstance(opened := self._receive()[0], wire.Opened):
            self._say()
        self.opened = opened

    def _say(self):
        for frame in self.session.outbox:
            self.sock.sendall(frame)
        self.session.outbox.clear()

    def _receive(self):
        while (frame := self._decoder.next_frame()) is None:
            count = self.sock.recv_into(self._decoder.buffer())
            if count == 0:
                raise EOFError
            self._decoder.received(count)
        event = self.session.receive(frame)
        return event, bytes(frame.payload)

    def send(self, request_id, method, params=None, *, payload=None, **fields):
        body = json.dumps(params or {}).encode() if payload is None else payload
        envelope = self.session.request(wire.Request(request_id, method, **fields))
        self.sock.sendall(wire.head(envelope, len(body)) + body)

    def cancel(self, request_id):
        self.sock.sendall(self.session.cancel(request_id))

    def ping(self):
        self.sock.sendall(self.session.ping("ping"))
        event, payload = self._receive()
        assert isinstance(event, wire.Pong)
        return json.loads(payload)

    def receive(self):
        """The next event and its JSON payload."""
        event, payload = self._receive()
        parts = getattr(event, "parts", None)
        data, _ = wire.split_parts(payload, parts)
        return event, json.loads(bytes(data)) if payload else None

    def response(self):
        """The next response's id and its payload; events before it are passed over."""
        while True:
            event, body = self.receive()
            if isinstance(event, wire.Response):
                return event.id, body

    def call(self, request_id, method, params=None, **fields):
        self.send(request_id, method, params, **fields)
        found, body = self.response()
        assert found == request_id
        return body

    def refusal(self):
        """The fault that ends the connection."""
        try:
            self._receive()
        except wire.Fault as fault:
            return fault
        raise AssertionError("no refusal came")

    def at_end(self):
        """True once the server has closed, with nothing more said."""
        try:
            return self.sock.recv(1) == b""
        except ConnectionResetError:
            return True

    def close(self):
        self.sock.close()


__all__ = ["BOOT", "PATIENCE", "Application", "Client", "CooperativeInterrupter", "Interrupted", "Served"]
