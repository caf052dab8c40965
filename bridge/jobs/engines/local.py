"""A Blender process of the job's own, on this machine: started for it, killed with it."""

from __future__ import annotations

import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import trio

from blender_addon.wire import Buffer, Fault, Request, split_parts
from bridge import paths, protocol, stream
from bridge.connection import Connection, Exchange, open_connection
from bridge.errors import BlenderLost
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import OnProgress
from bridge.memory import MemoryShare
from bridge.supervisor import FreshSpawner, find_blender
from bridge.supervisor.output import Output
from bridge.supervisor.process import Start, WorkerProcess

_START_TIMEOUT = 600.0
_CANCEL_GRACE = 0.05
_LAST_LINES = 20
_TO_READ = 1.0
_TO_DIE = 3.0
# What is wrong with the request itself will be wrong next time.
_FINAL = ("invalid_params", "unknown_method", "forbidden", "bad_payload")


class LocalEngine:
    """Starts Blenders for jobs; `blender` is the wheel (`bpy`) or an executable, `env` what each gets besides."""

    def __init__(self, blender: str, env: Mapping[str, str], *, memory: MemoryShare, max_payload: int) -> None:
        self._spawner = FreshSpawner(partial(find_blender, blender))
        self._env = env
        self._memory = memory
        self._max_payload = max_payload

    @asynccontextmanager
    async def blender(self, file: Path | None, log: Path) -> AsyncIterator[LocalBlender]:
        """See `work.StartBlender`."""
        name = f"job-{uuid.uuid4().hex[:8]}"
        start = Start(name, f"unix:{paths.worker_socket(name)}", file, self._env)
        lines: deque[str] = deque(maxlen=_LAST_LINES)
        output = Output(name, lines, log)
        running: list[WorkerProcess] = []
        try:
            async with trio.open_nursery() as nursery:
                yield LocalBlender(partial(self._start, start, _Running(output, lines), running, nursery))
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            raise _only(group) from None
        finally:
            for process in running:
                await process.aclose()
            output.close()
            paths.worker_socket(name).unlink(missing_ok=True)

    async def _start(
        self, start: Start, running: _Running, processes: list[WorkerProcess], nursery: trio.Nursery
    ) -> tuple[Connection, _Running]:
        try:
            process = await self._spawner.spawn(start)
        except OSError as error:
            raise JobFailed("no_blender", f"no Blender could be started: {error}") from error
        processes.append(process)
        nursery.start_soon(running.watch, process)
        await running.ready()
        try:
            connection = await open_connection(
                partial(stream.connect_unix, start.address.removeprefix("unix:")),
                token=None,
                memory=self._memory,
                max_payload=self._max_payload,
                cancel_grace=_CANCEL_GRACE,
            )
        except (OSError, Fault, trio.BrokenResourceError) as error:
            raise await running.failure(f"Blender could not be reached ({error})") from error
        return connection, running


class _Running:
    """A process, and what it has said of itself."""

    def __init__(self, output: Output, lines: deque[str]) -> None:
        self._output = output
        self._lines = lines
        self._ready = trio.Event()
        self._read = trio.Event()
        self._ended = trio.Event()
        self._status: int | None = None
        output.begin(self._said)

    def _said(self, phase: str) -> None:
        if phase == "ready":
            self._ready.set()

    async def watch(self, process: WorkerProcess) -> None:
        """Read what it prints, and know when it ends."""
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._follow, process)
            self._status = await process.wait()
            # Its last words are the most telling.
            with trio.move_on_after(_TO_READ):
                await self._read.wait()
            self._ended.set()
            self._ready.set()
            nursery.cancel_scope.cancel()

    async def _follow(self, process: WorkerProcess) -> None:
        await self._output.follow(process.output)
        self._read.set()

    async def ready(self) -> None:
        """Wait until it takes connections. Raises JobFailed where it does not come to that."""
        with trio.move_on_after(_START_TIMEOUT) as patience:
            await self._ready.wait()
        if patience.cancelled_caught:
            raise await self.failure(f"Blender was not ready within {_START_TIMEOUT:g} s")
        if self._ended.is_set():
            raise await self.failure("Blender ended while it started: is the file a .blend that it can open?")

    async def failure(self, what: str) -> JobFailed:
        """An error with what it printed last; how it ended is waited for briefly."""
        with trio.move_on_after(_TO_DIE):
            await self._ended.wait()
        how = "" if self._status is None else f", {_in_words(self._status)}"
        return JobFailed("blender_died", f"{what}{how}", data={"status": self._status, "output": list(self._lines)})


class LocalBlender:
    """See `work.Blender`."""

    def __init__(self, start: Callable[[], Awaitable[tuple[Connection, _Running]]]) -> None:
        self._start = start
        self._started: tuple[Connection, _Running] | None = None
        self._requests = 0

    async def start(self) -> None:
        """See `work.Blender`."""
        self._started = await self._start()

    async def call(self, method: str, params: dict[str, Any], on_progress: OnProgress | None = None) -> Any:
        """See `work.Blender`."""
        assert self._started is not None
        connection, running = self._started
        self._requests += 1
        request = Request(f"j{self._requests}", method, None)
        exchange = Exchange(request, protocol.json_bytes(params), None if on_progress is None else _told(on_progress))
        try:
            await connection.call(exchange)
        except BlenderLost as error:
            raise await running.failure(f"Blender ended during {method}") from error
        reply = exchange.reply
        assert reply is not None
        try:
            if not reply.ok:
                fault = protocol.fault_from_payload(reply.payload)
                data = {**fault.data, "outcome": fault.outcome}
                raise JobFailed(fault.code, fault.message, final=fault.code in _FINAL, data=data)
            return protocol.json_value(split_parts(reply.payload, reply.parts)[0])
        finally:
            reply.drop()


def _told(on_progress: OnProgress) -> Any:
    def on_event(name: str, payload: Buffer) -> bool:
        if name == "progress":
            told = protocol.json_value(payload)
            on_progress(told.get("progress", 0.0), told.get("total", 1.0), told.get("message", ""))
        return True

    return on_event


def _in_words(status: int) -> str:
    return f"killed by signal {-status}" if status < 0 else f"exit status {status}"


def _only(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one exception in it, where it is one: a nursery around the work makes a group of everything."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error
