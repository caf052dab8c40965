"""What one watcher wants to see, and the bounded queue to it: a slow one loses frames, and never slows the bridge."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Hashable
from typing import Any, Literal, NamedTuple, Protocol

import trio

from blender_addon.wire import Buffer
from bridge import protocol

from .record import Record, Seen, payload_text

MOST_WAITING = 1000
_MOST_BYTES = 8 << 20
_MOST_ASKED = 4096
_RETRY = 0.005
_PATIENCE = 30.0
_LAST_WORDS = 1.0

Send = Callable[[str, Buffer], bool]


class Wanted(NamedTuple):
    """Which frames: those for which everything that is given holds, and how much of their payloads."""

    payloads: bool = False
    payload_limit: int = 2000
    instances: Collection[str] | None = None
    connection: str | None = None
    method: str | None = None
    errors_only: bool = False


class Place(Protocol):
    """Where a frame was seen."""

    @property
    def connection(self) -> str: ...
    @property
    def instance(self) -> str | None: ...


class _Asked(NamedTuple):
    method: str | None
    at: float


class Watcher:
    """One who watches, from `connection`. `seen` counts the frames that it wants, `sent` those that it was shown."""

    def __init__(self, connection: str, wanted: Wanted, secrets: Collection[str]) -> None:
        self.connection = connection
        self.seen = 0
        self.sent = 0
        self._wanted = wanted
        self._secrets = secrets
        self._asked: OrderedDict[Hashable, _Asked] = OrderedDict()
        self._waiting: deque[tuple[Record, int]] = deque()
        self._weight = 0
        self._lost = 0
        self._closed = False
        self._come = trio.Event()
        self._scope = trio.CancelScope()

    def see(self, place: Place, common: Record, seen: Seen) -> None:
        """Queue a frame's record, if it is wanted."""
        wanted = self._wanted
        if wanted.instances is not None and place.instance not in wanted.instances:
            return
        if wanted.connection not in (None, place.connection):
            return
        record = {**common, **self._related(place, common["envelope"] or {})}
        if wanted.method not in (None, record.get("method")) or (wanted.errors_only and "code" not in record):
            return
        if wanted.payloads and seen.payload_length:
            record["payload"] = payload_text(seen, record["envelope"], wanted.payload_limit, self._secrets)
        self._queue(record, record["envelope_length"] + len(record.get("payload", "")))

    def _related(self, place: Place, envelope: dict[str, Any]) -> Record:
        """The method that a frame is about, and for an answer the seconds since its question; as far as was seen."""
        kind, request_id, method = envelope.get("kind"), envelope.get("id"), envelope.get("method")
        key = (place, kind in ("ping", "pong"), request_id if isinstance(request_id, str) else None)
        if kind in ("request", "ping"):
            method = method if isinstance(method, str) else None
            self._asked[key] = _Asked(method, time.monotonic())
            if len(self._asked) > _MOST_ASKED:
                self._asked.popitem(last=False)
            return {"method": method} if method is not None else {}
        asked = self._asked.get(key)
        if asked is None or kind not in ("response", "pong", "event", "cancel"):
            return {}
        related: Record = {"method": asked.method} if asked.method is not None else {}
        if kind in ("response", "pong"):
            del self._asked[key]
            related["seconds"] = round(time.monotonic() - asked.at, 6)
        return related

    def _queue(self, record: Record, weight: int) -> None:
        self.seen += 1
        if len(self._waiting) >= MOST_WAITING or self._weight + weight > _MOST_BYTES:
            self._lost += 1
            return
        if self._lost:
            record["dropped"], self._lost = self._lost, 0
        self._waiting.append((record, weight))
        self._weight += weight
        self._come.set()

    def close(self) -> None:
        """Nothing more comes: `run` returns when what is queued was sent, or after a second."""
        self._closed = True
        self._come.set()
        self._scope.deadline = min(self._scope.deadline, trio.current_time() + _LAST_WORDS)

    async def run(self, send: Send, deadline: float) -> Literal["deadline", "shutdown", "unread"]:
        """Send each record as a `log` event, until the deadline (trio's clock), `close`, or for 30 s nobody has read.

        A record says under `dropped` how many frames before it were lost. `send` is False where the client is busy.
        """
        # A close that came before this began has set a deadline already.
        self._scope.deadline = min(self._scope.deadline, deadline)
        with self._scope:
            record: Record | None = {"time": time.time(), "watching": True}
            while record is not None:
                if not await self._send(send, record):
                    return "unread"
                record = await self._next()
        return "shutdown" if self._closed else "deadline"

    async def _next(self) -> Record | None:
        while not self._waiting:
            if self._lost:
                lost, self._lost = self._lost, 0
                return {"time": time.time(), "dropped": lost}
            if self._closed:
                return None
            self._come = trio.Event()
            await self._come.wait()
        record, weight = self._waiting.popleft()
        self._weight -= weight
        return record

    async def _send(self, send: Send, record: Record) -> bool:
        """False where the client has taken nothing for 30 s: it is not there to be told."""
        data = protocol.json_bytes(record)
        # Who watches never keeps the others from their turn.
        await trio.lowlevel.checkpoint()
        if not send("log", data):
            with trio.move_on_after(_PATIENCE) as waiting:
                while not send("log", data):  # noqa: ASYNC110  # the socket says when it has room to nobody but its writer
                    await trio.sleep(_RETRY)
            if waiting.cancelled_caught:
                return False
        self.sent += "envelope" in record
        return True
