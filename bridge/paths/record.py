"""What the running bridge says about itself, so that clients find it: bridge.json."""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from .places import record_file
from .private import ensure_private, write_new


class Record(NamedTuple):
    """`started` is seconds since the epoch, `listen` the addresses of the open doors."""

    pid: int
    started: float
    version: str
    listen: list[str]


def write_record(record: Record) -> None:
    """Publish the running bridge; a reader sees this record or the one before, whole."""
    path = record_file()
    ensure_private(path.parent)
    os.replace(write_new(path, json.dumps(record._asdict()) + "\n"), path)


def read_record() -> Record | None:
    """The record of the bridge that runs, or that was killed; None where none can be read."""
    try:
        value = json.loads(record_file().read_text(encoding="utf-8"))
        record = Record(int(value["pid"]), float(value["started"]), str(value["version"]), list(value["listen"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return record if all(isinstance(address, str) for address in record.listen) else None


def remove_record() -> None:
    """Take this process's record away; another bridge's stays."""
    record = read_record()
    if record is not None and record.pid == os.getpid():
        record_file().unlink(missing_ok=True)
