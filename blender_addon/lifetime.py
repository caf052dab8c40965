"""When a background process must end: its parent is gone, or it was told to.

Both are noticed on threads of their own, so a main thread that renders for an hour is no hindrance:

parent   end of file on standard input, where that is a pipe or a socket; on Linux the parent's pidfd as well, which
         follows the process; and, only where asked for, the kernel's PR_SET_PDEATHSIG. That one works even while
         Blender's C code holds the interpreter, but it follows the *thread* that spawned: a parent that spawns on a
         short-lived thread kills its child with it.
told     SIGTERM and SIGINT, through the interpreter's wake-up descriptor, which needs no main thread.

`end_process` is the end itself, where Blender is a module: its own clean-up at the interpreter's end may never return.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import select
import signal
import socket
import stat
import sys
import threading
from typing import Callable, NoReturn, Optional

_PR_SET_PDEATHSIG = 1
_PARENT_LOOK_SECONDS = 1.0


class Lifetime:
    """Watches for the end. Make it on the main thread, early.

    Without `follow_parent` it is standard input alone that tells of the end: for one whose parent only forked it.
    """

    def __init__(self, *, parent_death_signal: bool = False, follow_parent: bool = True) -> None:
        self._parent = os.getppid()
        self._follow_parent = follow_parent
        if parent_death_signal and sys.platform == "linux":
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        self._stdin = _private_stdin()
        self._woken, self._waker = socket.socketpair()
        self._waker.setblocking(False)
        if os.name == "posix":
            signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
            for told in (signal.SIGTERM, signal.SIGINT):
                signal.signal(told, _ignore)

    def watch(self, *, orphaned: Callable[[], None], told: Callable[[], None]) -> None:
        """Start watching. The callbacks are called on threads of their own, `told` once, `orphaned` once or twice."""
        if self._stdin is not None:
            self._start(self._watch_stdin, orphaned)
        if os.name == "posix":
            if self._follow_parent:
                self._start(self._watch_parent, orphaned)
            self._start(self._watch_signals, told)

    def _start(self, target: Callable[[Callable[[], None]], None], then: Callable[[], None]) -> None:
        threading.Thread(target=target, args=(then,), name="bpy-bridge lifetime", daemon=True).start()

    def _watch_stdin(self, orphaned: Callable[[], None]) -> None:
        assert self._stdin is not None
        with contextlib.suppress(OSError):
            while os.read(self._stdin, 4096):
                pass
        orphaned()

    def _watch_parent(self, orphaned: Callable[[], None]) -> None:
        pidfd = _pidfd(self._parent)
        # It may have died before the descriptor was ours.
        while os.getppid() == self._parent:
            if pidfd is None:
                threading.Event().wait(_PARENT_LOOK_SECONDS)
            else:
                select.select([pidfd], [], [])
                break
        orphaned()

    def _watch_signals(self, told: Callable[[], None]) -> None:
        endings = {int(signal.SIGTERM), int(signal.SIGINT)}
        # Every signal that Python handles writes its number here, the interrupter's too.
        while endings.isdisjoint(self._woken.recv(64)):
            pass
        told()


def end_process(code: int) -> NoReturn:
    """End this process now, its output and its log written out; nothing else is cleaned up."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


def _ignore(_signal: int, _frame: object) -> None:
    """The wake-up descriptor has its number by now."""


def _private_stdin() -> Optional[int]:
    """Standard input for the watcher alone; whatever else reads it, subprocesses too, finds its end."""
    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
        return None  # a terminal, a file or the null device ends for reasons of its own
    private = os.dup(0)
    empty = os.open(os.devnull, os.O_RDONLY)
    os.dup2(empty, 0)
    os.close(empty)
    return private


def _pidfd(process: int) -> Optional[int]:
    if sys.platform != "linux":
        return None
    try:
        return os.pidfd_open(process)
    except OSError:  # an old kernel, or a parent that is gone already
        return None
