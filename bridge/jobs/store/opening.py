"""The URL of the jobs → their store."""

from __future__ import annotations

from pathlib import Path

from bridge.errors import ConfigurationError

from .protocol import Store
from .sql_store import SqlStore

_EXAMPLES = "sqlite:///absolute/path/jobs.sqlite, postgresql://user:password@host:5432/database, or off"


def open_store(url: str, *, namespace: str) -> Store:
    """Open it; its schema is made or brought up to date. Raises ConfigurationError, one line without the password."""
    scheme, separator, rest = url.partition("://")
    if scheme == "sqlite" and separator:
        from .sqlite import SqliteFile  # noqa: PLC0415  # the store that is used, alone

        if not rest.startswith("/"):
            raise ConfigurationError(f"jobs.url: it names no absolute path: write {_EXAMPLES}")
        return SqlStore(SqliteFile(Path(rest)), "sqlite", shared=False)
    if scheme in ("postgresql", "postgres") and separator:
        try:
            from .postgresql import PostgresqlServer  # noqa: PLC0415  # psycopg is an extra
        except ImportError as error:
            raise ConfigurationError(
                f"jobs.url: PostgreSQL needs psycopg: pip install 'bpy-bridge[postgresql]' ({error})"
            ) from error
        return SqlStore(PostgresqlServer(url, namespace=namespace), "postgresql", shared=True)
    if not url.strip():
        raise ConfigurationError(f"jobs.url: it is empty: write {_EXAMPLES}")
    # Nothing of it is repeated: a URL that is mistyped may have its password anywhere.
    raise ConfigurationError(f"jobs.url: it begins with none of sqlite:// and postgresql://: write {_EXAMPLES}")
