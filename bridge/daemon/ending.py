"""Stop the bridge that runs."""

from __future__ import annotations

import os
import select
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import NamedTuple

from bridge import paths
from bridge.errors import EXIT_BUSY, DaemonError

from . import remains
from .doors import is_open

_BETWEEN_LOOKS = 0.02
_AT_ONCE = 10.0  # seconds for the operating system to take a killed process away
_pause: Callable[[float], object] = threading.Event().wait


class Stopped(NamedTuple):
    """The process that was stopped, the flags it had been started with, and where; `killed` where it had to be."""

    pid: int
    killed: bool
    seconds: float
    flags: Sequence[str]
    cwd: str


def stop(*, timeout: float, force: bool = False) -> Stopped | None:
    """Tell the running bridge to end, and return when its process has: it drains, `timeout` seconds at most.

    With `force` it is killed then, with every Blender that it started. None where no bridge runs. Raises DaemonError
    where it has not ended in time, or may not be told.
    """
    began = monotonic()
    with _bridge_process() as process:
        if process is None:
            return None
        bridge = process.bridge
        # Told a second time it would not finish what runs: who has doors, and they are closed, was told already.
        if not bridge.listen or is_open(bridge.listen):
            process.signal(signal.SIGTERM)
        ended = process.wait(timeout)
        if not ended and not force:
            why = (
                f"it is stopped, and `kill -CONT {bridge.pid}` lets it go on"
                if paths.is_stopped(bridge.pid)
                else "it finishes what runs, for as long as drain_timeout says"
            )
            raise DaemonError(
                f"the bridge (process {bridge.pid}) was told to end and has not within {timeout:g} s: {why}; --force "
                "kills it",
                EXIT_BUSY,
            )
        if not ended:
            _kill(process)
        return Stopped(bridge.pid, not ended, round(monotonic() - began, 3), bridge.flags, bridge.cwd)


def _kill(process: _Process) -> None:
    import psutil  # noqa: PLC0415  # for start-up time

    try:
        workers = psutil.Process(process.bridge.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        workers = []
    process.signal(signal.SIGKILL)
    process.wait(_AT_ONCE)
    for worker in workers:
        try:
            worker.kill()  # psutil makes sure that it is the same process still
        except psutil.NoSuchProcess:
            continue
    psutil.wait_procs(workers, _AT_ONCE)
    lock = paths.Lock.take(paths.lock_file())
    if lock is not None:  # else another one is the bridge already, and has done this
        remains.clear()
        lock.release()


class _Process:
    """The process that holds the lock; where the platform has them, by a handle that never means another one."""

    def __init__(self, bridge: paths.Record, handle: int | None) -> None:
        self.bridge = bridge
        self._handle = handle

    def signal(self, number: int) -> None:
        """Send it; nothing where the process has ended. Raises DaemonError where it may not be sent."""
        try:
            if self._handle is None:
                os.kill(self.bridge.pid, number)
            else:
                signal.pidfd_send_signal(self._handle, number)
        except ProcessLookupError:
            return
        except PermissionError as error:
            raise DaemonError(f"the bridge (process {self.bridge.pid}) is not yours to stop") from error

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within so many seconds."""
        if self._handle is not None:
            # A handle can be read once its process has ended.
            return bool(select.select([self._handle], [], [], seconds)[0])
        until = monotonic() + seconds
        while _is_running(self.bridge):
            if monotonic() > until:
                return False
            _pause(_BETWEEN_LOOKS)
        return True


@contextmanager
def _bridge_process() -> Iterator[_Process | None]:
    while True:
        bridge = paths.running()
        if bridge is None:
            yield None
            return
        if bridge.pid == paths.UNSEEN:
            raise DaemonError("the bridge's process cannot be seen from here (is it in a container?): stop it there")
        with _handle(bridge.pid) as handle:
            # Only what holds the lock after its handle was opened is certainly what the handle means.
            if _is_running(bridge):
                yield _Process(bridge, handle)
                return


@contextmanager
def _handle(pid: int) -> Iterator[int | None]:
    if sys.platform != "linux":
        yield None
        return
    try:
        handle = os.pidfd_open(pid)
    except OSError:  # it has ended, or the kernel is old
        yield None
        return
    try:
        yield handle
    finally:
        os.close(handle)


def _is_running(bridge: paths.Record) -> bool:
    now = paths.running()
    return now is not None and (now.pid, now.started) == (bridge.pid, bridge.started)
