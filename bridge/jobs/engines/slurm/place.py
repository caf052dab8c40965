"""A job's directory on the file system that the nodes share.

plan.json             what is rendered, and how it is split into tasks
task.sh               what a task runs: node.py, with addon.zip
scene.blend           the scene, where the job works on a copy of one and its directory is not shared
frames/               the pictures that are whole, until the bridge has taken them
logs/<task>.txt       what a task printed
told.json             what Blender told of the last picture
fault-<task>.json     why a task could not do it, as its Blender said
"""

from __future__ import annotations

import json
import shlex
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import blender_addon
from bridge.config.slurm import SlurmSettings
from bridge.jobs.work import Assignment

from . import node

_ADDON = Path(blender_addon.__file__).parent
_MOST_LINES = 20
_TAIL = 16 * 1024


class Place:
    """It may not be there yet. Every method blocks, and raises OSError."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.script = directory / "task.sh"
        self.log = directory / "logs" / "%a.txt"
        self._plan = directory / "plan.json"
        self._frames = directory / "frames"

    def plan(self) -> Plan | None:
        """What was planned; None where nothing was."""
        try:
            return Plan(json.loads(self._plan.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return None

    def make(self, assignment: Assignment, kept: Path, most_tasks: int) -> Plan:
        """Make the directory with its plan; `kept` is where the job's finished pictures go."""
        for folder in (self.directory, self._frames, self.log.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = assignment.file
        if assignment.copied and self.directory.parent != file.parent:
            file = self.directory / file.name
            shutil.copyfile(assignment.file, file)
        plan = Plan.of(assignment._replace(file=file), kept, most_tasks)
        new = self._plan.with_name(".plan.json")
        new.write_text(json.dumps(plan.content), encoding="utf-8")
        new.replace(self._plan)
        return plan

    def equip(self, settings: SlurmSettings) -> None:
        """Write what the tasks run, as it is now, and forget what was wrong before."""
        with zipfile.ZipFile(self.directory / "addon.zip", "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(_ADDON.rglob("*.py")):
                archive.write(path, path.relative_to(_ADDON.parent).as_posix())
        shutil.copyfile(node.__file__, self.directory / "node.py")
        self.script.write_text(_script(self.directory, settings), encoding="utf-8")
        for path in self.directory.glob("fault-*.json"):
            path.unlink(missing_ok=True)

    def fault(self) -> dict[str, Any] | None:
        """Why a task could not do it, by code and message; None where none said so."""
        found = sorted(self.directory.glob("fault-*.json"))
        return json.loads(found[0].read_text(encoding="utf-8")) if found else None

    def finished(self, names: Sequence[str]) -> list[Path]:
        """Those of the pictures that are whole, and here."""
        try:
            # Listed, not looked for one by one: NFS remembers for a minute that a file was not there.
            here = {path.name for path in self._frames.iterdir()}
        except FileNotFoundError:
            return []
        return [self._frames / name for name in names if name in here]

    def told(self) -> dict[str, Any]:
        """What Blender told of a picture; nothing where none was rendered."""
        try:
            found: dict[str, Any] = json.loads((self.directory / "told.json").read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {}
        return found

    def last_lines(self, task: int) -> list[str]:
        """What a task printed last; nothing where it has no log."""
        try:
            with self.log.with_name(f"{task}.txt").open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL))
                text = file.read(_TAIL).decode(errors="replace")
        except FileNotFoundError:
            return []
        return [line.rstrip() for line in text.splitlines() if line.strip()][-_MOST_LINES:]


class Plan:
    """What is rendered. Which task has which frame stays the same from one array of the job to the next."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.content = content
        self.tasks: list[list[tuple[str, int | None]]] = content["tasks"]
        self.facts: dict[str, Any] = content["facts"]
        self.threads: int | None = content["threads"]
        self.names = [name for task in self.tasks for name, _ in task]

    @classmethod
    def of(cls, assignment: Assignment, kept: Path, most_tasks: int) -> Plan:
        """Frames that follow each other are one task's, where there are more of them than tasks."""
        frames = list(assignment.pictures.items())
        each = -(-len(frames) // most_tasks)
        return cls(
            {
                "file": str(assignment.file),
                "kept": str(kept),
                "settings": assignment.settings,
                "threads": assignment.threads,
                "facts": dict(assignment.facts),
                "tasks": [frames[at : at + each] for at in range(0, len(frames), each)],
            }
        )

    def tasks_of(self, names: Sequence[str]) -> list[int]:
        """The tasks that have these pictures."""
        wanted = set(names)
        return [index for index, task in enumerate(self.tasks) if any(name in wanted for name, _ in task)]


def _script(directory: Path, settings: SlurmSettings) -> str:
    script, plan = str(directory / "node.py"), str(directory / "plan.json")
    if settings.python is not None:
        command = [settings.python, script, plan]
    else:
        blender = [settings.blender, "-b", "--factory-startup", "--python-exit-code", "1"]
        command = [*blender, "--python", script, "--", plan]
    return f"#!/bin/sh\nexec {shlex.join(command)}\n"
