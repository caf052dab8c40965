"""Where frames are seen: each connection has a tap, and what passes there is shown to everyone who watches."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import structlog

from blender_addon.wire import Buffer, Fault, Frame
from bridge.errors import Busy

from .record import Record, Seen, envelope_of, error_code, worth_hiding
from .watcher import Wanted, Watcher

log = structlog.get_logger(__name__)

Hop = Literal["client", "blender"]

_MOST_WATCHERS = 8


class Trace:
    """All taps of one bridge and all who watch. `watchers` is one list for ever: taps hold it too."""

    def __init__(self) -> None:
        self.watchers: list[Watcher] = []
        self._secrets: set[str] = set()
        self._closed = False

    def tap(self, hop: Hop, connection: str, *, instance: str | None = None, secret: str | None = None) -> Tap:
        """The tap of one connection. `secret` is the token of that wire: no watcher ever sees it, on whatever wire."""
        if secret is not None and worth_hiding(secret.strip()):
            self._secrets.add(secret.strip())
        return Tap(self, hop, connection, instance)

    @contextmanager
    def watch(self, connection: str, wanted: Wanted) -> Iterator[Watcher]:
        """A watcher within the block; `connection` is its own, which nobody is shown meanwhile. Raises Busy."""
        if len(self.watchers) >= _MOST_WATCHERS:
            data = {"limit": _MOST_WATCHERS, "running": len(self.watchers)}
            raise Busy(f"{_MOST_WATCHERS} traces run already: end one of them", data=data)
        watcher = Watcher(connection, wanted, self._secrets)
        if self._closed:
            watcher.close()
        self.watchers.append(watcher)
        try:
            yield watcher
        finally:
            self.watchers.remove(watcher)

    def close(self) -> None:
        """The bridge is ending: whoever watches gets what is queued, and then its end."""
        self._closed = True
        for watcher in self.watchers:
            watcher.close()

    def show(self, tap: Tap, seen: Seen, code: str | None = None) -> None:
        """Show a frame to all who watch; with `code`, that what came is none, whose bytes may be anything."""
        # Two that watch and see each other's frames would never come to an end.
        if tap.hop == "client" and any(watcher.connection == tap.connection for watcher in self.watchers):
            return
        try:
            record = self._record(tap, seen)
            if code is not None:
                record["code"] = code
            for watcher in self.watchers:
                watcher.see(tap, record, seen)
        except Exception:  # supervised: what is watched must not suffer from being watched
            log.exception("a frame could not be shown", connection=tap.connection)

    def _record(self, tap: Tap, seen: Seen) -> Record:
        envelope = envelope_of(seen, self._secrets)
        record = {
            "time": time.time(),
            "hop": tap.hop,
            "direction": seen.direction,
            "connection": tap.connection,
            **({} if tap.instance is None else {"instance": tap.instance}),
            "envelope": envelope,
            "envelope_length": len(seen.envelope),
            "payload_length": seen.payload_length,
        }
        if envelope is not None and envelope.get("kind") == "response" and envelope.get("ok") is False:
            record["code"] = error_code(seen)
        return record


class Tap:
    """One connection's: whoever reads and writes its frames asks `watchers`, and only if there are any tells the tap.

    `hop` is who is on the other side; `instance` is which Blender, there.
    """

    __slots__ = ("_trace", "connection", "hop", "instance", "watchers")

    def __init__(self, trace: Trace, hop: Hop, connection: str, instance: str | None) -> None:
        self._trace = trace
        self.hop = hop
        self.connection = connection
        self.instance = instance
        self.watchers = trace.watchers

    def came(self, frame: Frame) -> None:
        """A frame was read."""
        self._trace.show(self, Seen("in", frame.envelope, (frame.payload,)))

    def goes(self, buffers: Sequence[Buffer]) -> None:
        """A frame is being written: its head and envelope are whole in the first buffer."""
        first = memoryview(buffers[0])
        end = 8 + int.from_bytes(first[:4], "big")
        self._trace.show(self, Seen("out", first[8:end], (first[end:], *buffers[1:])))

    def refused(self, fault: Fault) -> None:
        """What came is no frame."""
        self._trace.show(self, Seen("in", b"", ()), fault.code)
