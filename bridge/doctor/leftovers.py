"""What processes that were killed left in our own directories. Nothing is removed here."""

from __future__ import annotations

import json
import re
import shlex
import stat
import time
from collections.abc import Iterator
from pathlib import Path

from bridge import paths

from .addresses import answers
from .finding import Finding, ok, warning
from .place import Place

_JUST_NOW = 5.0
_TEMPORARY = re.compile(r"\..+-(\d+)-[0-9a-f]{8}")


def leftovers(_place: Place, *, just_now: float = _JUST_NOW) -> Iterator[Finding]:
    """Sockets that nobody listens at, records and half-written files of processes that are gone."""
    found = False
    for path in _files(paths.runtime_directory()):
        why = _stale(path, just_now)
        if why:
            found = True
            yield warning(f"{path} is left over: {why}", f"rm {shlex.quote(str(path))}")
    if not found:
        yield ok(f"nothing is left over in {paths.runtime_directory()}")


def _files(directory: Path) -> Iterator[Path]:
    if not directory.is_dir():
        return
    for path in sorted(directory.iterdir()):
        if path.is_symlink():
            continue
        if path.is_dir():
            yield from (inner for inner in sorted(path.iterdir()) if not inner.is_symlink() and not inner.is_dir())
        else:
            yield path


def _stale(path: Path, just_now: float) -> str:
    """Why; empty where it is in use, is no file of ours, is being written, or goes away meanwhile."""
    try:
        status = path.stat()
        if time.time() - status.st_mtime < just_now:
            return ""
        if stat.S_ISSOCK(status.st_mode):
            return "" if answers(path) else "nobody listens at this socket"
        if half := _TEMPORARY.fullmatch(path.name):
            return "" if paths.process_exists(int(half[1])) else f"process {half[1]} ended while it wrote it"
        return _of_the_dead(path) if path.suffix == ".json" else ""
    except OSError:
        return ""


def _of_the_dead(path: Path) -> str:
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        return ""
    pid = record.get("pid") if isinstance(record, dict) else None
    if not isinstance(pid, int):
        return ""
    if not paths.process_exists(pid):
        return f"its process {pid} has ended"
    known = paths.read_record() if path == paths.record_file() else None
    if known is not None and not known.is_current():
        return f"its process {pid} has ended, and another has that number now"
    return ""
