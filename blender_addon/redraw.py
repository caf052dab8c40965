"""Keeps a panel that is seen up to date, and costs nothing where none is: a timer that lives while somebody looks."""

from __future__ import annotations

from typing import Optional

import bpy

from . import gui
from .panel_state import Redraws, Shown, look
from .policy import policy

_SECONDS = 0.4
_PATIENCE = 1.0

_redraws = Redraws()


def now() -> Shown:
    """What the panel would say now."""
    return look(gui.current(), gui.problem(), policy())


def drawn(shown: Shown) -> None:
    """The panel was drawn. From `draw`."""
    _redraws.drawn(shown)
    # Not persistent: after a load everything is drawn anew, and so is the timer.
    if not bpy.app.timers.is_registered(_tick):
        bpy.app.timers.register(_tick, first_interval=_SECONDS)


def stop() -> None:
    """Leave no timer."""
    if bpy.app.timers.is_registered(_tick):
        bpy.app.timers.unregister(_tick)


def _tick() -> Optional[float]:
    if _redraws.hidden(_PATIENCE):
        return None
    if _redraws.wanted(now()):
        _redraw_sidebars()
    return _SECONDS


def _redraw_sidebars() -> None:
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D" and area.spaces.active.show_region_ui:
                for region in area.regions:
                    if region.type == "UI":
                        region.tag_redraw()
