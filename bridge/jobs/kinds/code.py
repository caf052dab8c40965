"""code: a Python file, run on a .blend or on the factory scene."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from blender_addon.constraints import Size
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Work

from .catalogue import kind
from .parameters import Seconds
from .scene import scene_of


@kind("code")
async def code(
    work: Work,
    *,
    script: Annotated[str, "an absolute path to a Python file; `bpy` is imported", Size(1, 4096)],
    blend: Annotated[str | None, "an absolute path to a .blend file; default: the factory scene", Size(1, 4096)] = None,
    args: Annotated[dict[str, Any] | None, "what the script finds in `args`"] = None,
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Run a script. It finds `args`, of which `args["outputs"]` is a directory for its files, and sets `result`.

    It runs once for each attempt, so what it does outside its outputs should bear repeating.
    """
    async with work.attempt.phase("snapshot"):
        file = None if blend is None else scene_of(work, blend)
        text = _text(script)
        await work.outputs.begin()
    async with work.attempt.phase("waiting_for_worker"), work.blender(file) as blender:
        async with work.attempt.phase("running", timeout):
            given = {**(args or {}), "outputs": str(work.outputs.unfinished)}
            told = await blender.call("code.execute", {"code": text, "args": given}, work.attempt.progress)
    async with work.attempt.phase("collecting"):
        await work.attempt.confirm()
        for made in sorted(work.outputs.unfinished.iterdir()):
            await work.outputs.keep(made)
        return {
            **await work.outputs.close(),
            "result": told["result"],
            "stdout": told["stdout"],
            "stderr": told["stderr"],
        }


def _text(script: str) -> str:
    try:
        return Path(script).expanduser().read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise JobFailed("no_file", f"the script {script} cannot be read: {error}", final=True) from error
