"""Blender's windows and the areas in them: there are none in the background."""

from __future__ import annotations

from typing import Any, Iterator, List, NamedTuple, Optional

from ..schema import did_you_mean, nearest
from ..wire import Fault
from .lookup import refuse


class Spot(NamedTuple):
    """An area of a window."""

    window: Any
    area: Any

    def override(self) -> Any:
        """A context in which operators work on this area."""
        import bpy

        region = next((region for region in self.area.regions if region.type == "WINDOW"), None)
        return bpy.context.temp_override(window=self.window, area=self.area, region=region)


def windows() -> List[Any]:
    """Blender's windows. Raises Fault `invalid_params` where it has none, in the background."""
    import bpy

    found = [] if bpy.app.background else list(bpy.context.window_manager.windows)
    if not found:
        message = "this Blender has no window: viewport.preview and render.still make pictures without one"
        raise Fault("invalid_params", message, data={"problems": [], "nearest": ["viewport.preview", "render.still"]})
    return found


def area_of(kind: str, number: Optional[int] = None) -> Spot:
    """The largest area of that type, in the window of that number or in any. Raises Fault `invalid_params`."""
    found = [spot for spot in _areas(number) if spot.area.type == kind]
    if not found:
        known = sorted({spot.area.type for spot in _areas(number)})
        problem = f"no window shows a {kind}{did_you_mean(kind, known)}; they show {', '.join(known)}"
        raise refuse("area", problem, nearest(kind, known) or known[:5])
    return max(found, key=lambda spot: spot.area.width * spot.area.height)


def window_of(number: Optional[int]) -> Any:
    """The window of that number, the first where there is none. Raises Fault `invalid_params`."""
    known = windows()
    if number is None:
        return known[0]
    if number >= len(known):
        raise refuse("window", f"there are {len(known)} windows, from 0 on")
    return known[number]


def _areas(number: Optional[int]) -> Iterator[Spot]:
    for window in windows() if number is None else [window_of(number)]:
        for area in window.screen.areas:
            yield Spot(window, area)


def redraw(window: Any) -> None:
    """Draw now what has changed: a command may just have changed it."""
    import bpy

    with bpy.context.temp_override(window=window, screen=window.screen):
        bpy.ops.wm.redraw_timer(type="DRAW_WIN_SWAP", iterations=1)
