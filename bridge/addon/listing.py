"""Each Blender of this machine with the add-on that it has, and what is to be done about it."""

from __future__ import annotations

import importlib.metadata
import importlib.util
from typing import Any, NamedTuple

from bridge import __version__, compatibility
from bridge.errors import NoBlender

from .copies import ID, Copy, copies_in
from .places import user_directory
from .programs import OLDEST, Program, find

WHEEL = "bpy"


class Row(NamedTuple):
    """One Blender; what is not known, or not there, is None. `todo` is empty where all is well."""

    blender: str
    version: str | None
    addon: str | None
    path: str | None
    enabled: bool | None
    matches: bool | None
    todo: str

    def as_object(self) -> dict[str, Any]:
        """The same as JSON."""
        return self._asdict()


def list_blenders(chosen: str | None = None) -> list[Row]:
    """Each that is found, or the `chosen` one; the wheel of this Python last. Raises NoBlender where there is none."""
    wheel = [_wheel()] if chosen is None and importlib.util.find_spec(WHEEL) is not None else []
    try:
        return [*map(_row, find(chosen)), *wheel]
    except NoBlender:
        if not wheel:
            raise
        return wheel


def _wheel() -> Row:
    # What is told is about the one that the bridge starts: it reads no preferences.
    version = importlib.metadata.version(WHEEL)
    return Row("the bpy wheel", version, __version__, None, True, True, "")


def _row(program: Program) -> Row:
    resources = user_directory(program)
    copy = _copy(program) if resources is not None else None
    version = None if program.version is None else f"{program.version[0]}.{program.version[1]}"
    if copy is None:
        return Row(program.path, version, None, None, None, None, _todo(program, None))
    matches = copy.version is not None and compatibility.judge(copy.version).matches
    return Row(program.path, version, copy.version, str(copy.path), copy.enabled, matches, _todo(program, copy))


def _copy(program: Program) -> Copy | None:
    """The one that counts: what is enabled, else what we would install."""
    resources = user_directory(program)
    found = [] if resources is None else list(copies_in(resources))
    if not program.takes_extensions:
        found = [copy for copy in found if not copy.module.startswith("bl_ext.")]
    return max(found, key=lambda copy: (copy.enabled, copy.path.name == ID), default=None)


def _todo(program: Program, copy: Copy | None) -> str:
    command = f"`{compatibility.install_command(program.path)}`"
    if program.version is None:
        return f"it does not say its version ({program.said}): run `{program.path} --version` to see why"
    if program.version < OLDEST:
        return "it is too old: install Blender 3.4 or later"
    if copy is None:
        return f"{command} installs the add-on"
    if copy.version is None or not compatibility.judge(copy.version).matches:
        return compatibility.how_to_match(program.path)
    if not copy.enabled:
        return f"enable it in Blender's preferences, or {command}"
    return ""
