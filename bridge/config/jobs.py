"""What can be said of jobs. Times are seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from bridge.paths import default_jobs_url, jobs_directory

from .slurm import SlurmSettings
from .tables import Table
from .values import Blender, Count, Seconds, VariableName, VariableValue


def _namespace(text: str) -> str:
    if not text.isidentifier() or not text.islower() or not text.isascii() or len(text) > 40:
        raise ValueError("must be up to 40 small letters, digits and '_', such as studio_a")
    return text


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


class JobsSettings(Table):
    """Durable jobs: where they are kept, and how they are worked on."""

    url: SecretStr = Field(default_factory=lambda: SecretStr(default_jobs_url()), examples=["postgresql://…"])
    """`sqlite:///path`, `postgresql://user:password@host/database`, which several bridges may share, or `off`."""
    namespace: Annotated[str, AfterValidator(_namespace)] = "bpy_bridge"
    """The PostgreSQL schema: a queue of its own for each."""
    concurrency: Count | None = Field(default=None, examples=[2])
    """How many jobs run here at once; default: as many as workers are configured, or 3."""
    directory: Annotated[Path, AfterValidator(_absolute)] = Field(default_factory=jobs_directory)
    """Where each job's files go, in a directory of its id."""
    blender: Blender = Field(default="bpy", examples=["/opt/blender/blender"])
    """The Blender that jobs run in: `bpy`, which is the wheel or else the `blender` on PATH, or an executable."""
    env: dict[VariableName, VariableValue] = Field(default_factory=dict, examples=[{"OCIO": "/opt/config.ocio"}])
    """Environment variables that these Blenders get beside the bridge's own."""
    drain_timeout: Seconds = 30.0
    """How long jobs may go on when the bridge ends; then they go back into the queue, at no cost."""
    lease: Seconds = 30.0
    """PostgreSQL: a bridge that was not heard of for so long is dead, and its jobs are another's."""
    heartbeat: Seconds = 10.0
    """How often a bridge is heard of."""
    poll: Seconds = 5.0
    """How often the queue is looked at where nothing was heard."""
    backoff: Seconds = 10.0
    """The pause after a job's first error; it doubles with each."""
    slurm: SlurmSettings = Field(default_factory=SlurmSettings)
    """The cluster that jobs with `run_on: "slurm"` run on."""
