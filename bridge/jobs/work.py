"""What the work of an attempt has at hand."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .attempt import Attempt
from .outputs import Outputs


class Blender(Protocol):
    """A Blender of the job's own: nobody else sends it anything."""

    async def call(self, method: str, params: dict[str, Any], on_progress: OnProgress | None = None) -> Any:
        """The JSON value of the result. Raises JobFailed for what fails in it, with its outcome; and where it died,
        with the last lines that it printed. Cancelled, it is killed with the job.
        """
        ...


OnProgress = Callable[[float, float, str], None]
"""Takes done, total, message."""

StartBlender = Callable[[Path | None], AbstractAsyncContextManager[Blender]]
"""A Blender with that file open, or the factory scene; it is gone when the context ends."""


class Work(NamedTuple):
    """One attempt's surroundings: the attempt itself, a way to have a Blender, and where its outputs go."""

    attempt: Attempt
    blender: StartBlender
    outputs: Outputs
