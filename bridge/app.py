"""The composition root: which rooms there are, in which order they start, and in which order they end."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import NamedTuple

import structlog
import trio

from blender_addon.wire import Limits

from . import event_log, paths
from .blenders import Blenders
from .config import Settings
from .events import Emit
from .fleet import Fleet
from .frontends.framed import FramedDoor
from .frontends.http import HttpDoor, Pages, url
from .frontends.mcp import McpDoor
from .jobs.engines.local import LocalEngine
from .jobs.engines.slurm import SlurmEngine
from .jobs.pace import Pace
from .jobs.performing import Performer
from .jobs.queue import Queue
from .jobs.store import open_store
from .listeners import Listener, open_listener
from .memory import MemoryBudget, MemoryShare
from .metrics import Metrics
from .service import Service
from .status import Status
from .supervised import dispatcher, keep_running

log = structlog.get_logger(__name__)

_FAREWELL = 0.25
_LAST_WORDS = 2.0
_CHOOSE_HTTP = "--http tcp:127.0.0.1:PORT, or none with --http off"


class Doors(NamedTuple):
    """Where the bridge is reached; `http` is a URL, `mcp` where relays come in; None where that door is off."""

    listen: list[str]
    http: str | None
    mcp: str | None = None


async def serve(settings: Settings, on_ready: Callable[[Doors], None]) -> None:
    """Run the bridge until SIGTERM or SIGINT, and return when everything has ended; a second signal doesn't wait.

    `on_ready` is called once every door is open. Raises ConfigurationError before that where an address cannot be had
    or there is no Blender to start.
    """
    _allow_many_files()
    paths.ensure_private(paths.runtime_directory())
    with ExitStack() as stack:
        listeners = [_open(stack, address, "--listen") for address in settings.listen]
        http = None if settings.http == "off" else _open(stack, settings.http, _CHOOSE_HTTP)
        mcp = None if settings.mcp == "off" else _open(stack, settings.mcp, "BPY_BRIDGE_MCP, or none with off")
        doors = Doors(
            [listener.address for listener in listeners],
            None if http is None else url(http),
            None if mcp is None else mcp.address,
        )
        bridge = Bridge(settings)
        bridge.status.listen, bridge.status.http, bridge.status.mcp = doors
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run, listeners, http, mcp, nursery.cancel_scope)
                log.info("bridge is ready", pid=os.getpid(), **doors._asdict(), instances=list(bridge.fleet.instances))
                on_ready(doors)
                first = await anext(signals)
                nursery.start_soon(bridge.end, signal.Signals(first).name)
                await anext(signals)
                log.warning("told to end a second time: what is in flight is cancelled now")
                nursery.cancel_scope.cancel()
    log.info("bridge has ended", uptime=round(bridge.status.uptime, 3))


def _open(stack: ExitStack, address: str, flag: str) -> Listener:
    listener = open_listener(address, flag=flag)
    stack.callback(listener.close)
    return listener


class Bridge:
    """All rooms, wired. `run` keeps them until cancelled or `end` has drained them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._token = settings.door_token()
        self._serving = trio.CancelScope()
        self._ending = 0.0
        limits = settings.limits
        memory = MemoryBudget(limits.max_buffered)
        responses = memory.share(limits.max_buffered)
        # What the largest response needs is never given to requests: the answers free the rest.
        requests = memory.share(max(limits.max_payload, limits.max_buffered - limits.max_payload))
        self.fleet = Fleet()
        self.status = Status(self.fleet)
        self.metrics = Metrics(self.fleet, self.status)
        # Nobody could read metrics without the HTTP door.
        counted = {} if settings.http == "off" else self.metrics.handlers
        self._emit = dispatcher(counted, self.status.recent.handlers, event_log.handlers(settings.log.level))
        self.blenders = Blenders(settings, self.fleet, memory=responses, emit=self._emit)
        self.jobs = _queue(settings, responses, self._emit)
        self.service = Service(
            self.fleet,
            self.status,
            default_deadline=limits.default_deadline,
            emit=self._emit,
            supervisor=self.blenders.supervisor,
            jobs=self.jobs,
        )
        self.door = FramedDoor(
            self.service,
            limits=Limits(limits.max_payload, limits.max_in_flight),
            memory=requests,
            max_clients=limits.max_clients,
            frame_timeout=limits.frame_timeout,
            handshake_timeout=limits.handshake_timeout,
        )
        sent_tokens = settings.mcp != "off" and (settings.http != "off" or settings.mcp.startswith("tcp:"))
        self._mcp_token = paths.ensure_token(paths.mcp_token_file()) if sent_tokens else ""
        self.mcp = McpDoor(self.service, self._mcp_token, settings.safety.write_folders)
        mounted = {} if settings.mcp == "off" else {"/mcp": self.mcp}
        self.http = HttpDoor(Pages(self.status, self.metrics.page, mounted))

    async def run(
        self, listeners: list[Listener], http: Listener | None, mcp: Listener | None, whole: trio.CancelScope
    ) -> None:
        """Serve until cancelled or drained, then cancel `whole`.

        The doors are open from the start; requests wait until Blender is there. The HTTP door is the last to close.
        """
        async with trio.open_nursery() as watching:
            watching.start_soon(keep_running, "event loop lag", self.metrics.watch_loop, self._emit)
            async with trio.open_nursery() as telling:
                if http is not None:
                    telling.start_soon(keep_running, "http", partial(self.http.serve, http), self._emit)
                with self._serving:
                    await self._serve(listeners, mcp)
                self._log_step("Blender workers and connections ended")
                self.http.stop()
            self._log_step("HTTP door closed")
            whole.cancel()

    async def _serve(self, listeners: list[Listener], mcp: Listener | None) -> None:
        async with trio.open_nursery() as nursery:
            if mcp is not None:
                token = self._mcp_token if mcp.path is None else None
                nursery.start_soon(keep_running, "mcp", partial(self.mcp.serve, mcp, token), self._emit)
            if self.jobs is not None:
                nursery.start_soon(self.jobs.run)
            await nursery.start(self.blenders.run)
            await nursery.start(self.fleet.run)
            doors = [(listener, self._token if listener.path is None else None) for listener in listeners]
            await self.door.serve(doors)

    async def end(self, why: str) -> None:
        """Drain: no new clients, waiting requests are refused, those in flight may end within drain_timeout."""
        self._ending = trio.current_time()
        self.status.draining = True
        log.info("shutting down", why=why, in_flight=self.door.in_flight, drain_timeout=self._settings.drain_timeout)
        self.door.stop_accepting("the bridge is shutting down")
        self.mcp.stop_accepting()
        clients = self.door.clients + self.mcp.clients
        self._log_step("doors closed to new clients, goodbye said", clients=clients)
        async with trio.open_nursery() as beside:
            if self.jobs is not None:
                beside.start_soon(self._drain_jobs, self.jobs)
            await self._drain_requests()
        # Who was told goodbye leaves, or is refused what it asks once more: to close at once would lose its request.
        with trio.move_on_after(_FAREWELL):
            await self.door.left()
        self.door.close()
        self.mcp.close()
        self._log_step("client connections closed")
        self._serving.cancel()

    async def _drain_jobs(self, jobs: Queue) -> None:
        await jobs.drain()
        self._log_step("jobs ended or given back")

    async def _drain_requests(self) -> None:
        with trio.move_on_after(self._settings.drain_timeout) as draining:
            await self.fleet.drain()
            await self.door.settled()
            await self.mcp.settled()
        if draining.cancelled_caught:
            log.warning("not everything ended in time, the rest is cancelled", in_flight=self.door.in_flight)
            self.mcp.cancel()
            with trio.move_on_after(_LAST_WORDS):
                await self.mcp.settled()
        else:
            self._log_step("requests in flight ended")

    def _log_step(self, step: str, **facts: int) -> None:
        log.info(step, **facts, seconds=round(trio.current_time() - self._ending, 3))


def _queue(settings: Settings, memory: MemoryShare, emit: Emit) -> Queue | None:
    """The jobs, their store open. Raises ConfigurationError in one line, None where they are off."""
    jobs = settings.jobs
    url = jobs.url.get_secret_value()
    if url == "off":
        return None
    env = {**jobs.env, **settings.safety.for_jobs(jobs.directory).variables()}
    here = LocalEngine(jobs.blender, env, memory=memory, max_payload=settings.limits.max_payload)
    cluster = SlurmEngine(jobs.slurm, env)
    workers = sum(worker.count for worker in settings.workers.values())
    return Queue(
        open_store(url, namespace=jobs.namespace),
        Performer(jobs.directory, here.blender, cluster),
        concurrency=jobs.concurrency or workers or 3,
        drain_timeout=jobs.drain_timeout,
        directory=jobs.directory,
        emit=emit,
        pace=Pace(jobs.lease, jobs.heartbeat, jobs.poll, jobs.backoff),
        release=cluster.release,
        code=settings.safety.code,
    )


def _allow_many_files() -> None:
    """512 clients and more need as many files; the soft limit is often 1024 in all."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
