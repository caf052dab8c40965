"""The Blender that is served: what other threads may know of it without touching it, and how a command runs in it."""

from __future__ import annotations

import logging
import shutil
import time
from typing import Any, Dict

from . import undo
from .changes import Changes, WindowChanges
from .commands import CATALOGUE
from .descriptor import Announcement
from .journal import Entry, Journal
from .neighbours import Neighbours, enabled_hooks
from .pump import Pump
from .work import Answer, Work

_log = logging.getLogger(__name__)


class Blender:
    """One Blender with a file open. `describe` may be called from any thread, the rest on the main thread alone."""

    def __init__(self, bpy: Any) -> None:
        self._bpy = bpy
        self.version: str = bpy.app.version_string
        self.background = bool(bpy.app.background)
        self.journal = Journal()
        self.neighbours = Neighbours(CATALOGUE, lambda: enabled_hooks(bpy))
        self._temporary = str(bpy.app.tempdir)
        self._changes = Changes(bpy) if self.background else WindowChanges(bpy)
        self.neighbours.look()

    def describe(self) -> Dict[str, Any]:
        """The Blender part of a pong."""
        return {"blender": self.version, "catalogue": CATALOGUE.revision, **self._changes.describe()}

    @property
    def file(self) -> str:
        """The path of the open file, "" where it has none yet."""
        return str(self._bpy.data.filepath)

    def announce(self, announcement: Announcement) -> None:
        """Have what is said of this Blender follow the file that is open, until `announcement.unwatch`."""
        announcement.watch(self._bpy)

    def perform(self, pump: Pump, work: Work) -> None:
        """Run it and answer; then see to its undo step, and to what else it leaves behind. Raises nothing."""
        command, method = work.command, work.call.method
        read_only = bool(getattr(command, "hints", {}).get("read_only"))
        self._changes.begin()
        answer = pump.run(work)
        try:
            self.journal.add(Entry(method, time.monotonic() - work.started, answer.outcome, time.time()))
            changed = self._changes.end(method, read_only=read_only)
            if getattr(command, "undo", False) and _is_a_step(answer, changed=changed):
                undo.step(method)
            if not read_only:
                self.neighbours.look()
        except BaseException:  # noqa: BLE001  # the boundary: the answer is sent, and the next command must run
            _log.exception("after %s", method)

    def settled(self) -> bool:
        """The next command finds a window to work in; False after a load until Blender's main loop has come by."""
        context = self._bpy.context
        return context.window is not None or not len(context.window_manager.windows)

    def look(self) -> None:
        """See what a person has done beside the commands; about once a second, while none runs."""
        try:
            self._changes.look()
            self.neighbours.look()
        except BaseException:  # noqa: BLE001  # the boundary: the next look may do better, and the pump goes on
            _log.exception("could not look at what has changed")

    def close(self) -> None:
        """Leave no handler, and no other add-on's commands."""
        self._changes.close()
        self.neighbours.close()

    def remove_temporary_files(self) -> None:
        """What Blender does itself when it ends in order. From any thread."""
        shutil.rmtree(self._temporary, ignore_errors=True)


def _is_a_step(answer: Answer, *, changed: bool) -> bool:
    # What failed halfway has done what it did.
    return answer.ok or changed
