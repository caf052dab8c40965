"""Undo steps that bear the names of commands, in every mode, with or without a window.

Blender keeps no undo steps for what Python does: they are pushed. Without a window it keeps none at all until the first
is pushed, and forgets them all, that included, when a file is loaded; 3.4 keeps those of the file before.
"""

from __future__ import annotations

import contextlib
import logging
from typing import Any, Iterator

LONGEST_NAME = 63
"""Blender cuts a step's name after so many bytes."""

FIRST = "Original"
"""What Blender itself calls the state of a file that was just loaded."""

_log = logging.getLogger(__name__)


def begin() -> None:
    """Have undo work in a Blender without a window, now and after each file that is loaded. Main thread."""
    import bpy  # noqa: PLC0415  the bridge imports the commands without Blender

    if not bpy.app.background:
        return
    end()
    first_step()
    handlers = bpy.app.handlers
    handlers.load_post.append(handlers.persistent(first_step))


def end() -> None:
    """Leave no handler. Steps that there are remain. Main thread."""
    import bpy  # noqa: PLC0415  as above

    handlers = bpy.app.handlers.load_post
    # After a reload of the add-on it is the older module's function.
    for handler in [known for known in handlers if getattr(known, "__module__", "") == __name__]:
        handlers.remove(handler)


def step(name: str) -> None:
    """What has changed since the last step becomes one that the user can undo, by that name. Main thread.

    Never raises: where Blender takes no step (undo is switched off, say) the change stays, as it would for a person.
    """
    try:
        with in_window():
            _push(name)
    except Exception:  # noqa: BLE001  # the boundary: the command is answered, and Blender may be in any state
        _log.warning("no undo step for %s", name, exc_info=True)


def first_step(*_: object) -> None:
    """The state below all steps, in a Blender without a window. Never raises."""
    step(FIRST)


@contextlib.contextmanager
def in_window() -> Iterator[None]:
    """A block that has a window where there is one: in a timer, after a file was loaded, the context has lost it."""
    import bpy  # noqa: PLC0415  as above

    windows = bpy.context.window_manager.windows
    if bpy.context.window is not None or not len(windows):
        yield
        return
    with bpy.context.temp_override(window=windows[0]):
        yield


def _push(name: str) -> None:
    import bpy  # noqa: PLC0415  as above

    if _keeps_edits_alone(bpy.context.mode):
        # In an edit mode a step holds the edited data alone, unless a data-block has come or gone since the last one:
        # then Blender keeps the whole file below it. Without this, undo would leave what the command did elsewhere.
        texts: Any = bpy.data.texts
        texts.remove(texts.new("bpy-bridge"))
    bpy.ops.ed.undo_push(message=name)


def _keeps_edits_alone(mode: str) -> bool:
    return mode.startswith("EDIT") or mode == "PARTICLE"
