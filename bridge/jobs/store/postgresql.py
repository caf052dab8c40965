"""Jobs in PostgreSQL: several bridges, one queue.

Who owns a job has a lease, judged by the server's clock alone, and extends it by heartbeats. A namespace is a schema of
its own. Synchronous psycopg, since its asynchronous side needs asyncio: who runs on trio calls this in threads.
"""

from __future__ import annotations

import threading
from typing import Any

import psycopg
from psycopg import conninfo, sql
from psycopg.rows import dict_row
from psycopg.types.string import TextLoader

from bridge.errors import ConfigurationError, StoreUnavailable, Unstorable

from .address import SPECIAL, passwords, without, without_quotes
from .link import Connection, Link, Watch
from .sql_store import Parameters, Row
from .statements import migrations

_CONNECT_TIMEOUT = 5
_STATEMENT_TIMEOUT_MS = 10_000
_NEEDS = "write postgresql://user:password@host:5432/database"


class PostgresqlServer:
    """One schema of one database. Raises ConfigurationError where it cannot be used as the URL says.

    A connection that was lost is made anew by the next statement.
    """

    def __init__(self, url: str, *, namespace: str) -> None:
        self._server = _Server(url, namespace)
        self._namespace = namespace
        self._lock = threading.Lock()
        self._closed = False
        self._link: Link | None = None
        try:
            link = self._server.connect()
        except psycopg.Error as error:
            # Without the cause: its text is not ours to vouch for.
            raise ConfigurationError(f"jobs.url: PostgreSQL cannot be used: {self._server.said(error)}") from None
        try:
            _migrate(link.connection, namespace)
        except psycopg.Error as error:
            link.close()
            said = f"the schema {namespace!r} of PostgreSQL cannot be used: {self._server.said(error)}"
            raise ConfigurationError(f"jobs.namespace: {said}") from None
        except BaseException:
            link.close()
            raise
        self._link = link
        self._watch = Watch()

    def run(self, sql: str, values: Parameters) -> list[Row]:
        """The statement's rows. Raises StoreUnavailable, Unstorable."""
        with self._lock:
            link = None
            try:
                link = self._link = self._link or self._connected()
                with self._watch.over(link) as connection:
                    cursor = connection.execute(sql.encode(), values)
                return [*cursor.fetchall()] if cursor.description is not None else []
            except (psycopg.DataError, psycopg.IntegrityError, UnicodeEncodeError) as error:
                raise Unstorable(f"PostgreSQL does not take it: {self._server.said(error)}") from None
            except psycopg.Error as error:
                # Whatever it is, it ends with the connection: also a plan that another version's schema broke.
                if link is not None:
                    link.close()
                self._link = None
                raise StoreUnavailable(f"PostgreSQL cannot be used: {self._server.said(error)}") from None

    def listen(self) -> PostgresqlChanges:
        """A connection of its own that tells of changes. Raises StoreUnavailable."""
        link = None
        try:
            link = self._connected()
            with self._watch.over(link) as connection:
                connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(f"jobs:{self._namespace}")))
            return PostgresqlChanges(link)
        except psycopg.Error as error:
            if link is not None:
                link.close()
            raise StoreUnavailable(f"PostgreSQL cannot be used: {self._server.said(error)}") from None

    def close(self) -> None:
        """Let go of the server, whatever is being asked of it."""
        self._closed = True
        self._watch.close()
        with self._lock:
            if self._link is not None:
                self._link.close()
                self._link = None

    def _connected(self) -> Link:
        if self._closed:
            raise StoreUnavailable("the jobs' store is closed")
        return self._server.connect()


class PostgresqlChanges:
    """What PostgreSQL notifies of: `fileno` is readable where there is something, `heard` tells what."""

    def __init__(self, link: Link) -> None:
        self._link = link
        # A connection that is lost does not tell it any more, and it has to be let go of.
        self._fileno = link.connection.fileno()

    def fileno(self) -> int:
        """The socket, to wait for."""
        return self._fileno

    def heard(self) -> set[str]:
        """What has been told since: `pending`, `cancel`. Never waits. Raises StoreUnavailable."""
        try:
            return {notified.payload for notified in self._link.connection.notifies(timeout=0)}
        except psycopg.Error as error:
            raise StoreUnavailable(f"PostgreSQL tells no more of changes: {' '.join(str(error).split())}") from None

    def close(self) -> None:
        """Listen no more."""
        self._link.close()


class _Server:
    """Where it is, and with what password, which nobody gets to see. Raises ConfigurationError for what is no URL."""

    def __init__(self, url: str, namespace: str) -> None:
        try:
            parts: dict[str, Any] = conninfo.conninfo_to_dict(url)
        except psycopg.Error as error:
            said = without_quotes(str(error))
            raise ConfigurationError(f"jobs.url: it is no PostgreSQL URL ({said}): {_NEEDS}; {SPECIAL}") from None
        port, database = str(parts.get("port", "")), str(parts.get("dbname", ""))
        if not port.replace(",", "").isdecimal() and port:
            raise ConfigurationError(f"jobs.url: its port is no number: {_NEEDS}; {SPECIAL}")
        if "@" in database:
            raise ConfigurationError(f"jobs.url: its database has an @ in its name: {_NEEDS}; {SPECIAL}")
        self._url = url
        self._secrets = passwords(url)
        self._schema = sql.Identifier(namespace).as_string()

    def connect(self) -> Link:
        """A new connection. Raises psycopg.Error."""
        connection = psycopg.connect(
            self._url,
            autocommit=True,
            row_factory=dict_row,
            connect_timeout=_CONNECT_TIMEOUT,
            application_name="bpy-bridge",
            client_encoding="utf8",
            options=f"-c statement_timeout={_STATEMENT_TIMEOUT_MS} -c search_path={self._schema}",
            keepalives=1,
            keepalives_idle=10,
            keepalives_interval=5,
            keepalives_count=3,
            tcp_user_timeout=15_000,
        )
        connection.adapters.register_loader("json", TextLoader)
        return Link(connection)

    def said(self, error: Exception) -> str:
        """The error on one line, without the password."""
        return without(str(error), self._secrets) or type(error).__name__


def _migrate(connection: Connection, namespace: str) -> None:
    """Bring the schema up to date; bridges that start together take turns. Raises ConfigurationError if it is newer."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"bpy-bridge jobs {namespace}"])
        # Whose schema was made for them may not be allowed to make one.
        if not connection.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", [namespace]).fetchall():
            connection.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(namespace)))
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
