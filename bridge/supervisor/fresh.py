"""Fresh processes: the bpy wheel in a Python of its own, or a Blender executable.

They die with the bridge in three ways: the end of file on their standard input, the look at their parent (both in
blender_addon/lifetime.py), and on Linux the kernel's parent-death signal, which works even while Blender's C code holds
the interpreter. That signal follows the thread that spawned, so they are spawned on this one.
"""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable, Sequence

import trio

from bridge.errors import NoBlender

from .process import Start, variables


class FreshSpawner:
    """Starts what `find` names, a command to which the add-on's own arguments are added; it may raise NoBlender."""

    kind = "fresh"

    def __init__(self, find: Callable[[], Sequence[str]]) -> None:
        self._find = find

    async def spawn(self, start: Start) -> FreshProcess:
        """Make one. Raises OSError with the cause."""
        await trio.lowlevel.checkpoint()
        try:
            command = self._find()
        except NoBlender as error:
            raise OSError(str(error)) from error
        file = [] if start.file is None else ["--file", str(start.file)]
        popen = subprocess.Popen(  # noqa: S603, ASYNC220  # the user's own Blender; spawned on this thread, as said above
            [*command, "--listen", start.address, "--parent-death-signal", *file],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=variables(start.env),
            start_new_session=True,
        )
        return FreshProcess(popen)


class FreshProcess:
    """A child of ours and its process group."""

    def __init__(self, popen: subprocess.Popen[bytes]) -> None:
        assert popen.stdout is not None
        self.pid = popen.pid
        self._popen = popen
        self.output: trio.abc.ReceiveStream = trio.lowlevel.FdStream(os.dup(popen.stdout.fileno()))
        popen.stdout.close()

    async def wait(self) -> int:
        """Wait for its end, and return its exit status; what it has started goes with it."""
        while self._popen.returncode is None:
            await _exited(self.pid)
            # Until it is reaped nobody else can have its number.
            self.signal(signal.SIGKILL)
            self._popen.poll()
        return self._popen.returncode

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group. Never raises for one that is gone."""
        if self._popen.returncode is None:
            try:
                os.killpg(self.pid, number)
            except (ProcessLookupError, PermissionError):  # macOS says the second of what has ended
                return

    async def aclose(self) -> None:
        """Kill what is left of it, reap it and close its pipes."""
        self.signal(signal.SIGKILL)
        with trio.CancelScope(shield=True):
            await self.wait()
            if self._popen.stdin is not None:
                self._popen.stdin.close()
            await self.output.aclose()


async def _exited(pid: int) -> None:
    """Wait until the child has ended, without reaping it."""
    if hasattr(os, "pidfd_open"):
        file = os.pidfd_open(pid)
        try:
            await trio.lowlevel.wait_readable(file)
        finally:
            trio.lowlevel.notify_closing(file)
            os.close(file)
    else:
        await trio.to_thread.run_sync(
            os.waitid, os.P_PID, pid, os.WEXITED | os.WNOWAIT, abandon_on_cancel=True, limiter=trio.CapacityLimiter(1)
        )
