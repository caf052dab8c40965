"""bpy-bridge pool: what the pools are doing, and control of one while it runs."""

from __future__ import annotations

import argparse
from typing import Any

from bridge.client.blocking import Client

from . import output, tables

_TIMEOUT = 10.0
_TITLES = ("instance", "state", "leased", "idle", "connecting", "checking", "waiting", "oldest")


def run(options: argparse.Namespace) -> int:
    """Show the pools; or do it, and say what is true then."""
    with Client(options.bridge, instance=options.instance) as client:
        if options.action == "show":
            _show(client.call("bridge.pools", timeout=_TIMEOUT).value, as_json=options.json)
            return 0
        pool = _drain(client, options) if options.action == "drain" else _control(client, options)
    if options.json:
        output.print_json(pool)
    else:
        print(_line(pool))
    return 0


def _control(client: Client, options: argparse.Namespace) -> dict[str, Any]:
    params = {"max_connections": options.max_connections} if options.action == "resize" else {}
    pool: dict[str, Any] = client.call(f"bridge.{options.action}", params, timeout=_TIMEOUT).value
    return pool


def _drain(client: Client, options: argparse.Namespace) -> dict[str, Any]:
    try:
        pool: dict[str, Any] = client.call("bridge.drain", timeout=options.timeout).value
    except KeyboardInterrupt:
        # Who stops waiting has not stopped the drain, and has to know that.
        for pool in client.call("bridge.pools", timeout=_TIMEOUT).value:
            if pool["state"] == "draining":
                output.complain(f"{_line(pool)}; it goes on draining until `bpy-bridge pool resume`")
        raise
    return pool


def _line(pool: dict[str, Any]) -> str:
    counts = f"{pool['leased']} leased, {pool['waiting']} waiting, of {pool['max_connections']}"
    return output.visible(f"{pool['name']}: {pool['state']}; {counts}")


def _show(pools: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        output.print_json(pools)
        return
    console = tables.console()
    console.print(tables.table(_TITLES, map(_row, pools)))
    for pool in pools:
        if pool.get("last_error"):
            console.print(output.visible(f"{pool['name']}: {pool['last_error']}"))


def _row(pool: dict[str, Any]) -> list[str]:
    counts = (tables.number(pool.get(title)) for title in ("idle", "connecting", "checking", "waiting"))
    oldest = tables.duration(pool.get("oldest_wait") or 0.0)
    return [str(pool.get("name", "")), str(pool.get("state", "-")), tables.leased(pool), *counts, oldest]
