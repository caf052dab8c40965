"""Instances by name: each has a pool of connections to one Blender, whichever process is behind it."""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Awaitable, Callable, Iterable

import trio

from . import events
from .connection import Connection, open_connection
from .errors import Refused
from .health import HealthLimits, HealthMonitor
from .memory import MemoryBudget, MemoryShare
from .pool import Pool, PoolSettings
from .stream import ByteStream
from .supervised import keep_running
from .trace import Tap, Trace

_LARGEST_PONG = 1 << 20


class Instance:
    """One Blender by name. The pool belongs to the name and outlives the processes behind the address.

    `health` has a connection of its own: neither a request nor a full memory keeps it waiting.
    """

    def __init__(
        self,
        name: str,
        address: str,
        open_stream: Callable[[], Awaitable[ByteStream]],
        *,
        token: str | None,
        pool: PoolSettings,
        memory: MemoryShare,
        max_payload: int,
        cancel_grace: float,
        emit: events.Emit,
        health: HealthLimits | None = None,
    ) -> None:
        self.name = name
        self.address = address
        self.blender: str | None = None
        self.boot: str | None = None
        self.memory = memory
        self._open_stream = open_stream
        self._token = token
        self._max_payload = max_payload
        self._cancel_grace = cancel_grace
        self._emit = emit
        self._numbers = itertools.count(1)
        self.trace = Trace()
        self.pool: Pool[Connection] = Pool(name, self._connect, pool, emit)
        self.health = HealthMonitor(
            name, self._connect_probe, health or HealthLimits(), emit, on_lost=self.pool.evict_broken
        )

    async def run(  # noqa: ASYNC128  # the pool says that it has started
        self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED
    ) -> None:
        """Own the pool, and watch Blender's health beside it, until the pool is drained or closed."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(keep_running, f"health {self.name}", self.health.run, self._emit)
            await self.pool.run(task_status)
            nursery.cancel_scope.cancel()

    async def open_connection(self) -> Connection:
        """One connection of the caller's own. Raises OSError that names the address, Fault, BrokenResourceError."""
        return await self._open(self.memory, self._max_payload)

    async def _open(self, memory: MemoryShare, max_payload: int) -> Connection:
        try:
            return await open_connection(
                self._open_stream,
                token=self._token,
                memory=memory,
                max_payload=max_payload,
                cancel_grace=self._cancel_grace,
                make_tap=self._tap,
            )
        except OSError as error:
            raise OSError(f"{self.address}: {error.strerror or error}") from error

    def changed(self) -> None:
        """Another process is behind the address from now on, or none: nothing of the old one counts any more."""
        self.pool.reconnect()
        self.health.poke()

    def _tap(self) -> Tap:
        connection = f"{self.name}-{next(self._numbers)}"
        return self.trace.tap("blender", connection, instance=self.name, secret=self._token)

    def obstacle(self) -> str | None:
        """Why it cannot serve a request now, in words; None where it can."""
        self.pool.evict_broken()
        pool = self.pool.statistics()
        if pool.state != "open":
            return f"its pool is {pool.state}"
        health = self.health.latest.value
        if not pool.live and (pool.last_error or not self.health.connected):
            return pool.last_error or (health.reason if health.failed else "no connection to it is open yet")
        # One probe without an answer is no proof where connections live: they may be younger, and then another is due.
        return health.reason if health.unhealthy or health.state == "unresponsive" else None

    async def _connect(self) -> Connection:
        connection = await self.open_connection()
        if self._meet(connection) or self.health.latest.value.failed:
            self.health.poke()
        return connection

    async def _connect_probe(self) -> Connection:
        connection = await self._open(MemoryBudget(_LARGEST_PONG).share(_LARGEST_PONG), _LARGEST_PONG)
        self._meet(connection)
        return connection

    def _meet(self, connection: Connection) -> bool:
        """Note who answers. True where it is another process than before."""
        another = connection.boot != self.boot and self.boot is not None
        self.boot = connection.boot
        self.blender = connection.blender
        if another:
            # What is left of the old one's connections is of no use to anybody.
            self.pool.reconnect()
        return another


class Fleet:
    """All instances. `find` routes a request; `run` owns the pools; `trace` shows what passes on their wires."""

    def __init__(self, instances: Iterable[Instance] = ()) -> None:
        self.instances: dict[str, Instance] = {}
        self.trace = Trace()
        for instance in instances:
            self.add(instance)

    def add(self, instance: Instance) -> None:
        """One more, before `run`."""
        self.instances[instance.name] = instance
        instance.trace = self.trace

    def find(self, name: str | None) -> Instance:
        """The instance of that name; without a name `default`, or the only one. Raises Refused."""
        if name is None:
            name = next(iter(self.instances)) if len(self.instances) == 1 else "default"
            if name not in self.instances:
                known = ", ".join(self.instances)
                message = f"several instances and none is named default: name one of {known}"
                raise Refused(message, code="ambiguous_instance", data={"nearest": list(self.instances)})
        instance = self.instances.get(name)
        if instance is None:
            nearest = difflib.get_close_matches(name, self.instances, n=5, cutoff=0.4) or list(self.instances)[:5]
            message = f"there is no instance {name!r}; known here: {', '.join(nearest)}"
            raise Refused(message, code="unknown_instance", data={"nearest": nearest})
        return instance

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run every instance until its pool is drained or closed."""
        async with trio.open_nursery() as nursery:
            for instance in self.instances.values():
                await nursery.start(instance.run)
            task_status.started()

    async def drain(self) -> None:
        """Refuse new requests and the waiting ones, end every trace, and wait until those in flight have ended."""
        self.trace.close()
        async with trio.open_nursery() as nursery:
            for instance in self.instances.values():
                nursery.start_soon(instance.pool.drain)

    def close(self) -> None:
        """Refuse new requests and the waiting ones; those in flight may end."""
        for instance in self.instances.values():
            instance.pool.close()
