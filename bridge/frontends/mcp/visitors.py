"""Whose a request over HTTP is: a session's in the era that has them, else the client's of that name.

A session ends when it is told to. A name has no end: who has not come for long is a new one of that name.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from collections.abc import Mapping

import trio

from .catalogue import Meant
from .client import Client, Shared
from .context import Context
from .profiles import mistake

_MOST = 256


class Visitors:
    """The clients that come over HTTP, the last 256. A query may tell two of one name apart: `?client=…`.

    A name that has neither asked nor listened for `forgotten_after` seconds is forgotten.
    """

    def __init__(self, shared: Shared, *, forgotten_after: float) -> None:
        self._shared = shared
        self._forgotten_after = forgotten_after
        self._ids = itertools.count(1)
        self._clients: OrderedDict[tuple[str, ...], tuple[Client, float]] = OrderedDict()

    def client_of(self, context: Context) -> Client:
        """The client that asks."""
        key, tools, instance = _who(context)
        now = trio.current_time()
        client, seen = self._clients.get(key, (None, now))
        if client is None or (seen < now - self._forgotten_after and not _lasts(key, client)):
            self._drop(key)
            client = Client(f"h{next(self._ids)}", self._shared, tools=tools, instance=instance)
            self._shared.catalogue.follow(client)
        self._clients[key] = client, now
        self._clients.move_to_end(key)
        if len(self._clients) > _MOST:
            self._drop(next(iter(self._clients)))
        return client

    async def mistake(self, query: Mapping[str, str]) -> str | None:
        """What is wrong with the tools that an address asks for; None also while no Blender can say what it has."""
        tools, instance = _chosen(query)
        meant, catalogue = Meant.of(instance), self._shared.catalogue
        known = mistake(tools, catalogue.known(meant).families)
        if known is None or not self._shared.service.status.readiness().ready:
            return None
        return mistake(tools, (await catalogue.now(meant)).families)

    def forget(self, session: str) -> None:
        """That session has ended; "" is none."""
        for key in [key for key in self._clients if session and key[0] == session]:
            self._drop(key)

    def _drop(self, key: tuple[str, ...]) -> None:
        if key in self._clients:
            self._shared.catalogue.unfollow(self._clients.pop(key)[0])

    def end_streams(self) -> None:
        """End what they listen to, in order."""
        for client, _ in self._clients.values():
            client.listen.close()

    def cancel(self) -> None:
        """Have what they all run end now."""
        for client, _ in self._clients.values():
            client.cancel()


def _lasts(key: tuple[str, ...], client: Client) -> bool:
    session, *_ = key
    return bool(session or client.in_flight or client.listening)


def _who(context: Context) -> tuple[tuple[str, ...], str, str | None]:
    request, params = context.request, context.session.client_params
    query = {} if request is None else request.query_params
    tools, instance = _chosen(query)
    session = "" if request is None else request.headers.get("mcp-session-id", "")
    name = "" if session or params is None else f"{params.client_info.name} {params.client_info.version}"
    return (session, name, query.get("client", ""), tools, instance or ""), tools, instance


def _chosen(query: Mapping[str, str]) -> tuple[str, str | None]:
    return query.get("tools") or "core", query.get("instance") or None
