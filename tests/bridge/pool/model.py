"""A pool as simple as it can be said: a queue, a set of holders, numbers. What the real one must agree with."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

MAX_WAITING = 4
ACQUIRE_TIMEOUT = 100
WARM = 1
CHECK_AFTER = 1
RECOVERY = 3
"""Seconds after the endpoint is back by which the pool has tried again."""


@dataclass
class Held:
    """A connection: of which generation, since when it is idle, and whether it may be lent again."""

    generation: int
    idle_since: int = 0
    broken: bool = False


@dataclass
class Model:
    """Every act takes effect at once and whole; `endpoint` is up, down, or hangs."""

    size: int
    now: int = 0
    endpoint: str = "up"
    paused: bool = False
    parked: bool = False
    closed: bool = False
    shrunk: bool = False
    failed: bool = False
    generation: int = 0
    dialing: list[Held] = field(default_factory=list)
    idle: list[Held] = field(default_factory=list)
    holders: OrderedDict[int, Held] = field(default_factory=OrderedDict)
    queue: OrderedDict[int, int] = field(default_factory=OrderedDict)
    ended: dict[int, str] = field(default_factory=dict)
    served: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._settle()

    def acquire(self, client: int) -> None:
        if self.closed:
            self.ended[client] = "ShuttingDown"
        elif self._immediate():
            self._lend(client)
        elif len(self.queue) >= MAX_WAITING:
            self.ended[client] = "Busy"
        else:
            self.queue[client] = self.now
            self._settle()

    def _immediate(self) -> bool:
        if self.queue or self.paused:
            return False
        while self.idle and self._fresh(self.idle[-1]) and self.idle[-1].broken:
            self.idle.pop()
        return bool(self.idle) and self._fresh(self.idle[-1])

    def _fresh(self, connection: Held) -> bool:
        return self.now - connection.idle_since <= CHECK_AFTER

    def cancel(self, client: int) -> None:
        if client in self.queue:
            del self.queue[client]
            self.ended[client] = "cancelled"
        elif client in self.holders:
            self.ended[client] = "cancelled"
            self._take_back(self.holders.pop(client))
        self._settle()

    def release(self, client: int) -> None:
        self.ended[client] = "done"
        self._take_back(self.holders.pop(client))
        self._settle()

    def poison(self, client: int) -> None:
        self.holders[client].broken = True

    def break_idle(self) -> None:
        for connection in self.idle:
            connection.broken = True

    def pause(self) -> None:
        self.paused = True

    def park(self) -> None:
        if not self.parked:
            self.paused = self.parked = True
            self.reconnect()

    def resume(self) -> None:
        self.paused = self.parked = False
        self._settle()

    def resize(self, size: int) -> None:
        self.size = size
        surplus = self._total() - size
        self.shrunk = surplus > 0
        del self.idle[: max(0, surplus)]
        self._settle()

    def reconnect(self) -> None:
        self.generation += 1
        self.failed = False
        self.idle.clear()
        self._settle()

    def change(self, endpoint: str) -> None:
        self.endpoint = endpoint
        dialed, self.dialing = self.dialing, []
        self.failed = endpoint == "down" if dialed else self.failed
        if endpoint == "up":
            for number, connection in enumerate(dialed):
                self.dialing = dialed[number + 1 :]
                self._take_back(connection)
                self._settle()
            self._settle()  # within a quarter of a second, where somebody waits
            self.wait(RECOVERY)
        self._settle()

    def wait(self, seconds: int) -> None:
        self.now += seconds
        for client, since in list(self.queue.items()):
            if self.now >= since + ACQUIRE_TIMEOUT:
                del self.queue[client]
                self.ended[client] = "TimedOut"
        self._settle()

    def close(self) -> None:
        self.closed = True
        for client in self.queue:
            self.ended[client] = "ShuttingDown"
        self.queue.clear()
        self.idle.clear()

    def _take_back(self, connection: Held) -> None:
        stale = connection.generation != self.generation
        surplus = self.shrunk and self._total() >= self.size
        if not (connection.broken or stale or surplus or self.closed):
            connection.idle_since = self.now
            self.idle.append(connection)

    def _total(self) -> int:
        return len(self.idle) + len(self.holders) + len(self.dialing)

    def _lend(self, client: int) -> None:
        self.holders[client] = self.idle.pop()
        self.served.append(client)

    def _settle(self) -> None:
        while not (self.closed or self.parked):
            self._serve()
            supply = len(self.idle) + len(self.dialing)
            wanted = max(len(self.queue) - supply, min(WARM, self.size) - self._total())
            grow = min(wanted, self.size - self._total())
            if self.failed and self.endpoint == "hangs":
                grow = min(grow, 1 - len(self.dialing))
            if grow <= 0:
                return
            self.failed = self.endpoint == "down" or (self.failed and self.endpoint == "hangs")
            if self.endpoint == "down":
                return
            made = self.dialing if self.endpoint == "hangs" else self.idle
            made += [Held(self.generation, self.now) for _ in range(grow)]

    def _serve(self) -> None:
        checked: list[Held] = []
        while self.idle and self.queue and not self.paused:
            connection = self.idle[-1]
            if connection.broken:
                self.idle.pop()
            elif self._fresh(connection):
                self._lend(self.queue.popitem(last=False)[0])
            elif len(checked) < len(self.queue):
                checked.append(self.idle.pop())
            else:
                break
        for connection in checked:
            connection.idle_since = self.now
            self.idle.append(connection)
            self._serve()
