"""One Blender by name: the pool of connections to it, and its health, whichever process is behind them."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable
from typing import Literal

import structlog
import trio

from blender_addon.wire import Fault, Peer
from bridge import __version__, compatibility, events
from bridge.connection import Connection, open_connection
from bridge.health import HealthLimits, HealthMonitor
from bridge.memory import MemoryBudget, MemoryShare
from bridge.pool import Pool, PoolSettings
from bridge.stream import ByteStream
from bridge.supervised import keep_running
from bridge.supervisor import WorkerState
from bridge.trace import Tap, Trace

log = structlog.get_logger(__name__)

Source = Literal["configured", "announced", "embedded"]
"""Where an instance comes from: the configuration or an operator, Blender's own word, or nothing else being there."""

_LARGEST_PONG = 1 << 20


def _never() -> bool:
    return False


def _unknown() -> str | None:
    """Which program it is where nobody said."""
    return None


def _nobody(request_id: str) -> None:
    """Whom nobody can end but Blender itself."""


class Instance:
    """One Blender by name. The pool belongs to the name and outlives the processes behind the address.

    `health` has a connection of its own: neither a request nor a full memory keeps it waiting. `file` is the open
    .blend file where Blender announced it. `asleep` says that nothing runs behind the address and that a connection
    would start it: among several, those that are awake are asked first. `worker` is the state of the process that the
    bridge started for it, if it did; `on_abandoned` is told the id of a request that Blender was told to stop and has
    not answered, and `ends_stuck_work` says that it then ends the process. `code` allows Python that is sent to run
    there. `addon` is how the add-on that answered last fits this bridge, None where none of ours has; `program` finds
    the executable that it is in, for what is said about that.
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
        source: Source = "configured",
        file: str | None = None,
        blender: str | None = None,
        code: bool = True,
        asleep: Callable[[], bool] = _never,
    ) -> None:
        self.name = name
        self.address = address
        self.source = source
        self.file = file
        self.asleep = asleep
        self.worker: WorkerState | None = None
        self.on_abandoned: Callable[[str], None] = _nobody
        self.ends_stuck_work = False
        self.code = code
        self.addon: compatibility.Addon | None = None
        self.program: Callable[[], str | None] = _unknown
        self.boot: str | None = None
        self._blender = blender
        self._peer: Peer | None = None
        self._warned: set[str | None] = set()
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

    @property
    def blender(self) -> str | None:
        """The version that it says it is; None where it has not said yet."""
        return self.health.blender or self._blender

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
        except Fault as fault:
            if fault.code != "unsupported_protocol":
                raise
            self._peer, fix = None, compatibility.how_to_match(self.program())
            self._judged(compatibility.Addon(None, False, fix))
            message = f"{self.address}: its add-on speaks another protocol than this bridge {__version__}"
            raise OSError(f"{message} ({fault.message}): {fix}") from fault

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
        if self.asleep():
            return None  # the next request starts it
        if self.worker is not None and self.worker.phase != "ready":
            why = f": {self.worker.last_error}" if self.worker.last_error else ""
            return f"its worker is {self.worker.phase}{why}"
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
        if connection.peer != self._peer:
            self._peer = connection.peer
            ours = self._peer.name == compatibility.PEER
            self._judged(compatibility.judge(self._peer.version, self.program) if ours else None)
        if another:
            # What is left of the old one's connections is of no use to anybody.
            self.pool.reconnect()
        return another

    def _judged(self, addon: compatibility.Addon | None) -> None:
        self.addon = addon
        if addon is not None and not addon.matches and addon.version not in self._warned:
            self._warned.add(addon.version)
            log.warning(
                "the add-on in Blender is not the one of this bridge",
                instance=self.name,
                addon=addon.version,
                bridge=__version__,
                fix=addon.fix,
            )
