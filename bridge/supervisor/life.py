"""One process, from its spawning until it is gone: its phases, each with its own time-out, and its end."""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import trio

from bridge.config import WorkerSettings
from bridge.paths import note_worker

from .output import Output
from .process import Spawner, Start, WorkerProcess
from .state import Phase, WorkerState

StartPhase = Literal["spawning", "importing", "listening", "ready"]

END_TIMEOUT = 10.0
_LAST_WORDS = 0.5
_PHASES: tuple[StartPhase, ...] = ("spawning", "importing", "listening", "ready")


class Order(NamedTuple):
    """What is to become of a process: end it, `gently` or at once, and `then` be in that phase; reserved: start anew.

    `cause` says why. Where it is a `failure`, it counts as one and is the worker's last error.
    """

    then: Phase
    gently: bool
    cause: str | None = None
    failure: bool = False


class Life:
    """`run` it once; `gone` is set when that is over. `enter` is told each phase, `on_ready` that it is ready."""

    def __init__(
        self,
        spawner: Spawner,
        settings: WorkerSettings,
        state: WorkerState,
        output: Output,
        socket_path: Path,
        *,
        enter: Callable[[Phase], None],
        on_ready: Callable[[], None],
    ) -> None:
        self.process: WorkerProcess | None = None
        self.tasks: trio.Nursery | None = None
        self.status: int | None = None
        self.gone = trio.Event()
        self._order: Order | None = None
        self._spawner = spawner
        self._settings = settings
        self._state = state
        self._output = output
        self._socket_path = socket_path
        self._enter = enter
        self._on_ready = on_ready
        self._reached: StartPhase = "spawning"
        self._scope = trio.CancelScope()

    def command(self, order: Order) -> None:
        """End it, and have that done then. The first order counts."""
        if self._order is None:
            self._order = order
            self._scope.cancel()

    def said(self, phase: str) -> None:
        """The process says how far it is; nothing that it says later takes it back."""
        known = next((known for known in _PHASES if known == phase), None)
        if known is None or self._order is not None or _PHASES.index(known) <= _PHASES.index(self._reached):
            return
        if known == "ready" and not self._socket_path.is_socket():
            cause = self._with_last_words(f"it said that it is ready, and does not listen at {self._socket_path}")
            self.command(Order("reserved", gently=True, cause=cause, failure=True))
            return
        self._reach(known)
        if known == "ready":
            self._on_ready()

    async def run(self, start: Start) -> Order:
        """Make it and see to it; returned is what is to be done when it is gone. Cancelled, it ends the process."""
        with self._scope:
            self._output.begin(self.said)
            self._reach("spawning")
            try:
                self.process = await self._spawner.spawn(start)
            except OSError as error:
                return Order("reserved", gently=True, cause=f"it could not be started: {error}", failure=True)
            try:
                self._state.pid = self.process.pid
                note_worker(self._socket_path, self.process.pid)
                await self._accompany(self.process)
            finally:
                self._order = self._order or self._late()
                await self._end(self.process)  # noqa: ASYNC102  # it is shielded, and SIGKILL bounds it
                self._state.pid = None
        return self._order or self._late() or self._crashed()

    def _reach(self, phase: StartPhase) -> None:
        self._reached = phase
        self._scope.deadline = trio.current_time() + self._timeout(phase)
        self._enter(phase)

    def _timeout(self, phase: StartPhase) -> float:
        settings = self._settings
        timeouts = (settings.spawn_timeout, settings.import_timeout, settings.listen_timeout, math.inf)
        return timeouts[_PHASES.index(phase)]

    async def _accompany(self, process: WorkerProcess) -> None:
        async with trio.open_nursery() as self.tasks:
            self.tasks.start_soon(self._output.follow, process.output)
            await process.wait()
            self.tasks.cancel_scope.cancel()

    async def _end(self, process: WorkerProcess) -> None:
        self.tasks = None
        gently = self._order is None or self._order.gently
        with trio.CancelScope(shield=True):
            async with trio.open_nursery() as nursery:
                # Who cannot write does not end.
                nursery.start_soon(self._output.follow, process.output)
                self._enter("ending")
                if gently:
                    process.signal(signal.SIGTERM)
                    with trio.move_on_after(END_TIMEOUT):
                        await process.wait()
                process.signal(signal.SIGKILL)
                self.status = await process.wait()
                nursery.cancel_scope.deadline = trio.current_time() + _LAST_WORDS
            await process.aclose()

    def _late(self) -> Order | None:
        if not self._scope.cancel_called:
            return None
        cause = f"it was {self._reached} for longer than {self._timeout(self._reached):g} s"
        return Order("reserved", gently=False, cause=self._with_last_words(cause), failure=True)

    def _crashed(self) -> Order:
        cause = f"it ended while it was {self._reached}, {_how(self.status)}"
        return Order("reserved", gently=True, cause=self._with_last_words(cause), failure=True)

    def _with_last_words(self, cause: str) -> str:
        tail = self._state.tail()
        return f"{cause}: {tail}" if tail else cause


def _how(status: int | None) -> str:
    if status is not None and status < 0:
        try:
            return f"by {signal.Signals(-status).name}"
        except ValueError:
            return f"by signal {-status}"
    return f"with status {status}"
