"""The workers that a bridge started, on record: one that is killed leaves them to the next to clean up after."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from .places import runtime_directory, worker_socket
from .private import write_new
from .record import process_exists, process_start


class LeftWorker(NamedTuple):
    """What is left of a worker: its files, and its process where that lives still."""

    files: tuple[Path, ...]
    pid: int | None


def note_worker(socket: Path, pid: int) -> None:
    """Whoever is to listen at the socket is this process. Where that cannot be written, it is not known."""
    record = _record_of(socket)
    with suppress(OSError):
        os.replace(write_new(record, json.dumps({"pid": pid, "started": process_start(pid)}) + "\n"), record)


def forget_worker(socket: Path) -> None:
    """Its process has ended: nothing is left of it. Raises OSError where the socket cannot be removed."""
    with suppress(OSError):
        _record_of(socket).unlink(missing_ok=True)
    socket.unlink(missing_ok=True)


def left_workers() -> Iterator[LeftWorker]:
    """What is left of the workers of this name's bridge. For the holder of the lock, who has none of his own yet."""
    prefix, suffix = worker_socket("\0").name.split("\0")
    with suppress(OSError):
        for path in sorted(runtime_directory().iterdir()):
            name = path.name.removeprefix(prefix).removesuffix(suffix)
            if path.name == f"{prefix}{name}{suffix}" and name and "@" not in name:
                yield LeftWorker((path, _record_of(path)), _process(_record_of(path)))


def _record_of(socket: Path) -> Path:
    return socket.with_suffix(".json")


def _process(record: Path) -> int | None:
    try:
        said = json.loads(record.read_text(encoding="utf-8"))
        pid, started = int(said["pid"]), said["started"]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    # Without its start time the number may be anybody's.
    return pid if started is not None and process_exists(pid) and process_start(pid) == started else None
