"""What a process that serves has: the lock of its name, its record, and whoever waits for its first word."""

from __future__ import annotations

import os
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from bridge import __version__, paths
from bridge.errors import AlreadyRunning, BridgeError

from . import remains
from .detach import Launcher
from .notify import notify


class Tenure:
    """Being the bridge of the name that BPY_BRIDGE_NAME has, while the context lasts.

    Entered before anything else. `flags` are those that `restart` starts it with again; `launcher` is told whether the
    bridge could be had. Raises AlreadyRunning, and ConfigurationError where the directories cannot be used.
    """

    def __init__(self, flags: Sequence[str] = (), launcher: Launcher | None = None) -> None:
        self.remarks: list[str] = []
        self._launcher = launcher
        self._lock: paths.Lock | None = None
        self._record = paths.Record(
            pid=os.getpid(),
            started=paths.process_start(os.getpid()),
            version=__version__,
            listen=[],
            flags=tuple(flags),
            cwd=_directory(),
            log=None if launcher is None else str(paths.log_file()),
        )

    def __enter__(self) -> Self:
        try:
            self._take()
        except BridgeError as error:
            self._tell(error)
            raise
        return self

    def _take(self) -> None:
        paths.ensure_private(paths.runtime_directory())
        self._lock = paths.Lock.take(paths.lock_file())
        if self._lock is None:
            raise AlreadyRunning(_who_runs())
        try:
            self.remarks += remains.clear()
            paths.write_record(self._record)
        except BaseException:
            self._lock.release()
            raise

    def announce(self, listen: Sequence[str], http: str | None = None, mcp: str | None = None) -> None:
        """The doors are open: tell the launcher, systemd and everybody."""
        self._record = self._record._replace(listen=list(listen), http=http, mcp=mcp)
        paths.write_record(self._record)
        notify(f"READY=1\nMAINPID={os.getpid()}")
        if self._launcher is not None:
            self._launcher.dismiss({"ready": True, "remarks": self.remarks})

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            self._tell(error)
        paths.remove_record()
        if self._lock is not None:
            self._lock.release()

    def _tell(self, error: BaseException) -> None:
        if self._launcher is not None and isinstance(error, BridgeError):
            taken = isinstance(error, AlreadyRunning)
            word = {"ready": False, "taken": taken, "error": str(error), "exit_code": error.exit_code}
            self._launcher.say({**word, "remarks": self.remarks})


def _who_runs() -> str:
    bridge = paths.running()
    # It may be ending, or so new that it has no record yet.
    process = f" (process {bridge.pid})" if bridge is not None and bridge.pid != paths.UNSEEN else ""
    name = paths.bridge_name()
    flag = "" if name == paths.DEFAULT_NAME else f" --name {name}"
    return (
        f"the bridge {name!r} runs already{process}: stop it with `bpy-bridge stop{flag}`, or run another beside it "
        "with --name NAME"
    )


def _directory() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was removed
        return ""
