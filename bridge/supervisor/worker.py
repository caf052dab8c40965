"""One worker: a Blender process by name, kept alive.

    stopped | asleep | failed ── start ──▶ reserved → spawning → importing → listening → ready
          ▲                                    ▲                                           │
          └────────────── ending ◀─────────────┼── crash, time-out, hung, order ◀──────────┘
                             └──── waiting ────┘

`run` alone makes processes. A start reserves the worker at once; whoever else wants it waits for the same attempt.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import structlog
import trio

from bridge import events
from bridge.config import WorkerSettings
from bridge.paths import forget_worker
from bridge.stream import ByteStream, connect_unix

from .attempt import Attempt
from .life import Life, Order
from .output import Output
from .process import Spawner, Start
from .restarts import Restarts
from .state import RESTING, Phase, WorkerState
from .watch import Lender, Vitals, Watch

log = structlog.get_logger(__name__)


class Worker:
    """A Blender that listens at `address` (unix:/path); `run` makes, watches, replaces and ends its processes.

    `on_change` is called when a process has become ready, and when it has ended.
    """

    def __init__(
        self,
        name: str,
        spawner: Spawner,
        settings: WorkerSettings,
        *,
        socket_path: Path,
        log_path: Path | None = None,
        emit: events.Emit = events.ignore,
    ) -> None:
        self.state = WorkerState(name, spawner.kind, "asleep" if settings.on_demand else "stopped")
        self.address = f"unix:{socket_path}"
        self.on_change: Callable[[], None] = _nobody
        self._socket_path = socket_path
        self._spawner = spawner
        self._settings = settings
        self._emit = emit
        self._output = Output(name, self.state.output, log_path)
        self._restarts = Restarts(settings.max_restarts, settings.restart_window)
        self._watch: Watch | None = None
        self._pool: Lender | None = None
        self._attempt: Attempt | None = None
        self._life: Life | None = None
        self._wanted = False
        self._stirred = trio.Event()

    def watch(self, vitals: Vitals, pool: Lender) -> None:
        """Have it watched by its instance's health check, and its pool emptied before it is replaced. Before `run`."""
        self._pool = pool
        self._watch = Watch(self.state.name, self._settings, vitals, pool)

    @property
    def sleeps(self) -> bool:
        """There are times when it does not run until a request wants it."""
        return self._settings.on_demand or self._settings.idle_exit is not None

    @property
    def ends_stuck_work(self) -> bool:
        """Work that was cancelled and goes on ends with its process."""
        return self._settings.hard_cancel

    def asleep(self) -> bool:
        """It does not run, and the next request starts it."""
        return self.state.phase == "asleep"

    # what others want

    async def start(self) -> None:
        """Be ready: whoever asks while a start is under way shares it. Raises OSError with the cause of a failure.

        Cancelled, the start goes on.
        """
        await self.reserve().result()

    def reserve(self) -> Attempt:
        """The start that is under way, or has made it ready; where there is none, a new one, from this instant on."""
        attempt = self._attempt
        if attempt is None or (attempt.ended and self.state.phase != "ready"):
            self._attempt = attempt = Attempt()
            if self.state.phase in RESTING:
                self._restarts.reset()
                self.state.restarts = 0
            if self._life is None:
                self._enter("reserved")
            self._wanted = True
            self._stirred.set()
        return attempt

    async def stop(self) -> None:
        """End it, and let it be until it is started by hand. Waits for its end; cancelled, it ends all the same."""
        self._wanted = False
        self._give_up_attempt("it was stopped by hand")
        life = self._life
        if life is None:
            self._rest("stopped")
            self._stirred.set()
            await trio.lowlevel.checkpoint()
        else:
            life.command(Order("stopped", gently=True))
            await life.gone.wait()

    async def restart(self) -> None:
        """End it and start it anew once it is gone. Raises OSError with the cause where it does not start."""
        self._restarts.reset()
        if self._life is not None:
            if self._attempt is None or self._attempt.ended:
                self._attempt = Attempt()
            self._wanted = True
            self._life.command(Order("reserved", gently=True))
            await self._attempt.result()
        else:
            await self.start()

    def abandoned(self, request_id: str) -> None:
        """A request was cancelled, or is past its deadline, and Blender has not answered it.

        Where the settings allow `hard_cancel` and it goes on, the process is replaced; what waits behind it in Blender
        is taken back before.
        """
        life = self._life
        if self._settings.hard_cancel and self._watch is not None and life is not None and life.tasks is not None:
            life.tasks.start_soon(self._end_stuck, self._watch, life, request_id)

    async def open_stream(self) -> ByteStream:
        """Connect to it, once it is ready where it is on its way. Wakes a sleeper.

        Raises OSError with what is known of why: at once where it is not on its way, else as the start fails.
        """
        if self.asleep() and (self._pool is None or self._pool.statistics().waiting):
            self.reserve()
        if self.state.phase != "ready" and self._attempt is not None and not self._attempt.ended:
            await self._attempt.result()
        if self.state.phase != "ready":
            why = f": {self.state.last_error}" if self.state.last_error else ""
            raise OSError(f"its worker is {self.state.phase}{why}")
        return await connect_unix(str(self._socket_path))

    def starting(self) -> str | None:
        """Why nobody can reach it, where that is as it should be; None where it is ready, and where it has failed."""
        if self.state.phase == "ready" or self.state.last_error is not None:
            return None
        return f"its worker is {self.state.phase}"

    # what is done

    async def run(self) -> None:
        """Start it, unless it is on demand, and see to it until cancelled, which ends its process."""
        if self.state.phase == "stopped":
            self.reserve()
        try:
            while True:
                while not self._wanted:
                    self._stirred = trio.Event()
                    await self._stirred.wait()
                await self._keep()
        finally:
            self._give_up_attempt("the bridge is ending")
            self._output.close()
            self._enter("stopped")

    async def _keep(self) -> None:
        """Run one process after another, until it is to rest."""
        while self._wanted:
            attempt = self.reserve()
            order = await self._live()
            self.on_change()
            was_ready = attempt.ended
            if order.failure:
                self.state.last_error = order.cause
            if attempt is self._attempt and (attempt.ended or order.failure or order.then in RESTING):
                self._give_up_attempt(order.cause)
            if self._attempt is not None:
                continue
            if order.then in RESTING or not self._wanted:
                self._wanted = False
                self._rest(order.then if order.then in RESTING else "stopped")
            elif order.failure:
                await self._pause(order, was_ready=was_ready)

    async def _live(self) -> Order:
        began = trio.current_time()
        self._enter("reserved")
        start = Start(self.state.name, self.address, self._settings.file, self._settings.env)
        life = Life(
            self._spawner, self._settings, self.state, self._output, self._socket_path,
            enter=self._enter, on_ready=lambda: self._ready(life, began),
        )  # fmt: skip
        self._life = life
        try:
            self._socket_path.unlink(missing_ok=True)
            return await life.run(start)
        except OSError as error:
            return Order("reserved", gently=True, cause=f"its socket cannot be removed: {error}", failure=True)
        finally:
            self._life = None
            life.gone.set()
            if life.process is not None:
                pid, status = life.process.pid, str(life.status)
                self._emit(events.WorkerEnded(self.state.name, pid, status))
                log.info("worker ended", instance=self.state.name, pid=pid, status=status)
                with suppress(OSError):
                    forget_worker(self._socket_path)

    def _ready(self, life: Life, began: float) -> None:
        assert life.process is not None
        assert life.tasks is not None
        pid = life.process.pid
        self.state.last_error = None
        self._emit(events.WorkerStarted(self.state.name, pid, trio.current_time() - began))
        log.info("worker is ready", instance=self.state.name, pid=pid, kind=self.state.kind, address=self.address)
        if self._attempt is not None:
            self._attempt.end()
        self.on_change()
        life.tasks.start_soon(self._stable)
        if self._watch is not None:
            self._watch.resume()
            life.tasks.start_soon(self._observe, self._watch, life, pid)

    async def _stable(self) -> None:
        await trio.sleep(self._settings.stable_after)
        self._restarts.reset()
        self.state.restarts = 0

    async def _observe(self, watch: Watch, life: Life, pid: int) -> None:
        life.command(await watch.run(pid))

    async def _end_stuck(self, watch: Watch, life: Life, request_id: str) -> None:
        assert life.process is not None
        if await watch.stuck(life.process.pid, request_id):
            log.warning("worker is killed: what was cancelled goes on", instance=self.state.name, request=request_id)
            await watch.take_back()
            life.command(Order("reserved", gently=False, cause="work that was cancelled had to be ended with it"))

    async def _pause(self, order: Order, *, was_ready: bool) -> None:
        """After a failure: wait for the next start, or give it up."""
        if self._watch is not None:
            self._watch.resume()
        pause = self._restarts.next(trio.current_time(), was_ready=was_ready)
        self.state.restarts = self._restarts.count
        found = {"instance": self.state.name, "reason": order.cause}
        if pause is None:
            log.error("worker is given up; `bpy-bridge worker start` tries again", **found)
            self._wanted = False
            self._rest("failed")
            return
        log.warning("worker is started again", **found, pause=round(pause, 3), restarts=self._restarts.count)
        self._enter("waiting")
        self._stirred = trio.Event()
        with trio.move_on_after(pause):
            await self._stirred.wait()

    def _give_up_attempt(self, cause: str | None) -> None:
        attempt, self._attempt = self._attempt, None
        if attempt is not None:
            attempt.end(cause or "it was ended")

    def _rest(self, phase: Phase) -> None:
        if phase != "failed":
            self.state.last_error = None
        self._enter(phase)
        if self._watch is not None:
            self._watch.resume()

    def _enter(self, phase: Phase) -> None:
        if phase != self.state.phase:
            self.state.phase, self.state.since = phase, time.time()
            if self._pool is not None:
                self._tell(self._pool)

    def _tell(self, pool: Lender) -> None:
        """What requests that wait for it may hope for."""
        phase, name = self.state.phase, self.state.name
        if phase in ("ready", "asleep"):
            pool.arrived()
        elif phase in RESTING:
            why = f", for {self.state.last_error}" if self.state.last_error else ""
            pool.give_up(f"its worker is {phase}{why}: `bpy-bridge worker start {name}` starts it")
        else:
            pool.expect()


def _nobody() -> None:
    """The listener of a worker that nobody watches."""
