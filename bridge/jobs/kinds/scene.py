"""The file that a job works on: named, or the copy of the open scene that was made when the job was submitted."""

from __future__ import annotations

from pathlib import Path

from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Work

SCENE = "scene.blend"
"""The copy's name in the job's directory."""


def scene_of(work: Work, blend: str | None) -> Path:
    """Raises JobFailed, for good, where it is not there."""
    file = Path(blend).expanduser() if blend is not None else work.outputs.directory / SCENE
    if not file.is_absolute():
        raise JobFailed("invalid_params", f"blend: expected an absolute path, got {blend!r}", final=True)
    if not file.is_file():
        raise JobFailed("no_file", f"there is no file {file}", final=True)
    return file
