"""bpy-bridge worker: the Blenders that the bridge starts, shown and controlled."""

from __future__ import annotations

import argparse
import time
from typing import Any

from bridge.client.blocking import Client

from . import output, tables

_TIMEOUT = 10.0
_DEFAULT = "default"
_TITLES = ("worker", "kind", "phase", "for", "pid", "restarts")
_LAST_LINES = 5


def run(options: argparse.Namespace) -> int:
    """Show the workers; or do it, and show what they are then."""
    with Client(options.bridge) as client:
        if options.action == "list":
            params = {} if options.worker is None else {"name": options.worker}
            workers = client.call("bridge.workers", params, timeout=_TIMEOUT).value
        else:
            params = {"name": options.worker or _DEFAULT}
            workers = client.call(f"bridge.worker_{options.action}", params, timeout=options.timeout).value
    if options.json:
        output.print_json(workers)
    else:
        _show(workers)
    return 0


def _show(workers: list[dict[str, Any]]) -> None:
    console = tables.console()
    console.print(tables.table(_TITLES, map(_row, workers)))
    for worker in workers:
        if worker.get("last_error"):
            console.print(output.visible(f"{worker['name']}: {worker['last_error']}"))
        if worker.get("phase") == "failed":
            for line in worker.get("output", [])[-_LAST_LINES:]:
                console.print(output.visible(f"    {line}"))


def _row(worker: dict[str, Any]) -> list[str]:
    since = worker.get("since")
    age = "-" if since is None else tables.duration(max(0.0, time.time() - since))
    known = (tables.number(worker.get(title)) for title in ("pid", "restarts"))
    return [str(worker.get("name", "")), str(worker.get("kind", "-")), str(worker.get("phase", "-")), age, *known]
