"""Jobs in an SQLite file, one bridge's own.

One connection behind a lock: before 3.51.3 SQLite may lose what several connections write (its WAL-reset bug), so a
lock file keeps every second bridge out, and SQLite's own exclusive lock whoever comes another way. WAL with
synchronous=FULL: a job that was accepted survives a power failure.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from bridge.errors import ConfigurationError, StoreUnavailable, Unstorable
from bridge.paths import Lock, holder

from .sql_store import Parameters, Row
from .statements import migrations, statements

_BUSY_TIMEOUT = 2.0
_CLOCK_SLACK = 1.0


class SqliteFile:
    """One file. Raises ConfigurationError where it cannot be had, or another process has it."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        path = path.resolve()
        self._clock = clock
        self._latest = clock()
        self._lock = threading.Lock()
        self._file_lock = _take(path)
        try:
            self._connection = _open(path, self._latest)
        except BaseException:
            self._file_lock.release()
            raise

    def run(self, sql: str, values: Parameters) -> list[Row]:
        """The statement's rows; `now` is given to each statement. Raises StoreUnavailable, Unstorable."""
        with self._lock:
            try:
                # All rows are fetched before the next statement: until then the transaction is open.
                rows: list[Row] = self._connection.execute(sql, {**values, "now": self._now()}).fetchall()
            except (UnicodeEncodeError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError) as error:
                raise Unstorable(f"SQLite does not take it: {error}") from error
            except sqlite3.Error as error:
                with suppress(sqlite3.Error):
                    self._connection.rollback()
                raise StoreUnavailable(f"the jobs' file cannot be used: {error}") from error
        return rows

    def listen(self) -> NoReturn:
        """Nobody else can change anything here."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it, and let another process have it."""
        with self._lock:
            self._connection.close()
            self._file_lock.release()

    def _now(self) -> float:
        now = self._clock()
        if now < self._latest - _CLOCK_SLACK:
            _repair(self._connection, now)
        self._latest = now
        return now


def _take(path: Path) -> Lock:
    lock_path = path.with_name(path.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise ConfigurationError(
            f"jobs.url: {path.parent} cannot be made for the jobs' file: {error.strerror}"
        ) from error
    lock = Lock.take(lock_path)
    if lock is None:
        pid = holder(lock_path)
        other = f"process {pid}" if pid else "another process"
        raise ConfigurationError(
            f"jobs.url: the jobs' file {path} is in use by {other}: one bridge at a time may use it; give this one a "
            "file of its own, or both PostgreSQL"
        )
    return lock


def _open(path: Path, now: float) -> sqlite3.Connection:
    connection = None
    # Nobody else's business: what jobs are given may be private.
    with suppress(OSError):
        path.touch(mode=0o600)
    try:
        connection = sqlite3.connect(
            path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=64
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        _migrate(connection, path)
        _repair(connection, now)
    except (sqlite3.Error, ConfigurationError) as error:
        if connection is not None:
            connection.close()
        if isinstance(error, ConfigurationError):
            raise
        raise ConfigurationError(
            f"jobs.url: the jobs' file {path} cannot be used: {error}; move it away or mend it"
        ) from error
    return connection


def _migrate(connection: sqlite3.Connection, path: Path) -> None:
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    steps = migrations("sqlite")
    if version > steps[-1].number:
        raise ConfigurationError(
            f"jobs.url: the jobs' file {path} is a newer bpy-bridge's (schema {version}): update this one"
        )
    for step in steps:
        if step.number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{step.sql}\nPRAGMA user_version = {step.number};\nCOMMIT;")


def _repair(connection: sqlite3.Connection, now: float) -> None:
    connection.execute(statements("sqlite").clock_went_back, {"now": now}).fetchall()
