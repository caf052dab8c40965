"""What runs on a node: one task of an array, which is some frames of a plan. A script of its own, for Python 3.10 on.

    blender -b --factory-startup --python-exit-code 1 --python node.py -- PLAN
    python node.py PLAN                                                            where that has the bpy wheel

It needs nothing else of ours on the node: the add-on's commands, which do the rendering, are in addon.zip beside the
plan. A frame that is there already is left alone, so a task that Slurm begins anew goes on where it was.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import Any


def main(plan_file: str) -> int:
    """Render what is missing of this task. Returns the exit code."""
    place = Path(plan_file).resolve().parent
    plan = json.loads(Path(plan_file).read_text(encoding="utf-8"))
    task = int(os.environ["SLURM_ARRAY_TASK_ID"])
    there = [place / "frames", Path(plan["kept"])]
    todo = [(name, frame) for name, frame in plan["tasks"][task] if not any((at / name).is_file() for at in there)]
    if not todo:
        _say("every frame of this task is there already")
        return 0
    sys.path.insert(0, str(place / "addon.zip"))
    from blender_addon.wire import Fault  # noqa: PLC0415  # it is found only now

    try:
        _render(place, plan, todo)
    except Fault as error:
        return _failed(place, task, error.code, error.message)
    except Exception as error:  # noqa: BLE001  # the end of the task: whatever Blender raises is told
        traceback.print_exc()
        return _failed(place, task, "execution_failed", f"{type(error).__name__}: {error}".strip())
    return 0


def _render(place: Path, plan: dict[str, Any], todo: list[tuple[str, int | None]]) -> None:
    import bpy  # noqa: PLC0415  # tests import this without Blender

    from blender_addon.call import Call  # noqa: PLC0415  # it is found only now
    from blender_addon.commands.render import save  # noqa: PLC0415  # it is found only now

    bpy.ops.wm.open_mainfile(filepath=plan["file"])
    scene = bpy.context.scene
    # Without a limit it would use every core of the node, those of other tasks too.
    threads = plan["threads"] or int(os.environ.get("SLURM_CPUS_PER_TASK", "0"))
    if threads:
        scene.render.threads_mode, scene.render.threads = "FIXED", threads
    # Nobody else writes there, not this very task on another node that only seemed to be dead.
    number = (os.environ.get("SLURM_JOB_ID", "0"), os.environ.get("SLURM_RESTART_COUNT", "0"))
    unfinished = place / f".{'-'.join(number)}"
    unfinished.mkdir(exist_ok=True)
    for name, frame in todo:
        if frame is not None:
            scene.frame_set(frame)
        made = unfinished / name
        told = save(Call(name, "render.save"), path=str(made), **plan["settings"])
        with made.open("rb") as file:
            os.fsync(file.fileno())
        # Of two tasks that tell it either is right.
        _write(place / "told.json", json.dumps(told))
        made.replace(place / "frames" / name)
        _say(f"rendered {name}")
    unfinished.rmdir()


def _failed(place: Path, task: int, code: str, message: str) -> int:
    _write(place / f"fault-{task}.json", json.dumps({"code": code, "message": message}))
    _say(f"{code}: {message}")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _write(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}-{os.environ.get('SLURM_JOB_ID', '0')}")
    new.write_text(text, encoding="utf-8")
    new.replace(path)


if __name__ == "__main__":
    # Blender leaves what is behind -- to the script.
    sys.exit(main(sys.argv[-1]))
