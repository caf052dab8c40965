"""What can be said of a Blender that the bridge starts. Times are seconds, sizes bytes."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Mapping
from typing import Literal

from pydantic import Field, ValidationInfo, field_validator

from .safety import WorkerSafety
from .tables import PoolTable, Table
from .values import Blender, Bytes, Count, CountOrNone, ExistingFile, Processes, Seconds, VariableName, VariableValue


class WorkerSettings(Table):
    """A Blender that the bridge starts: the bpy wheel or an executable, with `file` open; `pool` as for an instance."""

    blender: Blender = Field(default="bpy", examples=["/opt/blender/blender"])
    """`bpy`, which is the wheel or else the `blender` on PATH, or an executable."""
    file: ExistingFile | None = Field(default=None, examples=["/home/me/scene.blend"])
    """The .blend file that it opens."""
    count: Processes = 1
    """How many of them; more than one are NAME-1 … NAME-N, and NAME means whichever is free first."""
    env: dict[VariableName, VariableValue] = Field(default_factory=dict, examples=[{"OCIO": "/opt/config.ocio"}])
    """Environment variables that it gets beside the bridge's own."""
    start: Literal["fresh", "fork"] = "fresh"
    """`fresh` starts a process, `fork` copies a warm one in milliseconds, which renders on one core only."""
    on_demand: bool = Field(default=False, examples=[True])
    """Start it when the first request for it comes, not with the bridge."""
    idle_exit: Seconds | None = Field(default=None, examples=[600])
    """End it after so long without a request, unless it has unsaved changes; the next request starts it again."""
    max_memory: Bytes | None = Field(default=None, examples=["4GB"])
    """Replace it after a request that leaves it larger than this, unless it has unsaved changes."""
    max_requests: Count | None = Field(default=None, examples=[1000])
    """Replace it after so many requests, unless it has unsaved changes."""
    hard_cancel: bool = Field(default=False, examples=[True])
    """Kill and replace it where work that was cancelled goes on; what was not saved is lost."""
    hard_cancel_grace: Seconds = 5.0
    """How long cancelled work may go on before that."""
    max_restarts: CountOrNone = 5
    """Restarts within `restart_window` before it is given up as failed; 0 never restarts it."""
    restart_window: Seconds = 60.0
    """The time in which `max_restarts` are counted."""
    stable_after: Seconds = 30.0
    """A worker that was ready for so long begins its count of restarts anew."""
    spawn_timeout: Seconds = 10.0
    """How long making the process may take."""
    import_timeout: Seconds = 60.0
    """How long Blender may take to load, its file included."""
    listen_timeout: Seconds = 10.0
    """How long it may take from there until its socket is there."""
    ready_timeout: Seconds = 10.0
    """How long its first answer may take."""
    ping_interval: Seconds = 2.0
    """How often it is asked whether it is alive."""
    hung_after: Seconds = Field(default=10.0, validate_default=True)
    """A worker that has not answered for so long is killed and replaced."""
    pool: PoolTable = Field(default_factory=PoolTable)
    """The limits of its connections, where they differ from the common ones."""
    safety: WorkerSafety = Field(default_factory=WorkerSafety)
    """What tools may do in it, where that differs from the common."""

    @field_validator("start")
    @classmethod
    def _can_fork(cls, start: str, info: ValidationInfo) -> str:
        blender = info.data.get("blender")
        if start == "fresh" or blender is None:
            return start
        if blender != "bpy":
            raise ValueError(f"must be fresh: only the bpy wheel can be forked, not the executable {blender}")
        if importlib.util.find_spec("bpy") is None:
            raise ValueError("must be fresh: only the bpy wheel can be forked, and this Python has none")
        if not hasattr(os, "fork"):
            raise ValueError("must be fresh: this platform cannot fork")
        return start

    @field_validator("hung_after")
    @classmethod
    def _outlasts_a_ping(cls, value: float, info: ValidationInfo) -> float:
        interval = info.data.get("ping_interval", 0)
        if value <= interval:
            raise ValueError(f"must be longer than ping_interval, which is {interval:g}")
        return value

    def names(self, name: str) -> list[str]:
        """The names of its processes, if the table is called `name`."""
        return [name] if self.count == 1 else [f"{name}-{number}" for number in range(1, self.count + 1)]


def clash(workers: Mapping[str, WorkerSettings], others: Iterable[str]) -> str | None:
    """A name that two have, of the workers' tables, their processes and the `others`; None where all differ."""
    taken = [*others, *(name for table, worker in workers.items() for name in {table, *worker.names(table)})]
    return next((name for name in sorted(taken) if taken.count(name) > 1), None)
