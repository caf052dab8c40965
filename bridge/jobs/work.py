"""What the work of an attempt has at hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from .attempt import Attempt
from .outputs import Outputs

OnProgress = Callable[[float, float, str], None]
"""Takes done, total, message."""


class Blender(Protocol):
    """A Blender of the job's own: nobody else sends it anything."""

    async def start(self) -> None:
        """Start it, once, and wait until it takes calls. Raises JobFailed with the last lines that it printed."""

    async def call(self, method: str, params: dict[str, Any], on_progress: OnProgress | None = None) -> Any:
        """The JSON value of the result. Raises JobFailed for what fails in it, with its outcome; and where it died,
        with the last lines that it printed. Cancelled, it is killed with the job.
        """


StartBlender = Callable[[Path | None, Path], AbstractAsyncContextManager[Blender]]
"""A Blender with that file open, or the factory scene; what it prints goes to the second path. It is gone, with all
that it has started, when the context ends."""


class Assignment(NamedTuple):
    """Pictures for a cluster: their files' names, each with its frame, None for the one that is current in the file.

    `settings` are render.save's, `threads` how many cores a task has; `facts`, which are JSON, come back with the
    pictures. `copied`: the file is the job's own, and may be taken elsewhere.
    """

    file: Path
    copied: bool
    pictures: dict[str, int | None]
    settings: dict[str, Any]
    threads: int | None = None
    facts: Mapping[str, Any] = MappingProxyType({})


class Rendered(NamedTuple):
    """The assignment's facts, and what Blender told of a picture."""

    facts: Mapping[str, Any]
    told: Mapping[str, Any]


class Cluster(Protocol):
    """Renders on other machines."""

    async def render(
        self,
        work: Work,
        assign: Callable[[], Awaitable[Assignment]],
        timeout: float | None,  # noqa: ASYNC109  # a phase's, which goes on counting in the next attempt
    ) -> Rendered:
        """Have every picture among the outputs; `assign` is asked what they are where that is not known yet.

        Raises Snooze as long as the cluster works on them; JobFailed, Lost.
        """


class Work(NamedTuple):
    """One attempt's surroundings: the attempt itself, ways to have a Blender, and where its files go."""

    attempt: Attempt
    blender: StartBlender
    outputs: Outputs
    cluster: Cluster | None = None
