"""Finds the Blenders that have announced themselves: the descriptor files come and go, and so do their processes.

It looks a few times a second; a look costs some tens of microseconds. What is in the directory is believed as far as
the operating system vouches for it: the directory and the file are this user's alone, and the process lives that wrote
it. A file whose process is gone is removed, and its socket too; whatever else is wrong is complained of once and left
as it is. Links are not followed, and nothing is done to files of others.
"""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import psutil
import structlog
import trio

from blender_addon.descriptor import LARGEST, SUFFIX, Descriptor, parse, process_start, why_not_private, why_not_safe

log = structlog.get_logger(__name__)

INTERVAL = 0.25
MOST = 64

_REUSED_AFTER = 2.0
"""Seconds by which clocks and their rounding may differ where only the time of day says when a process began."""

Told = Callable[[Descriptor], None]


class _Entry(NamedTuple):
    signature: tuple[int, ...]
    descriptor: Descriptor


class Discovery:
    """Looks while `run` runs. `come`, `changed` (another file is open) and `gone` are told; they must not raise.

    `gone` gets the descriptor as it was last seen.
    """

    def __init__(self, directory: Path, *, come: Told, changed: Told, gone: Told) -> None:
        self._directory = directory
        self._come, self._changed, self._gone = come, changed, gone
        self._known: dict[str, _Entry] = {}
        self._complaints: dict[str, str] = {}

    async def run(self) -> None:
        """Look every INTERVAL seconds, until cancelled."""
        while True:
            self.look()
            await trio.sleep(INTERVAL)

    def look(self) -> None:
        """Compare what is announced now with what was."""
        found: dict[str, _Entry] = {}
        problems: dict[str, str] = {}
        for name in self._names(problems):
            try:
                entry = self._read(name)
            except ValueError as error:
                problems[name] = str(error)
            except OSError as error:
                # Gone between two looks, or a link; a link is what somebody has put there.
                if not isinstance(error, FileNotFoundError):
                    problems[name] = error.strerror or str(error)
            else:
                if is_alive(entry.descriptor):
                    found[name] = entry
                else:
                    self._clear(name, entry.descriptor)
        self._complain(problems)
        self._tell(found)

    def _names(self, problems: dict[str, str]) -> list[str]:
        try:
            problem = why_not_safe(str(self._directory))
            names = sorted(entry.name for entry in os.scandir(self._directory) if _is_ours(entry.name))
        except FileNotFoundError:
            return []
        except OSError as error:
            problem, names = error.strerror or str(error), []
        if problem is not None:
            problems["."] = problem
            return []
        if len(names) > MOST:
            problems[".."] = f"it holds {len(names)} descriptors, and {MOST} are looked at"
        return names[:MOST]

    def _read(self, name: str) -> _Entry:
        path = self._directory / name
        signature = _signature(path.lstat())
        known = self._known.get(name)
        if known is not None and known.signature == signature:
            return known
        # Neither a link is followed nor a pipe waited for.
        file = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
        try:
            opened = os.fstat(file)
            problem = why_not_private(opened, directory=False)
            if problem is not None:
                raise ValueError(problem)
            text = os.read(file, LARGEST + 1)
        finally:
            os.close(file)
        if len(text) > LARGEST:
            raise ValueError(f"it is larger than {LARGEST} bytes")
        return _Entry(_signature(opened), parse(text))

    def _clear(self, name: str, descriptor: Descriptor) -> None:
        log.info("removed the stale descriptor of a Blender that has ended", file=name, pid=descriptor.pid)
        with suppress(OSError):
            (self._directory / name).unlink()
        socket = self._directory / f"{name.removesuffix(SUFFIX)}.sock"
        with suppress(OSError):
            if stat.S_ISSOCK(socket.lstat().st_mode):
                socket.unlink()

    def _complain(self, problems: dict[str, str]) -> None:
        """Once for each file, and again only when it was gone or its fault was another."""
        for name, problem in problems.items():
            if self._complaints.get(name) != problem:
                path = self._directory if name.startswith(".") else self._directory / name
                log.warning("ignored what is no proper announcement of a Blender", path=str(path), problem=problem)
        self._complaints = problems

    def _tell(self, found: dict[str, _Entry]) -> None:
        before, self._known = self._known, found
        for name, entry in before.items():
            now = found.get(name)
            if now is None or now.descriptor.identity != entry.descriptor.identity:
                self._gone(entry.descriptor)
        for name, entry in found.items():
            old = before.get(name)
            if old is None or old.descriptor.identity != entry.descriptor.identity:
                self._come(entry.descriptor)
            elif old.descriptor != entry.descriptor:
                self._changed(entry.descriptor)


def is_alive(descriptor: Descriptor) -> bool:
    """Whether the process lives that wrote it, and is not a later one with the same pid."""
    if sys.platform == "linux":
        return descriptor.started is not None and process_start(descriptor.pid) == descriptor.started
    try:
        process = psutil.Process(descriptor.pid)
        if process.status() == psutil.STATUS_ZOMBIE:
            return False
        return process.create_time() <= descriptor.announced + _REUSED_AFTER
    except psutil.AccessDenied:
        return True
    except psutil.Error:
        return False


def _is_ours(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def _signature(found: os.stat_result) -> tuple[int, ...]:
    return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size
