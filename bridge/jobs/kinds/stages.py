"""What the kinds go through before their own work: the scene's file, and the wait for a Blender.

An attempt that goes on where a bridge has ended does not go back to an earlier phase: its time-out goes on counting.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path

import trio

from blender_addon.commands.places import to_read_blend
from blender_addon.wire import Fault
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Blender, Work

SNAPSHOT = 300.0
# More than an engine's own patience, whose error says more.
WAITING = 660.0


@asynccontextmanager
async def snapshot(work: Work) -> AsyncIterator[None]:
    """Be in the phase of that name, unless the job is beyond it."""
    attempt = work.attempt
    first = attempt.job.phase in (None, "snapshot")
    async with attempt.phase("snapshot", SNAPSHOT) if first else nullcontext():
        yield


async def scene_of(work: Work, blend: str | None, *, anew: bool = False) -> Path:
    """The file to work on, the directories for outputs being there, empty where they are `anew`.

    It is the one that is named, or the copy that was made at submit. Raises JobFailed, for good, where there is none.
    """
    async with snapshot(work):
        await work.outputs.begin(anew=anew)
        path = blend if blend is not None else str(work.outputs.scene)
        try:
            return await trio.to_thread.run_sync(to_read_blend, path)
        except Fault as fault:
            raise JobFailed("no_file", fault.message, final=True) from fault


@asynccontextmanager
async def in_blender(work: Work, file: Path | None, doing: str, timeout: float | None) -> AsyncIterator[Blender]:
    """Have a Blender with that file, and be in the phase `doing` with it; it is gone afterwards."""
    attempt = work.attempt
    goes_on = attempt.job.phase == doing
    async with work.blender(file, work.outputs.log) as blender:
        async with nullcontext() if goes_on else attempt.phase("waiting_for_worker", WAITING):
            await blender.start()
        async with attempt.phase(doing, timeout):
            yield blender
