"""Instances by name: each has a pool of connections to one Blender, whichever process is behind it."""

from __future__ import annotations

import difflib
from collections.abc import Awaitable, Callable, Iterable

import trio

from . import events
from .connection import Connection, open_connection
from .errors import Refused
from .memory import MemoryShare
from .pool import Pool, PoolSettings
from .stream import ByteStream


class Instance:
    """One Blender by name. The pool belongs to the name and outlives the processes behind the address."""

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
        self.pool: Pool[Connection] = Pool(name, self._connect, pool, emit)

    async def open_connection(self) -> Connection:
        """One connection of the caller's own. Raises OSError that names the address, Fault, BrokenResourceError."""
        try:
            return await open_connection(
                self._open_stream,
                token=self._token,
                memory=self.memory,
                max_payload=self._max_payload,
                cancel_grace=self._cancel_grace,
            )
        except OSError as error:
            raise OSError(f"{self.address}: {error.strerror or error}") from error

    def obstacle(self) -> str | None:
        """Why it cannot serve a request now, in words; None where it can."""
        self.pool.evict_broken()
        pool = self.pool.statistics()
        if pool.state != "open":
            return f"its pool is {pool.state}"
        if not pool.live:
            return pool.last_error or "no connection to it is open yet"
        return None

    async def _connect(self) -> Connection:
        connection = await self.open_connection()
        if connection.boot != self.boot and self.boot is not None:
            # Another process answers now: what is left of the old one's connections is of no use to anybody.
            self.pool.reconnect()
        self.boot = connection.boot
        self.blender = connection.blender
        return connection


class Fleet:
    """All instances. `find` routes a request; `run` owns the pools."""

    def __init__(self, instances: Iterable[Instance]) -> None:
        self.instances = {instance.name: instance for instance in instances}

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
        """Run every pool until it is drained or closed."""
        async with trio.open_nursery() as nursery:
            for instance in self.instances.values():
                await nursery.start(instance.pool.run)
            task_status.started()

    async def drain(self) -> None:
        """Refuse new requests and the waiting ones, and wait until those in flight have ended."""
        async with trio.open_nursery() as nursery:
            for instance in self.instances.values():
                nursery.start_soon(instance.pool.drain)

    def close(self) -> None:
        """Refuse new requests and the waiting ones; those in flight may end."""
        for instance in self.instances.values():
            instance.pool.close()
