"""Stopping a command that is running on the main thread, from another thread.

A command may be asleep, in a Python loop or waiting for a lock. On POSIX a signal wakes it from all of these, and the
signal's handler raises `Interrupted` there. Elsewhere the interpreter's asynchronous exception stops Python code,
though not a sleep. Either can come late, so both raise only

- while a command is armed that was asked to stop (a late one never hits the command after it),
- and inside the command itself, never in the code around it or in a frame that it is writing (`shield`).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import threading
from types import FrameType
from typing import Any, Callable, Iterator, Optional, Protocol, TypeVar

from .call import Call, Interrupted

Value = TypeVar("Value")


class Interrupter(Protocol):
    """What the pump needs of an interrupter."""

    def install(self) -> None:
        """Get ready; on the main thread, before the first command."""

    def uninstall(self) -> None:
        """Leave everything as it was before `install`; on the main thread."""

    def guarded(self, call: Call, run: Callable[[], Value]) -> Value:
        """Run a command on the main thread, during which `strike` may raise Interrupted in it."""

    def strike(self, call: Call) -> None:
        """Stop `call` if it runs now and its `stop_reason` is set. From any thread; may be repeated."""

    def shield(self) -> contextlib.AbstractContextManager[None]:
        """A block inside a command that Interrupted must not split. Has no effect on other threads."""


class _Armed:
    """The command that may be interrupted now."""

    def __init__(self) -> None:
        self._armed: Optional[Call] = None
        self._main = threading.get_ident()

    def install(self) -> None:
        self._main = threading.get_ident()

    def uninstall(self) -> None:
        pass

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        if threading.get_ident() != self._main:
            yield
            return
        armed = self._armed
        self._armed = None
        try:
            yield
        finally:
            self._armed = armed


class SignalInterrupter(_Armed):
    """SIGUSR1 to the main thread."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._handler = self._handle  # one object, to be known again
        self._before: Any = signal.SIG_DFL

    def install(self) -> None:
        super().install()
        self._before = signal.signal(signal.SIGUSR1, self._handler)

    def uninstall(self) -> None:
        with self._lock:
            self._armed = None
        # One may be on its way: it arrives with this system call, and does not find the default, which ends Blender.
        signal.sigpending()
        if self._is_installed():
            signal.signal(signal.SIGUSR1, signal.SIG_DFL if self._before is None else self._before)

    def guarded(self, call: Call, run: Callable[[], Value]) -> Value:
        if not self._is_installed():
            self.install()  # what ran before has put another there
        self._armed = call
        try:
            return run()
        finally:
            self._armed = None

    def strike(self, call: Call) -> None:
        with self._lock:
            # Without a handler the signal would end Blender; another's is not for us to call.
            if self._armed is call and self._is_installed():
                signal.pthread_kill(self._main, signal.SIGUSR1)

    def _is_installed(self) -> bool:
        return signal.getsignal(signal.SIGUSR1) is self._handler

    def _handle(self, _signal: int, frame: Optional[FrameType]) -> None:
        call = self._armed
        if call is None or call.stop_reason is None or frame is None:
            return
        # In the guard's own frame the command has not begun or has just ended.
        if frame.f_code is not SignalInterrupter.guarded.__code__:
            raise Interrupted(call.stop_reason)


class AsyncExceptionInterrupter(_Armed):
    """CPython's asynchronous exception: where there are no signals to a thread, as on Windows."""

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.Lock()
        self._struck = False

    def guarded(self, call: Call, run: Callable[[], Value]) -> Value:
        self._armed = call
        try:
            return run()
        finally:
            self._disarm()

    def strike(self, call: Call) -> None:
        with self._lock:
            if self._armed is call and call.stop_reason is not None:
                self._struck = True
                _raise_in(self._main, Interrupted)

    @contextlib.contextmanager
    def shield(self) -> Iterator[None]:
        armed = self._armed
        if threading.get_ident() == self._main:
            self._disarm()
        try:
            yield
        finally:
            if threading.get_ident() == self._main:
                self._armed = armed

    def _disarm(self) -> None:
        # One may be on its way already. Called back, it would leave CPython 3.11 looking for it for ever (under a
        # tracer it hangs), so it is sent once more (there is but one at a time) and ends here.
        struck = True
        while struck:
            try:
                with self._lock:
                    self._armed = None
                    struck, self._struck = self._struck, False
                if struck:
                    _raise_in(self._main, Interrupted)
                    while True:
                        pass
            except Interrupted:  # noqa: PERF203  # once, in the rarest case
                struck = True


def _raise_in(thread: int, exception: type[BaseException]) -> None:
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(exception))


def best_interrupter() -> Interrupter:
    """The one that this platform can do."""
    return SignalInterrupter() if os.name == "posix" else AsyncExceptionInterrupter()
