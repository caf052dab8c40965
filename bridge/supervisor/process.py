"""What a kind of worker process has to offer: a spawner that makes processes, and a process that can be ended."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

import trio


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
