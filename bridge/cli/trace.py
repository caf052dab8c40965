"""bpy-bridge trace: the wire live, one line a frame, until Ctrl-C."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import os
import sys
from collections.abc import Mapping
from time import monotonic
from typing import Any

from bridge.client.blocking import Client
from bridge.errors import BlenderLost, NotRunning, ShuttingDown

from . import output

# One call watches for so long; then the next one does.
_PERIOD = 3600.0
_SOON = 1.0

_WAYS = {
    ("client", "in"): "client → bridge         ",
    ("blender", "out"): "         bridge → Blender",
    ("blender", "in"): "         bridge ← Blender",
    ("client", "out"): "client ← bridge         ",
}
_RED, _YELLOW, _DIM, _PLAIN = "\033[31m", "\033[33m", "\033[2m", "\033[0m"


def run(options: argparse.Namespace) -> int:
    """Watch until Ctrl-C, which is how it is meant to end: 0. Raises NotRunning when the bridge goes away."""
    show = _Lines(as_json=options.json, coloured=sys.stdout.isatty() and not os.environ.get("NO_COLOR"))
    params = {
        "payloads": options.payloads,
        "errors_only": options.errors,
        "instance": options.instance,
        "connection": options.connection,
        "method": options.method,
    }
    try:
        with Client(options.bridge) as client:
            while True:
                _watch(client, params, show)
    except KeyboardInterrupt:
        return 0


def _watch(client: Client, params: Mapping[str, Any], show: _Lines) -> None:
    """Watch for a while. Raises NotRunning where the bridge is ending, or nothing answers any more."""
    began = monotonic()
    try:
        ended = client.call("bridge.trace", params, timeout=_PERIOD, on_event=show, retry_busy=False).value
    except (BlenderLost, ShuttingDown) as error:
        # A bridge that is still there has closed on us because we were slow to read: see what it says now.
        if monotonic() - began < _SOON:
            raise NotRunning(f"the bridge has gone away: {error.message}") from error
        show.note("the connection was lost: frames may be missing")
        return
    if ended["reason"] == "shutdown":
        raise NotRunning("the bridge is shutting down: the trace has ended")
    if ended["reason"] == "unread":
        show.note(f"{ended['dropped']} frames were not read in time")


class _Lines:
    """Prints each record as it comes."""

    def __init__(self, *, as_json: bool, coloured: bool) -> None:
        self._as_json = as_json
        self._coloured = coloured
        self._begun = False

    def __call__(self, record: Mapping[str, Any]) -> None:
        if record.get("watching"):
            if not self._begun:
                output.complain("watching; Ctrl-C ends it")
            self._begun = True
            return
        record = {name: value for name, value in record.items() if name != "event"}
        if self._as_json:
            self._print(json.dumps(record))
            return
        if record.get("dropped"):
            self._print(self._colour(_YELLOW, f"{record['dropped']} frames came too quickly to be shown"))
        if "hop" in record:
            self._print(self._coloured_line(record))
            if "payload" in record:
                self._print(self._colour(_DIM, "    " + _one_line(record["payload"])))

    def note(self, text: str) -> None:
        """Say something about the trace itself."""
        output.complain(text)

    def _coloured_line(self, record: Mapping[str, Any]) -> str:
        line = describe(record)
        if "code" in record:
            return self._colour(_RED, line)
        kind = (record.get("envelope") or {}).get("kind")
        return line if kind in ("request", "response") else self._colour(_DIM, line)

    def _colour(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._coloured else text

    def _print(self, line: str) -> None:
        try:
            print(line, flush=True)
        except UnicodeEncodeError:
            print(line.encode("ascii", "backslashreplace").decode(), flush=True)


def describe(record: Mapping[str, Any]) -> str:
    """One frame on one line: when, which way, on which connection, what, how large, and how long it took."""
    envelope = record.get("envelope") or {}
    at = dt.datetime.fromtimestamp(record["time"]).astimezone()
    columns = [
        f"{at:%H:%M:%S}.{at.microsecond // 1000:03}",
        _WAYS.get((record["hop"], record["direction"]), ""),
        f"{record['connection']:<11}",
        f"{_kind(record, envelope):<9}",
        f"{envelope.get('id') or '-':<6}",
        f"{_what(record, envelope):<32}",
        f"{size(record['envelope_length'])} + {size(record['payload_length'])}",
    ]
    if "seconds" in record:
        columns.append(milliseconds(record["seconds"]))
    return _one_line("  ".join(columns).rstrip())


def _kind(record: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    return str(envelope.get("kind") or ("garbled" if record["envelope_length"] else "no frame"))


def _what(record: Mapping[str, Any], envelope: Mapping[str, Any]) -> str:
    kind, method = envelope.get("kind"), record.get("method") or ""
    if kind == "response":
        outcome = "ok" if envelope.get("ok") else record.get("code") or "failed"
        return f"{method} {outcome}".strip()
    if kind == "event":
        return f"{method} {envelope.get('name')}".strip()
    if kind == "goodbye":
        return str(envelope.get("reason"))
    if kind in ("hello", "welcome"):
        peer = envelope.get("peer")
        return f"{peer.get('name')} {peer.get('version')}" if isinstance(peer, dict) else ""
    return str(record.get("code") or method)


def size(count: int) -> str:
    """A number of bytes as a person says it: 118 B, 1.2 kB, 20 MB."""
    value, unit = float(count), "B"
    for larger in ("kB", "MB", "GB"):
        if value < 999.5:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "B" or value >= 9.95 else f"{value:.1f} {unit}"


def milliseconds(seconds: float) -> str:
    """A time with three digits at most behind the point: 0.412 ms, 12.3 ms, 2500 ms."""
    value = seconds * 1000
    return f"{value:.{3 if value < 1 else 1 if value < 100 else 0}f} ms"


def _one_line(text: str) -> str:
    return output.visible(text.replace("\n", "\\n").replace("\t", " "))
