"""bpy-bridge status: what the running bridge says of itself, once or as it changes."""

from __future__ import annotations

import argparse
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from bridge.client.blocking import Client
from bridge.errors import BlenderLost, NotRunning, ShuttingDown, TimedOut
from bridge.paths import default_address

from . import output, tables

if TYPE_CHECKING:
    from rich.console import Group

_TIMEOUT = 10.0
_TITLES = ("instance", "health", "pool", "blender", "add-on", "leased", "idle", "waiting", "oldest", "address")

pause: Callable[[float], object] = threading.Event().wait
"""Lets so many seconds pass; Ctrl-C ends it."""


def run(options: argparse.Namespace) -> int:
    """Ask, and print an object or a table. Watching, go on until Ctrl-C, also while no bridge runs."""
    if options.watch is not None:
        try:
            _watch(options)
        except KeyboardInterrupt:
            return 0
    with Client(options.bridge) as client:
        status = _ask(client)
    if options.json:
        output.print_json(status)
    else:
        tables.console().print(_page(status))
    return 0


def _ask(client: Client) -> dict[str, Any]:
    status: dict[str, Any] = client.call("bridge.status", timeout=_TIMEOUT).value
    return status


# as it changes


def _watch(options: argparse.Namespace) -> None:
    # Entering a client would connect, and there may be no bridge yet.
    with closing(Client(options.bridge)) as client:
        where = options.bridge or os.environ.get("BPY_BRIDGE_ADDRESS") or default_address()
        answers = _answers(client, where, options.watch)
        if options.json:
            _as_lines(answers)
        elif sys.stdout.isatty():
            _in_place(answers)
        else:
            _as_blocks(answers)


def _answers(client: Client, where: str, interval: float) -> Iterator[dict[str, Any] | str]:
    """The status, or why there is none, again and again; the client connects anew by itself."""
    while True:
        answer: dict[str, Any] | str
        try:
            answer = _ask(client)
        except (NotRunning, BlenderLost, ShuttingDown):
            answer = f"no bridge runs at {where}; waiting"
        except TimedOut:
            answer = f"the bridge at {where} does not answer; waiting"
        yield answer
        pause(interval)


def _as_lines(answers: Iterator[dict[str, Any] | str]) -> None:
    """One object a line for programs; that there is none is said to people, once."""
    said = False
    for answer in answers:
        if isinstance(answer, dict):
            print(json.dumps(answer, separators=(",", ":")), flush=True)
        elif not said:
            output.complain(answer)
        said = isinstance(answer, str)


def _as_blocks(answers: Iterator[dict[str, Any] | str]) -> None:
    console = tables.console()
    for answer in answers:
        console.print(_shown(answer))
        console.print()
        sys.stdout.flush()


def _in_place(answers: Iterator[dict[str, Any] | str]) -> None:
    from rich.live import Live  # noqa: PLC0415  # for start-up time

    with Live(console=tables.console(), auto_refresh=False) as live:
        for answer in answers:
            live.update(_shown(answer), refresh=True)


def _shown(answer: dict[str, Any] | str) -> Group | str:
    return output.visible(answer) if isinstance(answer, str) else _page(answer)


# one page


def _page(status: dict[str, Any]) -> Group:
    from rich.console import Group  # noqa: PLC0415  # for start-up time
    from rich.text import Text  # noqa: PLC0415  # for start-up time

    instances = status["instances"]
    remarks = (
        f"{instance.get('name', '')}: {said}"
        for instance in instances
        for said in (_remark(instance), _misfit(instance, status["version"]))
        if said
    )
    return Group(
        Text(output.visible(_head(status))),
        tables.table(_TITLES, map(_row, instances)),
        *(Text(output.visible(remark)) for remark in remarks),
    )


def _head(status: dict[str, Any]) -> str:
    doors = [*status.get("listen", ()), *filter(None, [status.get("http")])]
    clients = status.get("clients")
    return ", ".join(
        [
            f"bpy-bridge {status['version']}",
            f"process {status['pid']}",
            f"up {tables.duration(status['uptime'])}",
            *(["shutting down"] if status.get("state") == "draining" else []),
            *([f"{clients} client{'' if clients == 1 else 's'}"] if clients is not None else []),
            *([f"{status['chosen']} is chosen"] if status.get("chosen") else []),
            *([f"doors {' '.join(map(str, doors))}"] if doors else []),
        ]
    )


def _row(instance: dict[str, Any]) -> list[str]:
    pool = instance.get("pool") or {}
    return [
        str(instance.get("name", "")),
        str(_health(instance).get("state") or "-"),
        str(pool.get("state", "-")),
        str(instance.get("blender") or "-"),
        _addon(instance),
        tables.leased(pool),
        tables.number(pool.get("idle")),
        tables.number(pool.get("waiting")),
        tables.duration(pool.get("oldest_wait") or 0.0),
        str(instance.get("address", "")),
    ]


def _health(instance: dict[str, Any]) -> dict[str, Any]:
    return instance.get("health") or {}


def _addon(instance: dict[str, Any]) -> str:
    """Its version, marked where it is not the bridge's."""
    addon = instance.get("addon")
    if not addon:
        return "-"
    version = str(addon.get("version") or "?")
    return version if addon.get("matches") else f"{version} (!)"


def _misfit(instance: dict[str, Any], version: str) -> str:
    """What to do about an add-on that is not the bridge's; empty where it is."""
    addon = instance.get("addon")
    if not addon or addon.get("matches"):
        return ""
    theirs = f"its add-on is version {addon['version']}" if addon.get("version") else "its add-on speaks otherwise"
    return f"{theirs}, and the bridge is {version}: {addon.get('fix')}"


def _remark(instance: dict[str, Any]) -> str:
    """Why it cannot serve, and what is wrong with its health; empty where all is well."""
    health = _health(instance)
    obstacle = str(instance.get("obstacle") or "")
    reason = str(health.get("reason") or "")
    if health.get("state") in {None, "healthy"}:
        return obstacle
    if health.get("state") == "unknown" and obstacle:
        return obstacle
    said = [obstacle] if obstacle and obstacle not in reason else []
    return "; ".join([*said, _diagnosis(health)])


def _diagnosis(health: dict[str, Any]) -> str:
    failures, checked = health.get("failures") or 0, health.get("checked_at")
    notes = [
        *([f"{failures} failure{'' if failures == 1 else 's'} in a row"] if failures else []),
        *(["unhealthy"] if health.get("unhealthy") else []),
        *([f"checked {tables.duration(max(0.0, time.time() - checked))} ago"] if checked else []),
    ]
    words = f"{health['state']}: {health.get('reason') or 'no reason is known'}"
    return f"{words} ({', '.join(notes)})" if notes else words
