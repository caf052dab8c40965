"""A request's context, and whose it is."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

from mcp.server import Server
from mcp.server.context import ServerRequestContext

from .client import Client

Whose = Callable[["Context"], Client]
"""Says which client a request's context belongs to; on a socket all belong to one."""
Context = ServerRequestContext[Whose]
Lifespan = Callable[[Server[Any]], AbstractAsyncContextManager[Whose]]


def client_of(context: Context) -> Client:
    """The client whose request this is."""
    return context.lifespan_context(context)
