"""What tool authors import: a blocking client and an async one.

exchange      what both say and understand: a call as one frame, an answer as a result or an error
backoff       when to try again
link          one blocking connection
blocking      Client, on link; standard library only
multiplex     one connection that many calls share
asynchronous  AsyncClient, on multiplex; anyio, so for asyncio and trio

Names are imported when they are first asked for: a tool that uses the blocking client never imports anyio.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .asynchronous import AsyncClient
    from .blocking import Client
    from .exchange import Result

__all__ = ["AsyncClient", "Client", "Result"]

_HOMES = {"AsyncClient": "asynchronous", "Client": "blocking", "Result": "exchange"}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
