"""Where jobs are kept.

protocol    what every store can do
sqlite      a file of this bridge's own, the default
postgresql  a server that several bridges share; link, a connection that nothing waits for too long
opening     the URL → its store; address, what must not be shown of it
sql_store   each operation as one statement, whatever the database
statements  the SQL, in files of its own, and the numbered migrations
"""

from __future__ import annotations

from .opening import open_store
from .protocol import Store

__all__ = ["Store", "open_store"]
