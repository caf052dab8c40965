"""Blender's warnings about its own definitions ("matches no enum"), kept out of the log while RNA is read."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Iterator


@contextlib.contextmanager
def without_warnings() -> Iterator[None]:
    """What C code writes to standard output and error meanwhile goes nowhere; what other threads write does too."""
    kept = []
    with contextlib.ExitStack() as undone:
        sink = os.open(os.devnull, os.O_WRONLY)
        undone.callback(os.close, sink)
        for stream, number in ((sys.stdout, 1), (sys.stderr, 2)):
            with contextlib.suppress(OSError, ValueError, AttributeError):
                stream.flush()
            try:
                kept.append((os.dup(number), number))
            except OSError:  # a GUI without a console has none
                continue
            os.dup2(sink, number)
        try:
            yield
        finally:
            for copy, number in kept:
                os.dup2(copy, number)
                os.close(copy)
