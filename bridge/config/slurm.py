"""What can be said of a cluster that has Slurm."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints

from .tables import Table
from .values import Count, Seconds


def _split_as_a_shell(value: Any) -> Any:
    return shlex.split(value) if isinstance(value, str) else value


def _shared(path: Path) -> Path:
    expanded = path.expanduser()
    if not expanded.is_absolute():
        raise ValueError(f"must be absolute, as it is the same on every node, and {path} is not")
    return expanded


Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.,@-]*$")]
# Minutes, minutes:seconds, hours:minutes:seconds, days-hours and so on.
TimeLimit = Annotated[str, StringConstraints(pattern=r"^\d+(-\d+(:\d+){0,2}|(:\d+){0,2})$")]
Options = Annotated[
    list[Annotated[str, StringConstraints(pattern=r"^-")]], BeforeValidator(_split_as_a_shell), Field(max_length=100)
]


class SlurmSettings(Table):
    """Where jobs with `run_on: "slurm"` go, through the sbatch, squeue and scancel that are on the bridge's PATH."""

    partition: Name | None = Field(default=None, examples=["gpu"])
    """The partition, or several with commas between them; default: the cluster's."""
    account: Name | None = Field(default=None, examples=["film"])
    """The account that pays."""
    time_limit: TimeLimit | None = Field(default=None, examples=["2:00:00"])
    """How long one task of an array may take, as sbatch takes it; default: the partition's."""
    options: Options = Field(default_factory=list, examples=["--gres=gpu:1 --mem=8G"])
    """More flags for sbatch, each with its value behind a `=`."""
    blender: str = Field(default="blender", min_length=1, examples=["/opt/blender/blender"])
    """The Blender executable on the nodes."""
    python: str | None = Field(default=None, min_length=1, examples=["/opt/render/bin/python"])
    """Instead of it: a Python on the nodes that has the bpy wheel."""
    directory: Annotated[Path, AfterValidator(_shared)] | None = Field(default=None, examples=["/shared/bpy-bridge"])
    """A directory that is the same on every node; default: jobs.directory, if that is."""
    tasks: Count = 1000
    """The most tasks of one array: less than the cluster's MaxArraySize. Of more frames each task renders several."""
    poll: Seconds = 10.0
    """How often the array is looked at."""
