"""Which Blenders the bridge has: configured, started, announced. Each becomes an instance of the fleet."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import trio

from blender_addon.descriptor import Descriptor, directory
from blender_addon.wire.address import parse_address

from . import events, paths, stream
from .config import DEFAULT_INSTANCE, Settings, WorkerSettings
from .discovery import Discovery
from .fleet import Announced, Fleet, Group, Instance, Source
from .health import HealthLimits
from .memory import MemoryShare
from .stream import ByteStream
from .supervised import keep_running
from .supervisor import FreshSpawner, Spawner, Supervisor, Worker, ZygoteSpawner, find_blender

OpenStream = Callable[[], Awaitable[ByteStream]]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class Blenders:
    """Fills the fleet, and sees to the processes behind it while `run` runs.

    Raises NoBlender where the configuration needs a Blender to be started and there is none.
    """

    def __init__(self, settings: Settings, fleet: Fleet, *, memory: MemoryShare, emit: events.Emit) -> None:
        self.supervisor = Supervisor(emit, self._by_hand)
        self._settings = settings
        self._fleet = fleet
        self._memory = memory
        self._emit = emit
        self._zygotes = ZygoteSpawner()
        self._embedded: Worker | None = None
        announced = Announced(fleet, self._announced)
        place = Path(directory())
        self._discovery = Discovery(place, come=announced.come, changed=announced.changed, gone=announced.gone)
        for name, instance in settings.instances.items():
            fleet.add(self._instance(name, instance.address, _opener(instance.address), token=instance.secret()))
        for table, chosen in settings.workers.items():
            self._add_table(table, chosen)
        self._discovery.look()
        if not settings.workers and not settings.instances:
            self._add_embedded()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the workers alive and look who announces himself, until cancelled, which ends the workers."""
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(keep_running, "zygotes", self._zygotes.run, self._emit)
                await nursery.start(self.supervisor.run)
                nursery.start_soon(keep_running, "discovery", self._discovery.run, self._emit)
                task_status.started()
        finally:
            with trio.CancelScope(shield=True):
                await self._zygotes.aclose()

    def _add_table(self, table: str, chosen: WorkerSettings) -> None:
        _check(chosen)
        members = []
        for name in chosen.names(table):
            worker, instance = self._make(name, chosen, "configured")
            self.supervisor.add(worker, table)
            self._fleet.add(instance)
            members.append(instance)
        if chosen.count > 1:
            self._fleet.add_group(Group(table, members, self._emit))

    def _add_embedded(self) -> None:
        """The one that is there when nothing else is; beside an announced one it sleeps until somebody needs it."""
        others = bool(self._fleet.instances)
        chosen = WorkerSettings(on_demand=others)
        if not others:
            _check(chosen)
        worker, instance = self._make(DEFAULT_INSTANCE, chosen, "embedded")
        self.supervisor.add(worker)
        self._fleet.add(instance)

    def _by_hand(self, name: str) -> Worker:
        """A worker that is in no configuration, as `bpy-bridge worker start NAME` asks for."""
        if not _NAME.fullmatch(name):
            raise ValueError("a name is up to 64 letters, digits, '.', '_' and '-'")
        if name in self._fleet.names - {DEFAULT_INSTANCE}:
            raise ValueError("another Blender is called so")
        configured = [*self._settings.workers, *self._settings.instances]
        if name == DEFAULT_INSTANCE and configured:
            raise ValueError(f"requests for it go to what is configured: name one of {', '.join(configured)}")
        chosen = WorkerSettings()
        _check(chosen)
        worker, instance = self._make(name, chosen, "embedded")
        self._fleet.add(instance)
        return worker

    def _make(self, name: str, chosen: WorkerSettings, source: Source) -> tuple[Worker, Instance]:
        safety = self._settings.safety_for(name).variables()
        chosen = chosen.model_copy(update={"env": {**chosen.env, **safety}})
        path = paths.worker_socket(name)
        spawner: Spawner = (
            self._zygotes if chosen.start == "fork" else FreshSpawner(partial(find_blender, chosen.blender))
        )
        log_path = paths.log_directory() / f"{path.stem}.log"
        worker = Worker(name, spawner, chosen, socket_path=path, log_path=log_path, emit=self._emit)
        instance = self._instance(name, worker.address, worker.open_stream, source=source, worker=worker)
        worker.on_change = instance.changed
        worker.watch(instance.health, instance.pool)
        if not chosen.on_demand:
            instance.pool.expect()
        return worker, instance

    def _announced(self, name: str, found: Descriptor) -> Instance:
        return self._instance(
            name, found.address, _opener(found.address), token=found.token, source="announced", announced=found
        )

    def _instance(
        self,
        name: str,
        address: str,
        open_stream: OpenStream,
        *,
        token: str | None = None,
        source: Source = "configured",
        worker: Worker | None = None,
        announced: Descriptor | None = None,
    ) -> Instance:
        limits, health = self._settings.limits, self._settings.health
        pool = self._settings.pool_for(name)
        if worker is not None and worker.sleeps:
            # A connection kept open without demand would wake it.
            pool = replace(pool, warm=0)
        instance = Instance(
            name,
            address,
            open_stream,
            token=token,
            pool=pool,
            memory=self._memory,
            max_payload=limits.max_payload,
            cancel_grace=limits.cancel_grace,
            emit=self._emit,
            health=HealthLimits(**health.model_dump()),
            source=source,
            file=None if announced is None else announced.file,
            blender=None if announced is None else announced.blender,
            code=self._settings.safety_for(name).code,
        )
        if announced is not None:
            instance.program = partial(_program, announced.pid)
        if worker is not None:
            instance.worker = worker.state
            instance.asleep = worker.asleep
            instance.health.starting = worker.starting
            instance.on_abandoned = worker.abandoned
            instance.ends_stuck_work = worker.ends_stuck_work
        return instance


def _check(chosen: WorkerSettings) -> None:
    """Raises NoBlender now, while somebody looks, and not at the first start."""
    find_blender(chosen.blender)


def _opener(text: str) -> OpenStream:
    address = parse_address(text)
    if address.kind == "unix":
        return partial(stream.connect_unix, address.path)
    return partial(stream.connect_tcp, address.host, address.port)


def _program(pid: int) -> str | None:
    """The executable of a process, where that is a Blender and can be seen."""
    import psutil  # noqa: PLC0415  # hardly ever needed

    try:
        path = psutil.Process(pid).exe()
    except psutil.Error:
        return None
    return path if Path(path).name.lower().startswith("blender") else None
