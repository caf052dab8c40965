"""What speaks against a worker that is ready: it hangs, it is too large, too old or idle, its work cannot be stopped.

It is asked by the pings of its instance's health check. Nothing is done to it while a request runs or waits in it, nor
while it has unsaved changes, but where it hangs or its work has to be ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import psutil
import structlog
import trio
from trio_util import AsyncValue

from bridge.config import WorkerSettings
from bridge.connection import Connection
from bridge.pool import PoolStatistics

from .life import Order

log = structlog.get_logger(__name__)

TAKE_BACK = 1.0
_CLOSE_LOOK = 0.2
_OLD = "its pong does not say whether there are unsaved changes"


class Health(Protocol):
    """What the last ping found; `blender` is what the pong said, None where there was none."""

    @property
    def blender(self) -> Mapping[str, Any] | None: ...


class Vitals(Protocol):
    """The health check of the worker's instance: `poke` makes it ping now, `latest` has what it found."""

    @property
    def latest(self) -> AsyncValue[Any]: ...

    def poke(self) -> None: ...


class Lender(Protocol):
    """The pool of the worker's instance."""

    def statistics(self) -> PoolStatistics: ...

    def expect(self) -> None: ...

    def arrived(self) -> None: ...

    def give_up(self, cause: str) -> None: ...

    def park(self) -> None: ...

    def resume(self) -> None: ...

    async def drained(self) -> PoolStatistics: ...

    def lent(self) -> Sequence[Connection]: ...


class Watch:
    """Watches one process after another; `pool` and `vitals` belong to the worker's name."""

    def __init__(self, name: str, settings: WorkerSettings, vitals: Vitals, pool: Lender) -> None:
        self._name = name
        self._settings = settings
        self._vitals = vitals
        self._pool = pool
        self._parked = False
        self._warned = False

    def resume(self) -> None:
        """Lend again what an order of ours has parked: there is another process, or it is known why not."""
        if self._parked:
            self._parked = False
            self._pool.resume()

    async def run(self, pid: int) -> Order:
        """Ping the process until something speaks against it."""
        settings = self._settings
        silence = 0.0
        patience, what = settings.ready_timeout, "its first answer did not come within"
        runs, idle_since = -1, trio.current_time()
        self._warned = False
        while True:
            pong = await self._ask(pid, settings.ping_interval)
            if pong is None:
                # Counted in questions without an answer: a bridge that slept itself has asked only once.
                silence += settings.ping_interval
                if silence >= patience:
                    return Order("reserved", gently=False, cause=f"{what} {patience:g} s", failure=True)
                continue
            silence = 0.0
            patience, what = settings.hung_after, "it hangs: it has not answered for"
            if pong.get("runs") != runs or self._in_use(pong):
                runs, idle_since = pong.get("runs", runs), trio.current_time()
            order = await self._why_replace(pong, pid, trio.current_time() - idle_since)
            if order is not None and await self._may_go(order, pong, pid):
                return order

    async def stuck(self, pid: int, request_id: str) -> bool:
        """Whether work that was given up still runs after the grace."""
        until = trio.current_time() + self._settings.hard_cancel_grace
        runs = True
        while runs and (left := until - trio.current_time()) > 0:
            pong = await self._ask(pid, min(_CLOSE_LOOK, left))
            if pong is not None:
                running = pong.get("running")
                runs = isinstance(running, Mapping) and running.get("id") == request_id
        return runs

    async def take_back(self) -> None:
        """Have the queue in Blender emptied: what has not begun there is answered as not executed."""
        self._park()
        async with trio.open_nursery() as nursery:
            for connection in self._pool.lent():
                nursery.start_soon(connection.take_back)
            with trio.move_on_after(TAKE_BACK):
                await self._pool.drained()
            nursery.cancel_scope.cancel()

    async def _ask(self, pid: int, seconds: float, *, wait: bool = True) -> Mapping[str, Any] | None:
        """The pong; None where the process has not answered within that time, all of which is taken where `wait`."""
        pong: Mapping[str, Any] | None = None
        self._vitals.poke()
        with trio.move_on_after(seconds):
            while pong is None or pong.get("pid", pid) != pid:
                pong = (await self._vitals.latest.wait_transition(_answered))[0].blender
            if wait:
                await trio.sleep_forever()
        return pong

    def _in_use(self, pong: Mapping[str, Any]) -> bool:
        pool = self._pool.statistics()
        return bool(pong.get("busy") or pong.get("queued") or pool.leased or pool.waiting)

    async def _why_replace(self, pong: Mapping[str, Any], pid: int, idle: float) -> Order | None:
        settings = self._settings
        if settings.max_requests is not None and pong.get("runs", 0) >= settings.max_requests:
            return Order("reserved", gently=True, cause=f"max_requests: it has served {pong['runs']}")
        if settings.max_memory is not None and (size := await _memory(pid)) > settings.max_memory:
            return Order("reserved", gently=True, cause=f"max_memory: it takes {size >> 20} MiB")
        if settings.idle_exit is not None and idle >= settings.idle_exit:
            return Order("asleep", gently=True, cause=f"idle_exit: no request for {idle:.0f} s")
        return None

    async def _may_go(self, order: Order, pong: Mapping[str, Any], pid: int) -> bool:
        """Wait for the moment between two requests. True: it has come, and nothing is lent until `resume`."""
        if pong.get("dirty") is not False:
            if not self._warned:
                self._warned = True
                unsaved = "it has unsaved changes" if "dirty" in pong else _OLD
                log.warning("worker is kept", instance=self._name, reason=order.cause, because=unsaved)
            return False
        if self._pool.statistics().state != "open":
            return False  # somebody holds it, and means to
        self._park()
        if (await self._pool.drained()).state == "drained":
            now = await self._ask(pid, self._settings.ping_interval, wait=False)
            if now is not None and now.get("dirty") is False and not now.get("busy") and not now.get("queued"):
                log.info("worker is to go", instance=self._name, reason=order.cause, then=order.then)
                return True
        self.resume()
        return False

    def _park(self) -> None:
        if self._pool.statistics().state == "open":
            self._parked = True
            self._pool.park()


def _answered(now: Health, _before: Health) -> bool:
    return now.blender is not None


async def _memory(pid: int) -> int:
    """Bytes that the process and all that it has started hold in memory; 0 where it is gone."""
    found: int = await trio.to_thread.run_sync(_resident, pid)
    return found


def _resident(pid: int) -> int:
    total = 0
    try:
        whole = psutil.Process(pid)
        for process in (whole, *whole.children(recursive=True)):
            total += process.memory_info().rss
    except psutil.Error:
        return total
    return total
