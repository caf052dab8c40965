"""A worker process that a zygote forked: this process is not its parent, and still sees its end and its status."""

from __future__ import annotations

import json
import os
import signal
from contextlib import suppress

import trio

UNKNOWN_STATUS = 255
"""The status of a process that ended after its zygote, which alone would have known it."""

_STATUS_SECONDS = 1.0
_KILL_SECONDS = 5.0


class ForkedProcess:
    """A WorkerProcess. Its end shows on its pidfd; the zygote that forked it then reports the status.

    It lives as long as `lifeline`, the other end of its standard input: it dies with this process.
    """

    def __init__(
        self, pid: int, pidfd: int, *, report: trio.socket.SocketType, lifeline: int, output: trio.lowlevel.FdStream
    ) -> None:
        self.pid = pid
        self.output = output
        self._pidfd = pidfd
        self._report = report
        self._lifeline = lifeline
        self._lock = trio.Lock()
        self._status: int | None = None
        self._closed = False

    def __repr__(self) -> str:
        return f"<ForkedProcess {self.pid}: {'running' if self._status is None else self._status}>"

    async def wait(self) -> int:
        """Wait for its end, and return its exit status; minus the signal's number where one ended it.

        UNKNOWN_STATUS where the zygote died before it.
        """
        async with self._lock:
            if self._status is None:
                await trio.lowlevel.wait_readable(self._pidfd)
                self._status = await self._reported()
            return self._status

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group. Never raises for one that is gone."""
        if self._closed:
            return
        with suppress(ProcessLookupError):
            # The number is still its own: it has not been reaped.
            signal.pidfd_send_signal(self._pidfd, 0)
            try:
                os.killpg(self.pid, number)
            except ProcessLookupError:  # too young to have made its group
                signal.pidfd_send_signal(self._pidfd, number)

    async def aclose(self) -> None:
        """Kill what is left of it, reap it and close its pipes. Ends quickly, also when cancelled."""
        if self._closed:
            return
        self.signal(signal.SIGKILL)
        with trio.move_on_after(_KILL_SECONDS, shield=True):
            await self.wait()
        self._closed = True
        trio.lowlevel.notify_closing(self._pidfd)
        os.close(self._pidfd)
        os.close(self._lifeline)
        self._report.close()
        await self.output.aclose()

    async def _reported(self) -> int:
        with trio.move_on_after(_STATUS_SECONDS), suppress(OSError):
            said = await self._report.recv(4096)
            if said:
                status: int = json.loads(said)["status"]
                return status
        return self._adopted()

    def _adopted(self) -> int:
        """Reap it, where the zygote is dead and the system has made it this process's child."""
        with suppress(ChildProcessError):
            end = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
            if end is not None:
                return end.si_status if end.si_code == os.CLD_EXITED else -end.si_status
        return UNKNOWN_STATUS
