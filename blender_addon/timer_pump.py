"""Drives a pump where Blender has a window, from a timer of Blender's own.

Blender's main loop comes by every 5 ms or so. A tick that finds nothing costs next to nothing; one that finds work
stays for the next request, which a client that works step by step sends within a millisecond. Not for long: between
ticks Blender sees to its window.

    idle         nothing for a second: look, and go
    active       wait up to WAIT for work
    in a burst   after each command linger for LINGER; at most BUDGET in all, whatever still waits
"""

from __future__ import annotations

import logging
import math
import time
from typing import Callable

from .pump import Pump
from .work import Work

# Seconds.
ACTIVE = 1.0
WAIT = 0.005
LINGER = 0.003
BUDGET = 0.020

_log = logging.getLogger(__name__)


class TimerPump:
    """Blender calls `tick` again and again, on the main thread."""

    def __init__(
        self,
        pump: Pump,
        perform: Callable[[Pump, Work], object],
        *,
        settled: Callable[[], bool] = lambda: True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`perform` runs one work by the pump's `run`.

        `settled` says after each whether Blender can run another before its main loop has come by: after a file was
        loaded, for one, no window is current until then.
        """
        self._pump = pump
        self._perform = perform
        self._settled = settled
        self._clock = clock
        self._inside = False
        self._active_until = -math.inf

    @property
    def inside(self) -> bool:
        """A tick is under way: whoever asks is called by a command, or lies between two."""
        return self._inside

    def tick(self) -> bool:
        """Run what there is, within the budget. False once the pump is closed. Raises nothing."""
        # A command may run Blender's own loop, and so this again.
        if self._inside:
            return True
        self._inside = True
        try:
            self._run()
        except BaseException:  # noqa: BLE001  # the boundary: what leaves a timer ends the timer, SystemExit Blender
            _log.exception("a tick of the pump ended by a bug")
        finally:
            self._inside = False
        return not self._pump.closing

    def _run(self) -> None:
        now = self._clock()
        until = now + BUDGET
        patience = now + WAIT if now < self._active_until else now
        while not self._pump.closing:
            work = self._pump.take()
            if work is not None:
                self._perform(self._pump, work)
                now = self._clock()
                self._active_until = now + ACTIVE
                patience = now + LINGER
                if now >= until or not self._settled():
                    return
                continue
            left = min(patience, until) - self._clock()
            if left <= 0.0:
                return
            self._pump.park(left)
