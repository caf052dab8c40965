"""bpy-bridge stop: end the bridge that runs, in the background or in the foreground."""

from __future__ import annotations

import argparse

from bridge import daemon, paths

from . import output


def run(options: argparse.Namespace) -> int:
    """Tell it to end, and wait until it has; where none runs there is nothing to do."""
    stopped = daemon.stop(timeout=options.timeout, force=options.force)
    if stopped is None and (stale := paths.remove_stale_record()):
        output.complain(stale)
    if options.json:
        pid, killed = (None, False) if stopped is None else (stopped.pid, stopped.killed)
        said = {"pid": pid, "stopped": stopped is not None, "killed": killed}
        output.print_json({"name": paths.bridge_name(), **said})
        return 0
    if stopped is None:
        print(f"no bridge {paths.bridge_name()!r} runs")
    else:
        how = "killed, with its Blenders" if stopped.killed else "stopped"
        print(f"the bridge {paths.bridge_name()!r} is {how}: process {stopped.pid}, after {stopped.seconds:.1f} s")
    return 0
