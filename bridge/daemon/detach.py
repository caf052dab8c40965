"""A process that serves leaves the terminal of who started it, and keeps a line to tell them how that went."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any


class Launcher:
    """The process that started this one, and waits for one word: `ready`, or why not. It may be gone by now."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def say(self, word: Mapping[str, Any], *, last: bool = True) -> None:
        """Say it; nothing more is said after the last."""
        if self._pipe is None:
            return
        pipe = self._pipe
        try:
            os.write(pipe, json.dumps(word).encode() + b"\n")
        except OSError:
            last = True
        if last:
            self._pipe = None
            os.close(pipe)


def detach() -> Launcher:
    """Go on in a process of its own session that has no parent but init, its files closed to others.

    For a process without threads, started by `launch`: with nothing on standard input, the log as standard error, and
    standard output a pipe to the launcher, which is the Launcher from here on: nothing that is printed gets into it.
    """
    if os.fork():
        os._exit(0)
    os.setsid()
    os.umask(0o077)
    launcher = Launcher(os.dup(1))
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.close(nothing)
    launcher.say({"pid": os.getpid()}, last=False)
    return launcher


def go_home() -> None:
    """Leave the directory in which the bridge was started, so that it can be removed or unmounted."""
    if "BPY_BRIDGE_HOME" in os.environ:
        os.environ["BPY_BRIDGE_HOME"] = os.path.abspath(os.path.expanduser(os.environ["BPY_BRIDGE_HOME"]))
    for place in (Path.home(), Path("/")):
        try:
            os.chdir(place)
        except OSError:
            continue
        return
