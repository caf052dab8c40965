"""bpy-bridge status: what the running bridge says of itself."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from bridge.client.blocking import Client

from . import output

_TIMEOUT = 10.0
_NUMBERS = frozenset({"leased", "idle", "waiting", "oldest"})
_WIDE = 1_000  # in a file or a pipe nothing is wrapped


def run(options: argparse.Namespace) -> int:
    """Ask, and print an object or a table."""
    with Client(options.bridge) as client:
        status = client.call("bridge.status", timeout=_TIMEOUT).value
    if options.json:
        output.print_json(status)
    else:
        _show(status)
    return 0


def _show(status: dict[str, Any]) -> None:
    from rich.console import Console  # noqa: PLC0415  # 100 ms that --json need not wait for
    from rich.table import Table  # noqa: PLC0415  # for start-up time
    from rich.text import Text  # noqa: PLC0415  # for start-up time

    table = Table(box=None, pad_edge=False)
    for title in ("instance", "state", "blender", "leased", "idle", "waiting", "oldest", "address"):
        table.add_column(title, justify="right" if title in _NUMBERS else "left", overflow="fold")
    for instance in status["instances"]:
        table.add_row(*(Text(output.visible(text)) for text in _row(instance)))
    console = Console(highlight=False, width=None if sys.stdout.isatty() else _WIDE)
    console.print(
        f"bpy-bridge {status['version']}, process {status['pid']}, up {duration(status['uptime'])}", markup=False
    )
    console.print(table)
    for instance in status["instances"]:
        reason = (instance.get("pool") or {}).get("last_error")
        if reason and not instance.get("connected"):
            console.print(output.visible(f"{instance['name']}: {reason}"), markup=False)


def _row(instance: dict[str, Any]) -> list[str]:
    pool = instance.get("pool") or {}
    return [
        str(instance.get("name", "")),
        "connected" if instance.get("connected") else "not connected",
        str(instance.get("blender") or "-"),
        f"{pool.get('leased', 0)}/{pool.get('max_connections', '-')}",
        str(pool.get("idle", "-")),
        str(pool.get("waiting", "-")),
        duration(pool.get("oldest_wait") or 0.0),
        str(instance.get("address", "")),
    ]


def duration(seconds: float) -> str:
    """A length of time as a person says it: 0.2 s, 3 min 5 s, 2 h 10 min, 4 d 3 h."""
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    whole = int(seconds)
    for unit, length, lower, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            return f"{whole // length} {unit} {whole % length // part} {lower}"
    return f"{whole} s"
