"""bpy-bridge restart: end the bridge and start it again with the flags that it had."""

from __future__ import annotations

import argparse
from time import monotonic

from bridge import daemon

from .start import present


def run(options: argparse.Namespace) -> int:
    """Stop what runs and start it anew, in the background; where none runs, start one."""
    stopped = daemon.stop(timeout=options.timeout, force=options.force)
    flags, cwd = ((), None) if stopped is None else (stopped.flags, stopped.cwd)
    until = monotonic() + options.timeout
    present(daemon.start(flags, cwd=cwd, timeout=options.timeout), options, until)
    return 0
