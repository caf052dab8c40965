"""A process that serves leaves the terminal of who started it, and keeps a line to tell them how that went."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from contextlib import suppress
from typing import Any


class Launcher:
    """The process that started this one and waits: for the word that the doors are open, or for this one's end."""

    def __init__(self, pipe: int) -> None:
        self._pipe: int | None = pipe

    def say(self, word: Mapping[str, Any]) -> None:
        """Say something, such as why there will be no bridge. Where the launcher has gone, nothing."""
        if self._pipe is not None:
            with suppress(OSError):
                os.write(self._pipe, json.dumps(word).encode() + b"\n")

    def dismiss(self, word: Mapping[str, Any]) -> None:
        """Say the last word, after which it need not wait any longer."""
        self.say(word)
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


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
    launcher.say({"pid": os.getpid()})
    return launcher


def go_home() -> None:
    """Leave the directory in which the bridge was started, so that it can be removed or unmounted."""
    if "BPY_BRIDGE_HOME" in os.environ:
        os.environ["BPY_BRIDGE_HOME"] = os.path.abspath(os.path.expanduser(os.environ["BPY_BRIDGE_HOME"]))
    for place in (os.path.expanduser("~"), "/"):
        try:
            os.chdir(place)
        except OSError:
            continue
        return
