"""Blender worker processes: start, watch, restart, end."""

from __future__ import annotations

import importlib.util
import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import structlog
import trio
from trio_util import move_on_when

from bridge import events
from bridge.errors import NoBlender
from bridge.stream import ByteStream, connect_unix

log = structlog.get_logger(__name__)

Phase = Literal["reserved", "spawning", "importing", "ready", "waiting", "ended"]

READY_TIMEOUT = 60.0
END_TIMEOUT = 5.0
STABLE_AFTER = 30.0
_DELAY, _LONGEST_DELAY = 0.1, 10.0
_LONGEST_LINE = 2_000


@dataclass(slots=True)
class WorkerState:
    """What is known of one worker; `restarts` counts the processes after the first."""

    name: str
    phase: Phase = "reserved"
    pid: int | None = None
    restarts: int = 0
    last_error: str | None = None
    output: deque[str] = field(default_factory=lambda: deque(maxlen=50))


class Worker:
    """One Blender process that listens at `address` (unix:/path), kept alive while `run` runs.

    `on_change` is called when a process has become ready, and when it has ended.
    """

    def __init__(
        self, name: str, socket_path: Path, *, command: list[str], file: Path | None, emit: events.Emit
    ) -> None:
        self.state = WorkerState(name)
        self.address = f"unix:{socket_path}"
        self.on_change: Callable[[], None] = _nobody
        self._socket_path = socket_path
        self._start = command
        self._file = file
        self._emit = emit
        self._rest = b""

    async def run(self) -> None:
        """Start the process, and another when it ends, after a growing, jittered pause. Cancelled, it ends it."""
        failures = 0
        while True:
            started = trio.current_time()
            try:
                await self._live()
            except (OSError, trio.TooSlowError) as error:
                self.state.last_error = str(error) or "it was not ready in time"
                log.warning("worker could not start", instance=self.state.name, error=self.state.last_error)
            failures = 0 if trio.current_time() - started > STABLE_AFTER else failures + 1
            self.state.phase = "waiting"
            self.state.restarts += 1
            await trio.sleep(random.uniform(0, min(_LONGEST_DELAY, _DELAY * 2 ** min(failures, 10))))  # noqa: S311  # no secret

    async def _live(self) -> None:
        self.state.phase = "spawning"
        started = trio.current_time()
        self._socket_path.unlink(missing_ok=True)
        self._rest = b""
        process = await trio.lowlevel.open_process(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=os.name == "posix",
        )
        self.state.pid = process.pid
        try:
            self.state.phase = "importing"
            with trio.fail_after(READY_TIMEOUT):
                await self._read_output(process, until_ready=True)
            self.state.phase = "ready"
            self.state.last_error = None
            self._emit(events.WorkerStarted(self.state.name, process.pid, trio.current_time() - started))
            log.info("worker is ready", instance=self.state.name, pid=process.pid, address=self.address)
            self.on_change()
            async with move_on_when(process.wait):
                await self._read_output(process, until_ready=False)
                await process.wait()
        finally:
            with trio.move_on_after(2 * END_TIMEOUT, shield=True):
                await self._end(process)
            self._ended(process)

    async def open_stream(self) -> ByteStream:
        """Connect to it. Raises OSError, at once where the process is not ready, with what is known of why."""
        if self.state.phase != "ready":
            why = f": {self.state.last_error}" if self.state.last_error else ""
            raise OSError(f"its worker is {self.state.phase}{why}")
        return await connect_unix(str(self._socket_path))

    def _command(self) -> list[str]:
        file = [] if self._file is None else ["--file", str(self._file)]
        return [*self._start, "--listen", self.address, *file]

    async def _read_output(self, process: trio.Process, *, until_ready: bool) -> None:
        """Keep the last lines. Raises OSError where the output ends before the ready line."""
        assert process.stdout is not None
        async for chunk in process.stdout:
            *lines, self._rest = (self._rest + chunk).split(b"\n")
            self._rest = self._rest[-_LONGEST_LINE:]
            self.state.output.extend(line.decode(errors="replace")[:_LONGEST_LINE] for line in lines)
            if until_ready and any(_is_ready(line) for line in lines):
                return
        if until_ready:
            tail = " | ".join(list(self.state.output)[-5:])
            raise OSError(f"Blender ended before it was ready: {tail}")

    async def _end(self, process: trio.Process) -> None:
        with trio.move_on_after(END_TIMEOUT):
            _signal(process, signal.SIGTERM)
            await process.wait()
        _signal(process, signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        await process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                await pipe.aclose()

    def _ended(self, process: trio.Process) -> None:
        self._socket_path.unlink(missing_ok=True)
        self.state.pid = None
        self.state.phase = "ended"
        self.on_change()
        self._emit(events.WorkerEnded(self.state.name, process.pid, str(process.returncode)))
        log.info("worker ended", instance=self.state.name, pid=process.pid, status=process.returncode)


def _nobody() -> None:
    """The listener of a worker that nobody watches."""


def find_blender(blender: str) -> list[str]:
    """The command that starts a headless Blender: the bpy wheel, or an executable. Raises NoBlender.

    `bpy` falls back to the `blender` on PATH where there is no wheel for this Python.
    """
    if blender == "bpy":
        if importlib.util.find_spec("bpy") is not None:
            return [sys.executable, "-m", "blender_addon.headless"]
        blender = "blender"
    executable = shutil.which(blender)
    if executable is None:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise NoBlender(
            f"there is no Blender to start: no bpy wheel in this Python {version} and no {blender!r} on PATH. "
            "Install one (`pip install 'bpy-bridge[embedded]'` on Python 3.11 or 3.13, or your system's blender), "
            "or name one that runs: `bpy-bridge serve --instance default=tcp:127.0.0.1:9876`"
        )
    script = Path(__file__).parents[2] / "blender_addon" / "headless.py"
    return [executable, "-b", "--factory-startup", "--python-exit-code", "1", "--python", str(script), "--"]


def _is_ready(line: bytes) -> bool:
    # Text that was printed without a line's end may stand before it.
    try:
        said = json.loads(line[max(0, line.find(b'{"ready"')) :])
    except ValueError:
        return False
    return isinstance(said, dict) and said.get("ready") is True


def _signal(process: trio.Process, number: int) -> None:
    try:
        if os.name == "posix":
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
    except ProcessLookupError:
        return
