"""Serves a Blender that has a window, beside the person who works in it.

One server at most. It answers at a private address with a token that is made anew at each start, and announces itself:
this user's bridges find it within a second. All of this is called on the main thread.

    from . import gui
    gui.start()       # an operator; `register` asks for it with start_soon
    gui.current()     # the server while it serves, else None, and then gui.problem() may say why
    gui.stop()
"""

from __future__ import annotations

import atexit
import logging
import secrets
import time
from typing import Any, Optional

from .application import Blender
from .preferences import Settings, apply_policy, settings
from .server import Server, private_door
from .sockets import AddressRefused
from .timer_pump import TimerPump

_LOOK_SECONDS = 1.0
_NO_WINDOW = "this Blender has no window: run blender -b --python headless.py of this add-on to serve one without"

_log = logging.getLogger(__name__)


class _Serving:
    """A server, and the timer that drives its pump."""

    def __init__(self, bpy: Any, wanted: Settings) -> None:
        """Raises AddressRefused or OSError, and has left nothing then."""
        self._bpy = bpy
        self._blender = Blender(bpy)
        try:
            self.server = Server(self._blender, private_door(secrets.token_hex(32)), name=wanted.announce_name)
            self.server.start()
        except BaseException:
            self._blender.close()
            raise
        self._pump = TimerPump(self.server.pump, self.server.perform, settled=self._blender.settled)
        self._look_at = 0.0
        self._ticking = False
        self._timer = self._tick  # one object, by which Blender knows it
        bpy.app.timers.register(self._timer, persistent=True)
        atexit.register(self._vanish)

    def stop(self) -> bool:
        """End it; False where a command of its own asked for that: it ends with the command."""
        if not self.server.stop("it was switched off"):
            return False
        atexit.unregister(self._vanish)
        timers = self._bpy.app.timers
        # From inside a tick it is the tick that ends the timer.
        if not self._ticking and timers.is_registered(self._timer):
            timers.unregister(self._timer)
        return True

    def _tick(self) -> Optional[float]:
        # A command may run Blender's own loop, and so this again.
        if self._ticking:
            return 0.0
        self._ticking = True
        try:
            if self._pump.tick():
                self._look()
                return 0.0
            self.stop()
        finally:
            self._ticking = False
        _ended(self)
        return None

    def _look(self) -> None:
        now = time.monotonic()
        if now >= self._look_at:
            self._look_at = now + _LOOK_SECONDS
            self._blender.look()

    def _vanish(self) -> None:
        # Blender is as good as gone: only files are left to see to.
        self.server.leave("Blender ends")
        self.server.vanish()


_serving: Optional[_Serving] = None
# One that a command of its own has stopped, until that command is over.
_ending: Optional[_Serving] = None
_problem: Optional[str] = None


def current() -> Optional[Server]:
    """The server, while it serves."""
    return _serving.server if _serving is not None else None


def problem() -> Optional[str]:
    """Why it does not serve, where that is not what was wanted."""
    return _problem


def start() -> bool:
    """Serve, as the preferences say. Returns whether it serves now; if not, `problem` says why.

    Not from `register`, while Blender restricts what add-ons see: see `start_soon`.
    """
    import bpy  # noqa: PLC0415  # the bridge imports this package where there is no Blender

    global _serving, _problem  # noqa: PLW0603  # one process, one window
    if _serving is not None:
        return True
    if bpy.app.background:
        _problem = _NO_WINDOW
        return False
    if _ending is not None:
        return start_soon()
    _problem = None
    wanted = settings()
    apply_policy()
    try:
        _serving = _Serving(bpy, wanted)
    except (AddressRefused, OSError) as error:
        _problem = str(error)
        _log.warning("bpy-bridge does not serve this Blender: %s", error)
        return False
    return True


def start_soon() -> bool:
    """Start once Blender's main loop comes by. Returns False: it does not serve yet."""
    import bpy  # noqa: PLC0415  # as above

    global _problem  # noqa: PLW0603  # as above
    if bpy.app.background:
        _problem = _NO_WINDOW
    elif not bpy.app.timers.is_registered(_start):
        bpy.app.timers.register(_start, persistent=True)
    return False


def start_if_wanted() -> None:
    """Start once Blender's main loop comes by, if the preferences say so by then. For `register`."""
    import bpy  # noqa: PLC0415  # as above

    global _problem  # noqa: PLW0603  # as above
    if bpy.app.background:
        _problem = _NO_WINDOW
    elif not bpy.app.timers.is_registered(_start_if_wanted):
        bpy.app.timers.register(_start_if_wanted, persistent=True)


def stop() -> None:
    """Stop serving; afterwards there is no thread, timer, socket or file. Any number of times.

    A command of its own that asks for it, by disabling the add-on say, still has its answer sent, and all else of this
    is done when it is over.
    """
    import bpy  # noqa: PLC0415  # as above

    global _serving, _ending, _problem  # noqa: PLW0603  # as above
    _problem = None
    for timer in (_start, _start_if_wanted):
        if bpy.app.timers.is_registered(timer):
            bpy.app.timers.unregister(timer)
    serving, _serving = _serving, None
    if serving is not None and not serving.stop():
        _ending = serving


def _start() -> None:
    try:
        start()
    except Exception as error:  # noqa: BLE001  # the boundary: a timer of Blender's, which would print it and forget
        global _problem  # noqa: PLW0603  # as above
        _problem = f"{type(error).__name__}: {error}"
        _log.exception("bpy-bridge does not serve this Blender")


def _start_if_wanted() -> None:
    if settings().autostart:
        _start()


def _ended(serving: _Serving) -> None:
    global _serving, _ending  # noqa: PLW0603  # as above
    if _serving is serving:
        _serving = None
    if _ending is serving:
        _ending = None
