"""An attempt → its kind's function, with all that it needs at hand."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

from bridge.errors import Refused

from . import kinds
from .attempt import Attempt, JobFailed
from .outputs import Outputs
from .work import StartBlender, Work


class Performer:
    """Does the work of attempts: their files below `directory`, their Blenders from `blender`."""

    def __init__(self, directory: Path, blender: StartBlender) -> None:
        self._directory = directory
        self._blender = blender

    async def __call__(self, attempt: Attempt) -> dict[str, Any]:
        """The result. Raises JobFailed, Snooze, Lost."""
        job = attempt.job
        try:
            arguments = kinds.check(job.kind, job.params)
        except Refused as refused:
            # Another version of the bridge took it.
            raise JobFailed(refused.code, refused.message, final=True, data=refused.data) from refused
        work = Work(attempt, self._blender, Outputs(self._directory / job.id, job.fence))
        result = kinds.find(job.kind).run(work, arguments)
        assert inspect.isawaitable(result)
        return dict(await result)
