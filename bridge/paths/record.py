"""What the running bridge says about itself, so that others find it: bridge.json.

The lock says whether a bridge runs and which process it is; the record only says where. A record that is not of the
process that holds the lock, by pid and start time, is stale, and nothing in it is believed.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, NamedTuple

from bridge.errors import ConfigurationError

from .lock import UNSEEN, holder
from .places import lock_file, record_file
from .private import ensure_private, write_new

_ENDED = (b"Z", b"X")  # nobody has asked for its exit code yet


class Record(NamedTuple):
    """`started` is what `process_start` says of the process; `listen` the open doors, none of them while it starts.

    `http` is a URL, `mcp` where MCP relays come in. `flags` are those of `bpy-bridge serve`, given in the directory
    `cwd`; `log` is the log file.
    """

    pid: int
    started: float | None
    version: str
    listen: Sequence[str]
    http: str | None = None
    flags: Sequence[str] = ()
    cwd: str = ""
    log: str | None = None
    mcp: str | None = None

    def is_current(self) -> bool:
        """Whether its process lives: that pid, and no later process that was given it again."""
        return process_exists(self.pid) and self.started == process_start(self.pid)


def process_start(pid: int) -> float | None:
    """When the process was started, for comparison only; None where the platform does not tell, or there is none.

    On Linux clock ticks since boot, which, other than the time of day, nothing changes afterwards.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            # The second field is the program's name in parentheses, and may hold anything.
            state, *fields = file.read().rpartition(b")")[2].split()
            return None if state in _ENDED else float(fields[18])
    except (OSError, IndexError, ValueError):
        return None


def process_exists(pid: int) -> bool:
    """Whether there is such a process, whoever's it is."""
    if pid <= 0:
        return False
    if os.name == "nt":
        return True  # a signal 0 would end it there; its start time is not known either
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def running() -> Record | None:
    """The bridge that runs: its record, one with its pid alone where there is none yet; None where no bridge runs."""
    pid = holder(lock_file())
    if pid is None:
        return None
    record = read_record()
    if record is not None and pid in (record.pid, UNSEEN) and record.started == process_start(record.pid):
        return record
    return Record(pid, process_start(pid), "", [])


def write_record(record: Record) -> None:
    """Publish the running bridge; a reader sees this record or the one before, whole. Raises ConfigurationError."""
    path = record_file()
    ensure_private(path.parent)
    try:
        os.replace(write_new(path, json.dumps(record._asdict()) + "\n"), path)
    except OSError as error:
        raise ConfigurationError(f"the record {path} cannot be written: {error.strerror}") from error


def read_record() -> Record | None:
    """What the record says, stale or not; None where none can be read."""
    try:
        return _record(json.loads(record_file().read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def remove_record() -> None:
    """Take this process's record away; another bridge's stays."""
    record = read_record()
    if record is not None and record.pid == os.getpid():
        # Where it cannot be removed it is stale, and the next bridge will see to it.
        with suppress(OSError):
            record_file().unlink()


def remove_stale_record() -> str | None:
    """Remove a record that an ended bridge left, and say so in words; None where there is none.

    For the holder of the lock, or where nobody holds it.
    """
    path, record = record_file(), read_record()
    try:
        path.unlink()
    except OSError:
        return None
    left = f"bridge process {record.pid} ended" if record is not None else "it could not be read, and a bridge ended"
    return f"removed the stale record {path}: {left} without removing it"


def _record(value: Any) -> Record:
    started = value["started"]
    http, log, mcp = (None if (text := value.get(name)) is None else str(text) for name in ("http", "log", "mcp"))
    return Record(
        pid=int(value["pid"]),
        started=None if started is None else float(started),
        version=str(value["version"]),
        listen=_texts(value["listen"]),
        http=http,
        flags=tuple(_texts(value.get("flags", []))),
        cwd=str(value.get("cwd", "")),
        log=log,
        mcp=mcp,
    )


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(text, str) for text in value):
        raise ValueError("must be a list of texts")
    return value
