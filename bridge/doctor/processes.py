"""Who listens where."""

from __future__ import annotations

import contextlib
from typing import Any

import psutil

from blender_addon.wire import Address


def listener_of(address: Address) -> psutil.Process | None:
    """The process that listens there; None where it cannot be seen, as another user's cannot."""
    with contextlib.suppress(psutil.Error):
        for connection in psutil.net_connections("tcp" if address.kind == "tcp" else "unix"):
            if connection.pid and _listens(connection, address):
                return psutil.Process(connection.pid)
    return None


def _listens(connection: Any, address: Address) -> bool:
    if address.kind == "unix":
        return bool(connection.laddr == address.path)
    return bool(connection.status == psutil.CONN_LISTEN and connection.laddr.port == address.port)


def named(process: psutil.Process | None) -> str:
    """The process in words."""
    if process is None:
        return "a process that cannot be seen from here"
    try:
        return f"process {process.pid} ({process.name()})"
    except psutil.Error:
        return f"process {process.pid}"
