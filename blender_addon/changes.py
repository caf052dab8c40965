"""Whether the open file has changes that are not saved, and whether a command has changed anything.

A Blender without a window does not keep count itself: there `bpy.data.is_dirty` is always true. Told in doubt: what
code.execute does is taken for a change, since not everything that Python does is noticed. With a window a person works
in the file too, and Blender's own count is the one that they see.
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, List, Optional, Tuple


class Changes:
    """Follows the file of a Blender without a window. `describe` may be called from any thread, the rest on the main
    thread only.
    """

    def __init__(self, bpy: Any) -> None:
        """The file is open and as good as saved."""
        self._bpy = bpy
        self._file = str(bpy.data.filepath)
        self._dirty = False
        self._before = False
        self._runs = 0
        self._noticed = False
        self._clean_since = False
        self._written = _signature(self._file)
        handlers = bpy.app.handlers

        @handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def settled(*_: object) -> None:
            self._file = str(bpy.data.filepath)
            self._written = _signature(self._file)
            self._clean_since, self._noticed = True, False

        @handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def saved(*_: object) -> None:
            # Copies and the startup file come here too, and before 4.0 nothing else tells them from the file itself.
            if _signature(str(bpy.data.filepath)) != self._written:
                settled()

        @handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def changed(*_: object) -> None:
            self._noticed = True

        self._handlers: List[Tuple[Any, Callable[..., None]]] = [
            (handlers.load_post, settled),
            (handlers.save_post, saved),
            (handlers.depsgraph_update_post, changed),
        ]
        for where, handler in self._handlers:
            where.append(handler)

    def describe(self) -> Dict[str, Any]:
        """`file`: its path; `dirty`: it has changes that are not saved; `runs`: how many commands have begun."""
        return {"file": self._file, "dirty": self._dirty, "runs": self._runs}

    def begin(self) -> None:
        """A command begins: until it has ended, nobody knows."""
        self._before, self._dirty = self._dirty, True
        self._runs += 1
        self._noticed = self._clean_since = False

    def end(self, method: str, *, read_only: bool) -> bool:
        """The command has ended. Returns whether it has changed something; a `read_only` one has put back what it did.

        After a file was loaded or saved, only what changed since counts.
        """
        try:
            self._bpy.context.view_layer.update()  # what has changed is noticed at an update only
        except (AttributeError, RuntimeError, ReferenceError):
            self._noticed = True  # a file in an odd state is one that nobody has saved
        changed = self._noticed or (method.startswith("code.") and not self._clean_since)
        if read_only:
            self._dirty = self._before
        elif self._clean_since:
            self._dirty = self._noticed
        else:
            self._dirty = self._before or changed
        return changed and not read_only

    def look(self) -> None:
        """See what has become of the file beside the commands; seldom, while none runs."""

    def close(self) -> None:
        """Leave no handler."""
        for where, handler in self._handlers:
            if handler in where:
                where.remove(handler)
        self._handlers.clear()


def _signature(file: str) -> Optional[Tuple[int, ...]]:
    """What another writing of the file changes; None where there is no file."""
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size


class WindowChanges(Changes):
    """Follows the file of a Blender that a person works in."""

    def __init__(self, bpy: Any) -> None:
        super().__init__(bpy)
        self.look()

    def end(self, method: str, *, read_only: bool) -> bool:
        changed = super().end(method, read_only=read_only)
        self.look()
        return changed

    def look(self) -> None:
        data = self._bpy.data
        self._file, self._dirty = str(data.filepath), bool(data.is_dirty)
