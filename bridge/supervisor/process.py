"""What a kind of worker process has to offer: a spawner that makes processes, and a process that can be ended."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import trio

from blender_addon.policy import ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS

# Nobody but the bridge's own doors and its own service manager has a use for the first two. What a worker may do is
# said by the settings, of which the bridge's own variables are only one source.
_NOT_PASSED_ON = ("BPY_BRIDGE_TOKEN", "NOTIFY_SOCKET", ENVIRONMENT_CODE, ENVIRONMENT_FOLDERS)
# Their URL has the database's password.
_JOBS = "BPY_BRIDGE_JOBS"


class Start(NamedTuple):
    """One start of a worker: it is to listen at `address` (unix:/path), with `file` open.

    `env` are variables beside the bridge's own.
    """

    name: str
    address: str
    file: Path | None
    env: Mapping[str, str]


class WorkerProcess(Protocol):
    """A process with its process group; whoever got it from `spawn` must `aclose` it."""

    @property
    def pid(self) -> int: ...

    @property
    def output(self) -> trio.abc.ReceiveStream:
        """Standard output and standard error; the lines that say its phases are among them."""
        ...

    async def wait(self) -> int:
        """Wait for its end, and return its exit status; minus the signal's number where one ended it."""
        ...

    def signal(self, number: int) -> None:
        """Send a signal to the whole process group. Never raises for one that is gone."""
        ...

    async def aclose(self) -> None:
        """Kill what is left of it, reap it and close its pipes. Ends quickly, also when cancelled."""
        ...


class Spawner(Protocol):
    """Makes processes of one kind: `fresh` or `fork`."""

    @property
    def kind(self) -> str: ...

    async def spawn(self, start: Start) -> WorkerProcess:
        """Make one. Raises OSError with the cause; cancelled, it leaves no process behind."""
        ...


def variables(env: Mapping[str, str]) -> dict[str, str]:
    """A worker's environment: the bridge's own, without what is the bridge's alone, and `env` over it."""
    own = {name: value for name, value in os.environ.items() if not _is_the_bridges(name)}
    return {**own, **env}


def _is_the_bridges(name: str) -> bool:
    return name in _NOT_PASSED_ON or name.upper().startswith(_JOBS)
