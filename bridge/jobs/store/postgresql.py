"""Jobs in PostgreSQL: several bridges, one queue.

Who owns a job has a lease, judged by the server's clock alone, and extends it by heartbeats. A namespace is a schema of
its own. Synchronous psycopg, since its asynchronous side needs asyncio: who runs on trio calls this in threads.
"""

from __future__ import annotations

import threading
from contextlib import suppress

import psycopg
from psycopg import sql
from psycopg.rows import DictRow, dict_row

from bridge.errors import ConfigurationError, StoreUnavailable

from .sql_store import Parameters, Row
from .statements import migrations

_CONNECT_TIMEOUT = 5
_STATEMENT_TIMEOUT_MS = 30_000

Connection = psycopg.Connection[DictRow]


class PostgresqlServer:
    """One schema of one database. Raises ConfigurationError where it cannot be used as the URL says.

    A connection that was lost is made anew by the next statement.
    """

    def __init__(self, url: str, *, namespace: str) -> None:
        self._url = url
        self._namespace = namespace
        self._lock = threading.Lock()
        try:
            self._connection: Connection | None = _connect(url, namespace)
            _migrate(self._connection, namespace)
        except (psycopg.Error, ValueError) as error:
            raise ConfigurationError(f"jobs.url: PostgreSQL cannot be used: {_in_one_line(error)}") from error

    def run(self, sql: str, values: Parameters) -> list[Row]:
        """The statement's rows. Raises StoreUnavailable."""
        with self._lock:
            try:
                if self._connection is None:
                    self._connection = _connect(self._url, self._namespace)
                cursor = self._connection.execute(sql.encode(), values)
                return [*cursor.fetchall()] if cursor.description is not None else []
            except psycopg.Error as error:
                if self._connection is not None and (self._connection.closed or isinstance(error, _GONE)):
                    with suppress(psycopg.Error):
                        self._connection.close()
                    self._connection = None
                raise StoreUnavailable(f"PostgreSQL cannot be used: {_in_one_line(error)}") from error

    def listen(self) -> PostgresqlChanges:
        """A connection of its own that tells of changes. Raises StoreUnavailable."""
        try:
            return PostgresqlChanges(_connect(self._url, self._namespace), self._namespace)
        except psycopg.Error as error:
            raise StoreUnavailable(f"PostgreSQL cannot be used: {_in_one_line(error)}") from error

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._connection is not None:
                self._connection.close()
                self._connection = None


_GONE = (psycopg.OperationalError, psycopg.InterfaceError)


class PostgresqlChanges:
    """What PostgreSQL notifies of: `fileno` is readable where there is something, `heard` tells what."""

    def __init__(self, connection: Connection, namespace: str) -> None:
        self._connection = connection
        connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(f"jobs:{namespace}")))

    def fileno(self) -> int:
        """The socket, to wait for."""
        return self._connection.fileno()

    def heard(self) -> set[str]:
        """What has been told since: `pending`, `cancel`. Never waits. Raises StoreUnavailable."""
        try:
            return {notified.payload for notified in self._connection.notifies(timeout=0)}
        except psycopg.Error as error:
            raise StoreUnavailable(f"PostgreSQL cannot be used: {_in_one_line(error)}") from error

    def close(self) -> None:
        """Listen no more."""
        self._connection.close()


def _connect(url: str, namespace: str) -> Connection:
    schema = sql.Identifier(namespace).as_string()
    return psycopg.connect(
        url,
        autocommit=True,
        row_factory=dict_row,
        connect_timeout=_CONNECT_TIMEOUT,
        application_name="bpy-bridge",
        options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c search_path={schema}",
        keepalives_idle=10,
        keepalives_interval=5,
        keepalives_count=3,
        tcp_user_timeout=20_000,
    )


def _migrate(connection: Connection, namespace: str) -> None:
    """Bring the schema up to date; bridges that start together take turns."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"bpy-bridge jobs {namespace}"])
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(namespace)))
        connection.execute("CREATE TABLE IF NOT EXISTS migration (number integer PRIMARY KEY)")
        done = {row["number"] for row in connection.execute("SELECT number FROM migration")}
        steps = migrations("postgresql")
        if max(done, default=0) > steps[-1].number:
            found = f"the schema {namespace!r} is a newer bpy-bridge's ({max(done)}): update this one"
            raise ConfigurationError(f"jobs.url: {found}")
        for step in steps:
            if step.number not in done:
                connection.execute(step.sql.encode())
                connection.execute("INSERT INTO migration VALUES (%s)", [step.number])


def _in_one_line(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__
