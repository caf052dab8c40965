"""The composition root: which rooms there are, in which order they start, and in which order they end."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial

import structlog
import trio

from blender_addon.wire import Limits
from blender_addon.wire.address import parse_address

from . import events, paths, protocol, stream
from .config import Settings, WorkerSettings
from .fleet import Fleet, Instance
from .frontends.framed import FramedDoor
from .listeners import Listener, open_listener
from .memory import MemoryBudget
from .service import Service
from .status import Status
from .stream import ByteStream
from .supervised import guarded, keep_running
from .supervisor import Worker, find_blender

log = structlog.get_logger(__name__)

OnReady = Callable[[list[str]], None]
OpenStream = Callable[[], Awaitable[ByteStream]]

DEFAULT_INSTANCE = "default"


async def serve(settings: Settings, on_ready: OnReady, *, emit: events.Emit = events.ignore) -> None:
    """Run the bridge until SIGTERM or SIGINT, and return when everything has ended; a second signal doesn't wait.

    `on_ready` is called with the doors' addresses once every one is open. Raises ConfigurationError before that where
    an address cannot be had or there is no Blender to start.
    """
    _allow_many_files()
    paths.ensure_private(paths.runtime_directory())
    with ExitStack() as stack:
        listeners = []
        for address in settings.listen:
            listeners.append(open_listener(address))
            stack.callback(listeners[-1].close)
        addresses = [listener.address for listener in listeners]
        bridge = Bridge(settings, emit)
        paths.write_record(paths.Record(os.getpid(), time.time(), protocol.VERSION, addresses))
        stack.callback(paths.remove_record)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(bridge.run, listeners)
                log.info("bridge is ready", listen=addresses, pid=os.getpid(), instances=list(bridge.fleet.instances))
                on_ready(addresses)
                await anext(signals)
                nursery.start_soon(bridge.end, nursery.cancel_scope)
                await anext(signals)
                nursery.cancel_scope.cancel()
    log.info("bridge has ended")


class Bridge:
    """All rooms, wired. `run` keeps them until cancelled; `end` drains first."""

    def __init__(self, settings: Settings, emit: events.Emit) -> None:
        self._settings = settings
        self._emit = emit = guarded(emit)
        self._workers: list[Worker] = []
        self._token = settings.door_token()
        limits = settings.limits
        memory = MemoryBudget(limits.max_buffered)
        self._responses = memory.share(limits.max_buffered)
        # What the largest response needs is never given to requests: the answers free the rest.
        self._requests = memory.share(max(limits.max_payload, limits.max_buffered - limits.max_payload))
        self.fleet = Fleet([*self._configured(), *self._started()])
        self.status = Status(self.fleet)
        self.service = Service(self.fleet, self.status, default_deadline=limits.default_deadline, emit=emit)
        self.door = FramedDoor(
            self.service,
            limits=Limits(limits.max_payload, limits.max_in_flight),
            memory=self._requests,
            max_clients=limits.max_clients,
            frame_timeout=limits.frame_timeout,
            handshake_timeout=limits.handshake_timeout,
        )

    def _configured(self) -> list[Instance]:
        return [
            self._instance(name, instance.address, _opener(instance.address), instance.secret())
            for name, instance in self._settings.instances.items()
        ]

    def _started(self) -> list[Instance]:
        workers = dict(self._settings.workers)
        if not workers and not self._settings.instances:
            workers[DEFAULT_INSTANCE] = WorkerSettings()
        for name, chosen in workers.items():
            command = find_blender(chosen.blender)
            path = paths.runtime_directory() / f"worker-{name}.sock"
            paths.check_socket_path(str(path))
            self._workers.append(Worker(name, path, command=command, file=chosen.file, emit=self._emit))
        instances = []
        for worker in self._workers:
            instance = self._instance(worker.state.name, worker.address, worker.open_stream, None)
            # Whatever was connected or failed before belongs to another process.
            worker.on_change = instance.pool.reconnect
            instances.append(instance)
        return instances

    def _instance(self, name: str, address: str, open_stream: OpenStream, token: str | None) -> Instance:
        return Instance(
            name,
            address,
            open_stream,
            token=token,
            pool=self._settings.pool_for(name),
            memory=self._responses,
            max_payload=self._settings.limits.max_payload,
            cancel_grace=self._settings.limits.cancel_grace,
            emit=self._emit,
        )

    async def run(self, listeners: list[Listener]) -> None:
        """Serve until cancelled. The doors are open from the start; requests wait until Blender is there."""
        async with trio.open_nursery() as nursery:
            for worker in self._workers:
                nursery.start_soon(keep_running, f"worker {worker.state.name}", worker.run, self._emit)
            await nursery.start(self.fleet.run)
            doors = [(listener, self._token if listener.path is None else None) for listener in listeners]
            await self.door.serve(doors)

    async def end(self, scope: trio.CancelScope) -> None:
        """Drain: no new clients, waiting requests are refused, those in flight may end within drain_timeout."""
        log.info("shutting down", in_flight=self.door.in_flight, drain_timeout=self._settings.drain_timeout)
        self.door.stop_accepting("the bridge is shutting down")
        with trio.move_on_after(self._settings.drain_timeout) as draining:
            await self.fleet.drain()
            await self.door.settled()
        if draining.cancelled_caught:
            log.warning("not everything ended in time", in_flight=self.door.in_flight)
        self.door.close()
        scope.cancel()


def _opener(text: str) -> OpenStream:
    address = parse_address(text)
    if address.kind == "unix":
        return partial(stream.connect_unix, address.path)
    return partial(stream.connect_tcp, address.host, address.port)


def _allow_many_files() -> None:
    """512 clients and more need as many files; the soft limit is often 1024 in all."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # there is none on Windows

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 8192 if hard == resource.RLIM_INFINITY else min(8192, hard)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
