"""Workers in milliseconds: a process that has imported Blender forks them.

One zygote serves all workers with the same variables, since Blender reads its variables when it is imported. It is
started at the first need, or ahead of it (`warm`), and again once it has died, at once while `run` runs; workers that
it forked go on.
"""

from __future__ import annotations

import array
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Mapping
from contextlib import ExitStack

import structlog
import trio

from .forked import ForkedProcess
from .process import Start, variables

log = structlog.get_logger(__name__)

# A fork takes milliseconds: a zygote that takes this long is stuck.
_FORK_SECONDS = 5.0
_END_SECONDS = 2.0
# One that dies sooner would do so again.
_SHORT_LIFE = 5.0
_LONGEST_REQUEST = 60_000
_LAST_WORDS = 2_000


def available() -> str | None:
    """Why workers cannot be forked here; None where they can."""
    if sys.platform != "linux":
        return "workers are forked on Linux alone: the libraries of other systems do not survive it"
    if importlib.util.find_spec("bpy") is None:
        return "workers are forked from the bpy wheel, which this Python does not have: install bpy-bridge[embedded]"
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as error:
        return f"workers are forked where the system has pidfd_open, Linux 5.3 or later ({error})"
    return None


class ZygoteLost(OSError):
    """The zygote died, or was stuck and was killed; no worker came of the request."""


