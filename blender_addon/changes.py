"""Whether the open file has changes that are not saved. A Blender without a window does not keep count itself:
there `bpy.data.is_dirty` is always true.

Told in doubt: what code.execute does is taken for a change, since not everything that Python does is noticed.
"""

from __future__ import annotations

from typing import Any, Dict


class Changes:
    """Follows the file. `describe` may be called from any thread, the rest on the main thread only."""

    def __init__(self, bpy: Any) -> None:
        """The file is open and as good as saved."""
        self._bpy = bpy
        self._file = str(bpy.data.filepath)
        self._dirty = False
        self._before = False
        self._runs = 0
        self._noticed = False
        self._clean_since = False
        handlers = bpy.app.handlers

        @handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def settled(*_: object) -> None:
            self._file = str(bpy.data.filepath)
            self._clean_since, self._noticed = True, False

        @handlers.persistent  # type: ignore[untyped-decorator]  # bpy has no types
        def changed(*_: object) -> None:
            self._noticed = True

        handlers.load_post.append(settled)
        handlers.save_post.append(settled)
        handlers.depsgraph_update_post.append(changed)

    def describe(self) -> Dict[str, Any]:
        """`file`: its path; `dirty`: it has changes that are not saved; `runs`: how many commands have begun."""
        return {"file": self._file, "dirty": self._dirty, "runs": self._runs}

    def begin(self) -> None:
        """A command begins: until it has ended, nobody knows."""
        self._before, self._dirty = self._dirty, True
        self._runs += 1
        self._noticed = self._clean_since = False

    def end(self, method: str, *, read_only: bool) -> None:
        """The command has ended. One that is `read_only` has put back whatever it changed."""
        try:
            self._bpy.context.view_layer.update()  # what has changed is noticed at an update only
        except (AttributeError, RuntimeError, ReferenceError):
            self._noticed = True  # a file in an odd state is one that nobody has saved
        if read_only:
            self._dirty = self._before
        elif self._clean_since:
            self._dirty = self._noticed
        else:
            self._dirty = self._before or self._noticed or method.startswith("code.")
