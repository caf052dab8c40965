"""The URL of the jobs → their store."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bridge.errors import ConfigurationError

from .protocol import Store
from .sql_store import SqlStore

_EXAMPLES = "sqlite:///absolute/path/jobs.sqlite or postgresql://user:password@host:5432/database"


def open_store(url: str, *, namespace: str) -> Store:
    """Open it; its schema is made or brought up to date. Raises ConfigurationError, one line without the password."""
    parts = urlsplit(url)
    if parts.scheme == "sqlite":
        from .sqlite import SqliteFile  # noqa: PLC0415  # the store that is used, alone

        if parts.netloc or not parts.path.startswith("/"):
            raise ConfigurationError(f"jobs.url: {hidden(url)!r} is no sqlite URL: write {_EXAMPLES}")
        return SqlStore(SqliteFile(Path(parts.path)), "sqlite", shared=False)
    if parts.scheme in ("postgresql", "postgres"):
        try:
            from .postgresql import PostgresqlServer  # noqa: PLC0415  # psycopg is an extra
        except ImportError as error:
            raise ConfigurationError(
                f"jobs.url: PostgreSQL needs psycopg: pip install 'bpy-bridge[postgresql]' ({error})"
            ) from error
        return SqlStore(PostgresqlServer(url, namespace=namespace), "postgresql", shared=True)
    raise ConfigurationError(f"jobs.url: {hidden(url)!r} is no URL of a store: write {_EXAMPLES}")


def hidden(url: str) -> str:
    """The URL without its password, for people's eyes."""
    parts = urlsplit(url)
    if parts.password is None:
        return url
    user = f"{parts.username or ''}:***@"
    return urlunsplit(parts._replace(netloc=user + parts.netloc.rpartition("@")[2]))
