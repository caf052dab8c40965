"""code: a Python file, run on a .blend or on the factory scene."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import trio

from blender_addon.commands.places import to_read
from blender_addon.constraints import Size
from blender_addon.wire import Fault
from bridge.jobs.attempt import JobFailed
from bridge.jobs.work import Work

from .catalogue import kind
from .parameters import Seconds, examine_blend
from .stages import in_blender, scene_of, snapshot

_MOST_RESULT = 64 * 1024
_RESULT_FILE = "result.json"


def _examine(params: Mapping[str, Any]) -> None:
    _text(params["script"])
    examine_blend(params)


@kind("code", code=True, examine=_examine)
async def code(
    work: Work,
    *,
    script: Annotated[str, "an absolute path to a Python file; `bpy` is imported", Size(1, 4096)],
    blend: Annotated[str | None, "an absolute path to a .blend file; default: the factory scene", Size(1, 4096)] = None,
    args: Annotated[dict[str, Any] | None, "what the script finds in `args`"] = None,
    timeout: Seconds = None,
) -> dict[str, Any]:
    """Run a Python file in a Blender of its own, on a .blend file or on the factory scene.

    It finds `args`, of which `args["outputs"]` is the directory for its files, sets `result`, and calls
    `progress(done, total, message)`. An attempt runs it from the start, so what it does elsewhere must bear repeating.
    """
    file = None
    if blend is not None:
        file = await scene_of(work, blend, anew=True)
    async with snapshot(work):
        await work.outputs.begin(anew=True)
        try:
            text = await trio.to_thread.run_sync(_text, script)
        except Fault as fault:
            raise JobFailed("no_file", fault.message, final=True) from fault
    given = {**(args or {}), "outputs": str(work.outputs.unfinished)}
    async with in_blender(work, file, "running", timeout) as blender:
        told = await blender.call("code.execute", {"code": text, "args": given}, work.attempt.progress)
    result = {"result": told["result"]}
    written = json.dumps(told["result"])
    if len(written) > _MOST_RESULT:
        await trio.Path(work.outputs.unfinished / _RESULT_FILE).write_text(written, encoding="utf-8")
        result = {"result": None, "result_file": _RESULT_FILE}
    return {**result, "stdout": told["stdout"], "stderr": told["stderr"]}


def _text(script: str) -> str:
    """Raises Fault where it is no file of text."""
    place: Path = to_read(script, param="script")
    try:
        return place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Fault("invalid_params", f"script: {place} cannot be read as a Python file: {error}") from error
