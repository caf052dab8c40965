"""A Blender without bpy: the add-on's real listener and pump on threads, with commands that a test controls."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from blender_addon.call import Call
from blender_addon.intake import Intake
from blender_addon.listener import Listener, new_boot
from blender_addon.pump import BlockingPump, Pump
from blender_addon.registry import Catalogue
from blender_addon.wire import DEFAULT_MAX_PAYLOAD, Part, Peer
from blender_addon.wire.address import parse_address
from bridge.protocol import VERSION
from bridge.stream import ByteStream, SocketStream, connect_unix

PATIENCE = 20.0
ADDON = Peer("bpy-bridge add-on", VERSION)


class Cooperative:
    """An interrupter for a pump off the main thread: commands find out by call.check()."""

    def install(self) -> None: ...

    def guarded(self, call: Call, run: Callable[[], Any]) -> Any:
        return run()

    def strike(self, call: Call) -> None: ...

    def shield(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


class Blender:
    """Serves until `stop`. `ran` lists the commands that started, in order; `gates` let the waiting ones end."""

    def __init__(
        self,
        path: Path,
        *,
        token: str | None = None,
        max_payload: int = DEFAULT_MAX_PAYLOAD,
        peer: Peer = ADDON,
    ) -> None:
        self.path = path
        self.boot = new_boot()
        self.ran: list[str] = []
        self.gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)
        self.catalogue = Catalogue()
        self._add_commands()
        self.pump = Pump(Cooperative(), max_payload=max_payload)
        intake = Intake(self.catalogue, self.pump, self.boot, max_payload=max_payload)
        self.listener = Listener(
            parse_address(f"unix:{path}"),
            intake,
            token=token,
            peer=peer,
            describe=lambda: {"blender": "0.0.0", "file": ""},
        )
        self._thread = threading.Thread(target=BlockingPump(self.pump).run)
        self._thread.start()
        self.listener.start()

    def stop(self) -> None:
        self.listener.leave("the test is over")
        self.pump.close("the test is over")
        for gate in list(self.gates.values()):
            gate.set()
        self._thread.join(PATIENCE)
        assert not self._thread.is_alive()
        self.listener.close(0.0)

    def _add_commands(self) -> None:
        command = self.catalogue.command

        @command("test.echo")
        def echo(*, value: Any = None) -> Any:
            """Return the value."""
            self.ran.append(f"echo {value}")
            return {"value": value}

        @command("test.wait")
        def wait(call: Call, *, name: str, stubborn: bool = False) -> Any:
            """Run until the gate of that name opens, or until stopped if not stubborn."""
            self.ran.append(name)
            while not self.gates[name].wait(0.002):
                if not stubborn:
                    call.check()
            return {"waited": name}

        @command("test.fail")
        def fail() -> Any:
            """Print something, then raise."""
            print("before it failed")
            raise ValueError("no")

        @command("test.time_left")
        def time_left(call: Call) -> Any:
            """Return the seconds to the deadline as Blender sees it."""
            assert call.deadline is not None
            return {"left": call.deadline - time.monotonic()}

        @command("test.blob")
        def blob(*, size: int) -> Any:
            """Return a part of that many bytes."""
            self.ran.append(f"blob {size}")
            return {"blob": Part(pattern(size), media_type="application/x-pattern", dtype="<u1", shape=(size,))}

        @command("test.send_back")
        def send_back(*, data: Part) -> Any:
            """Return the part."""
            return {"data": Part(bytes(data.data), data.media_type, data.dtype, data.shape)}

        @command("test.progress")
        def progress(call: Call, *, steps: int, message: str = "") -> Any:
            """Report the last step as many times: that one is never throttled."""
            for _ in range(steps):
                call.progress(1, 1, message)
            return {"steps": steps}

        @command("addon.describe", io_thread=True)
        def describe() -> Any:
            """Describe every command."""
            self.ran.append("describe")
            return {"methods": self.catalogue.describe()}


def pattern(size: int) -> bytes:
    """Bytes of which no shifted or cut copy looks the same."""
    return bytes(range(251)) * (size // 251) + bytes(range(size % 251))


@contextlib.contextmanager
def running_blender(path: Path, **options: Any) -> Iterator[Blender]:
    blender = Blender(path, **options)
    try:
        yield blender
    finally:
        blender.stop()


class Wires:
    """How the bridge reaches a Blender; a test cuts and garbles them, and plugs them in elsewhere."""

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.opened: list[_Wire] = []
        self.garbling = False

    async def __call__(self) -> ByteStream:
        if self.path is None:
            raise ConnectionRefusedError(111, "nobody listens there")
        stream = await connect_unix(str(self.path))
        self.opened.append(_Wire(self, stream))
        return self.opened[-1]

    def cut(self) -> None:
        """Break every connection, at both ends."""
        for wire in self.opened:
            wire.cut()


class _Wire(SocketStream):
    def __init__(self, wires: Wires, stream: SocketStream) -> None:
        super().__init__(stream._socket)
        self._wires = wires

    async def receive_into(self, buffer: memoryview) -> int:
        count = await super().receive_into(buffer)
        if self._wires.garbling:
            buffer[:count] = b"\xff" * count
        return count

    def cut(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(2)

    @property
    def closed(self) -> bool:
        return self._socket.fileno() < 0
