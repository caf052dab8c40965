"""Which add-ons this bridge works with, and what to do about the others.

Those whose major and minor version are the bridge's are fine. Another one works as far as its protocol is the same, and
may lack commands or have others; that is said wherever somebody looks. One that speaks another protocol is not reached.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from typing import Any, NamedTuple

from . import __version__

PEER = "bpy-bridge add-on"
"""As whom our add-on presents itself; whoever else speaks the protocol is not judged."""


class Addon(NamedTuple):
    """The add-on of one Blender: its version, whether the bridge is made for it, and what to do where it is not.

    `version` is None where it could not tell it, since it speaks another protocol.
    """

    version: str | None
    matches: bool
    fix: str | None

    def as_object(self) -> dict[str, Any]:
        """The same as JSON."""
        return self._asdict()


def judge(version: str, program: Callable[[], str | None] = lambda: None) -> Addon:
    """An add-on of that version; `program` finds the Blender that has it, where that can be known."""
    matches = _series(version) == _series(__version__)
    return Addon(version, matches, None if matches else how_to_match(program()))


def how_to_match(program: str | None = None) -> str:
    """What to do to have the add-on that belongs to this bridge."""
    return f"`{install_command(program)}`, then restart Blender"


def install_command(program: str | None = None) -> str:
    """The command that puts this bridge's add-on into that Blender, or into all that are found."""
    return "bpy-bridge addon install" + (f" --blender {shlex.quote(program)}" if program else "")


def _series(version: str) -> tuple[int, int] | str:
    """Major and minor; what is no version is like no other."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else version
