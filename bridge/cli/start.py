"""bpy-bridge start: the bridge in the background."""

from __future__ import annotations

import argparse
import threading
from collections.abc import Callable
from time import monotonic
from typing import Any

from bridge import daemon, paths
from bridge.client.blocking import Client
from bridge.errors import EXIT_BUSY, BridgeError, DaemonError

from . import output
from .serve import flags_of

_BETWEEN_LOOKS = 0.05
_pause: Callable[[float], object] = threading.Event().wait


def run(options: argparse.Namespace) -> int:
    """Start it unless it runs, and print which one that is, once its doors are open."""
    until = monotonic() + options.timeout
    present(daemon.start(flags_of(options), timeout=options.timeout), options, until)
    return 0


def present(bridge: daemon.Running, options: argparse.Namespace, until: float) -> None:
    """Print what runs now; with --wait, once one of its Blenders is ready."""
    for remark in bridge.remarks:
        output.complain(remark)
    if options.wait:
        _wait_for_blender(bridge, until)
    if options.json:
        said = {name: value for name, value in bridge._asdict().items() if name != "remarks"}
        output.print_json({"name": paths.bridge_name(), **said})
        return
    doors = " ".join([*bridge.listen, *([bridge.http] if bridge.http else [])])
    state = "started" if bridge.started else "runs already"
    print(f"the bridge {paths.bridge_name()!r} {state}: process {bridge.pid}, doors {doors}")


def _wait_for_blender(bridge: daemon.Running, until: float) -> None:
    why = "it does not answer"
    with Client(bridge.listen[0]) as client:
        while monotonic() < until:
            try:
                instances = client.call("bridge.status", timeout=max(0.1, until - monotonic())).value["instances"]
            except BridgeError as error:
                why = str(error)
                break
            if any(instance["ready"] for instance in instances):
                return
            why = "; ".join(_obstacle(instance) for instance in instances) or "it has no Blender"
            _pause(_BETWEEN_LOOKS)
    raise DaemonError(f"the bridge (process {bridge.pid}) runs, but no Blender is ready: {why}", EXIT_BUSY)


def _obstacle(instance: dict[str, Any]) -> str:
    return f"{instance['name']}: {instance['obstacle']}"