class ZygoteSpawner:
    """A Spawner of forked workers, and the owner of the zygotes that fork them."""

    kind = "fork"

    def __init__(self) -> None:
        self._homes: dict[frozenset[tuple[str, str]], _Home] = {}
        self._nursery: trio.Nursery | None = None

    @property
    def pids(self) -> list[int]:
        """The zygotes that run now."""
        return [home.zygote.pid for home in self._homes.values() if home.zygote is not None and home.zygote.alive]

    async def warm(self, env: Mapping[str, str]) -> None:
        """Have a zygote for workers with these variables. Raises OSError with the cause; may be cancelled."""
        await self._home(env).living()

    async def run(self, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Replace a zygote once it has died, so that the next worker need not wait for Blender. Until cancelled."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            try:
                for home in self._homes.values():
                    nursery.start_soon(home.keep)
                task_status.started()
                await trio.sleep_forever()
            finally:
                self._nursery = None

    async def spawn(self, start: Start) -> ForkedProcess:
        """Fork a worker. Raises OSError with the cause; cancelled, it leaves no worker behind."""
        home = self._home(start.env)
        try:
            return await (await home.living()).fork(start)
        except ZygoteLost as error:
            log.warning("the zygote is replaced", instance=start.name, cause=str(error))
        return await (await home.living()).fork(start)

    async def aclose(self) -> None:
        """End the zygotes; workers go on. Ends quickly, also when cancelled."""
        for home in self._homes.values():
            if home.zygote is not None:
                await home.zygote.aclose()
        self._homes.clear()

    def _home(self, env: Mapping[str, str]) -> _Home:
        variables = frozenset(env.items())
        if variables not in self._homes:
            self._homes[variables] = home = _Home(env)
            if self._nursery is not None:
                self._nursery.start_soon(home.keep)
        return self._homes[variables]


class _Home:
    """Where the zygote for one set of variables lives, one after another."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self.zygote: _Zygote | None = None
        self._env = env
        self._lock = trio.Lock()
        self._started = trio.Event()

    async def keep(self) -> None:
        """From the first one on: have another as soon as one has died, but not again and again."""
        while True:
            await self._started.wait()
            self._started = trio.Event()
            began = trio.current_time()
            if self.zygote is not None:
                await self.zygote.ended()
            if trio.current_time() - began < _SHORT_LIFE:
                await trio.sleep(_SHORT_LIFE)
            try:
                await self.living()
            except OSError as error:
                log.warning("there is no zygote until the next worker is started", cause=str(error))

    async def living(self) -> _Zygote:
        async with self._lock:
            if self.zygote is None or not self.zygote.alive:
                if self.zygote is not None:
                    await self.zygote.aclose()
                self.zygote = await _start(self._env)
                self._started.set()
            return self.zygote


class _Zygote:
    """A zygote's process and the socket to it."""

    def __init__(self, process: trio.Process, control: trio.socket.SocketType, output: int) -> None:
        self._process = process
        self._control = control
        self._output = output
        self._lock = trio.Lock()
        self._lost = False

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def alive(self) -> bool:
        return not self._lost and self._process.poll() is None

    async def ended(self) -> None:
        """Wait until it has ended, or is to."""
        await self._process.wait()

    async def imported(self) -> None:
        """Wait until it can fork. Raises OSError with the cause."""
        packet = await self._control.recv(_LONGEST_REQUEST)
        said = json.loads(packet) if packet else {"error": self._last_words()}
        if "error" in said:
            raise OSError(f"the process that forks workers could not start: {said['error']}")
        log.info("workers can be forked", pid=self.pid, blender=said["blender"])

    async def fork(self, start: Start) -> ForkedProcess:
        """Raises ZygoteLost, or OSError with the cause; cancelled, it leaves no worker behind."""
        async with self._lock:
            if not self.alive:
                raise ZygoteLost("the process that forks workers is gone")
            # An exchange is milliseconds: whole, it never leaves a worker that nobody knows.
            with trio.CancelScope(shield=True):
                worker = await self._fork(start)
        try:
            await trio.lowlevel.checkpoint_if_cancelled()
        except trio.Cancelled:
            await worker.aclose()
            raise
        return worker

    async def _fork(self, start: Start) -> ForkedProcess:
        with ExitStack() as undo, ExitStack() as given:
            report, theirs = _socketpair(undo, given)
            output, stdout = _pipe(undo, given)
            stdin, lifeline = _pipe(given, undo)
            try:
                with trio.fail_after(_FORK_SECONDS):
                    await self._control.sendmsg([_request(start)], [_carrying(stdin, stdout, theirs.fileno())])
                    given.close()
                    pid, pidfd = await _answer(report)
            except (trio.TooSlowError, ConnectionError) as error:
                self._lost = True
                self._process.kill()
                raise ZygoteLost(str(error) or f"it forked nothing in {_FORK_SECONDS:g} s") from error
            undo.pop_all()
        stream = trio.lowlevel.FdStream(output)
        return ForkedProcess(pid, pidfd, report=report, lifeline=lifeline, output=stream)

    async def aclose(self) -> None:
        """End it and reap it. Ends quickly, also when cancelled."""
        if self._control.fileno() < 0:
            return
        self._lost = True
        self._control.close()
        with trio.CancelScope(shield=True):
            with trio.move_on_after(_END_SECONDS):
                await self._process.wait()
            self._process.kill()
            await self._process.wait()
        os.close(self._output)

    def _last_words(self) -> str:
        size = os.fstat(self._output).st_size
        words = os.pread(self._output, _LAST_WORDS, max(0, size - _LAST_WORDS)).decode(errors="replace").splitlines()
        return " | ".join(words[-5:]) or "it ended without a word"


async def _start(env: Mapping[str, str]) -> _Zygote:
    """Raises OSError with the cause; cancelled, it leaves no zygote behind."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    output = os.memfd_create("zygote")
    try:
        with theirs:
            process = await trio.lowlevel.open_process(
                [sys.executable, "-m", "blender_addon.zygote"],
                stdin=theirs,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=variables(env),
            )
    except BaseException:
        ours.close()
        os.close(output)
        raise
    zygote = _Zygote(process, trio.socket.from_stdlib_socket(ours), output)
    try:
        await zygote.imported()
    except BaseException:
        process.kill()
        await zygote.aclose()
        raise
    return zygote


def _request(start: Start) -> bytes:
    file = [] if start.file is None else ["--file", str(start.file)]
    request = json.dumps({"arguments": ["--listen", start.address, *file]}).encode()
    if len(request) > _LONGEST_REQUEST:
        raise OSError(f"the file's path is too long: {str(start.file)[:100]}…")
    return request


def _carrying(*descriptors: int) -> tuple[int, int, bytes]:
    return socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors).tobytes()


async def _answer(report: trio.socket.SocketType) -> tuple[int, int]:
    """The worker's pid and pidfd. Raises ConnectionError where the zygote died, or OSError with the cause."""
    room = socket.CMSG_SPACE(array.array("i").itemsize)
    packet, ancillary, _, _ = await report.recvmsg(4096, room, socket.MSG_CMSG_CLOEXEC)
    if not packet:
        raise ConnectionAbortedError("it died before it had forked")
    said = json.loads(packet)
    if "error" in said:
        raise OSError(said["error"])
    [pidfd] = array.array("i", ancillary[0][2])
    return said["pid"], pidfd


def _pipe(reader: ExitStack, writer: ExitStack) -> tuple[int, int]:
    """A pipe's two ends, each closed with its stack."""
    read, write = os.pipe()
    reader.callback(os.close, read)
    writer.callback(os.close, write)
    return read, write


def _socketpair(ours: ExitStack, theirs: ExitStack) -> tuple[trio.socket.SocketType, socket.socket]:
    here, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    theirs.enter_context(there)
    return ours.enter_context(trio.socket.from_stdlib_socket(here)), there
