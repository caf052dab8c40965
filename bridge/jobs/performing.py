"""An attempt → its kind's function, with all that it needs at hand, and its outputs collected."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import trio

from bridge.errors import Refused

from . import kinds
from .attempt import Attempt, JobFailed
from .outputs import Outputs
from .work import Cluster, StartBlender, Work


class Performer:
    """Does the work of attempts: their files below `directory`, their Blenders from `blender` or on the `cluster`."""

    def __init__(self, directory: Path, blender: StartBlender, cluster: Cluster | None = None) -> None:
        self._directory = directory
        self._blender = blender
        self._cluster = cluster

    async def __call__(self, attempt: Attempt) -> dict[str, Any]:
        """The result. Raises JobFailed, Snooze, Lost."""
        outputs = Outputs(self._directory / attempt.job.id, attempt.job.fence)
        try:
            # Where it is there, all that is left to do is to say so: code would run twice.
            return await outputs.result() or await self._perform(attempt, outputs)
        except OSError as error:
            raise JobFailed("files", f"the job's files cannot be written or read: {error}") from error
        finally:
            with trio.CancelScope(shield=True):
                await outputs.discard()

    async def _perform(self, attempt: Attempt, outputs: Outputs) -> dict[str, Any]:
        job = attempt.job
        try:
            arguments = kinds.check(job.kind, job.params)
        except Refused as refused:
            # Another version of the bridge took it.
            raise JobFailed(refused.code, refused.message, final=True, data=refused.data) from refused
        facts = kinds.find(job.kind).command.run(Work(attempt, self._blender, outputs, self._cluster), arguments)
        assert inspect.isawaitable(facts)
        told = dict(await facts)
        await attempt.flush()
        # To enter a phase is a fenced write: whose job it is not any more gives its files no names.
        async with attempt.phase("collecting"):
            return await outputs.close(told)
