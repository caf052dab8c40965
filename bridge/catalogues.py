"""What each Blender can be asked to do, kept for as long as it is true.

A Blender process is told by its boot, and what it has by a revision: that is another one once a second add-on has
registered commands there, or has withdrawn them. So each question for the commands is asked with the revision that is
known, and mostly answered with it alone.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import trio

from blender_addon.commands import CATALOGUE
from blender_addon.wire import Fault, Request

from . import protocol
from .connection import Reply
from .errors import BlenderLost, RequestError, error_from_fault
from .fleet import Instance

Commands = list[dict[str, Any]]
Ask = Callable[[Request, bytes], Awaitable[Reply]]
"""Does a request in Blender; the reply is dropped by who asked. Raises RequestError."""

_DEADLINE = 5.0


class _Kept(NamedTuple):
    """What a process had; `revision` is None where it tells none, `at` the Unix time when it was asked."""

    boot: str | None
    revision: str | None
    commands: Commands
    at: float


class Catalogues:
    """Every instance's commands."""

    def __init__(self, ask: Ask) -> None:
        self._ask = ask
        self._kept: dict[str, _Kept] = {}

    def known(self, instance: Instance) -> Commands:
        """Those of the process behind it as far as they are known without asking; none where they are out of date."""
        kept = self._of_this_process(instance)
        if kept is None:
            return []
        health = instance.health.latest.value
        newer = health.blender is not None and (health.checked_at or 0.0) > kept.at
        told = health.blender.get("catalogue") if newer and health.blender is not None else None
        return [] if told is not None and told != kept.revision else kept.commands

    async def of(self, instance: Instance, deadline: float) -> Commands:
        """Those that it has now, by `deadline` on trio's clock.

        The packaged ones where no connection is open. Raises RequestError where it does not tell.
        """
        kept = self._of_this_process(instance)
        statistics = instance.pool.statistics()
        if kept is not None and (kept.revision is None or not statistics.live or instance.pool.would_wait):
            return kept.commands
        if not statistics.live:
            return CATALOGUE.describe()
        # Half of what is left: the other half is for the answer without it.
        patience = min(_DEADLINE, max(0.001, (deadline - trio.current_time()) / 2))
        try:
            found = await self._describe(instance, patience, kept)
        except RequestError:
            if kept is None:
                raise
            return kept.commands
        self._kept[instance.name] = found
        return found.commands

    def _of_this_process(self, instance: Instance) -> _Kept | None:
        kept = self._kept.get(instance.name)
        return kept if kept is not None and kept.boot is not None and kept.boot == instance.boot else None

    async def _describe(self, instance: Instance, patience: float, kept: _Kept | None) -> _Kept:
        # An older add-on refuses a parameter that it does not know, and tells no revision either.
        params = {} if kept is None else {"known": kept.revision}
        request = Request("describe", "addon.describe", patience, instance.name)
        reply = await self._ask(request, protocol.json_bytes(params))
        try:
            described = protocol.json_value(reply.payload)
            if not reply.ok:
                raise error_from_fault(Fault.from_object(described))
            revision = described.get("revision")
            unchanged = kept is not None and reply.boot == kept.boot and revision == kept.revision
            commands = kept.commands if kept is not None and unchanged else list(described["methods"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise BlenderLost(f"{instance.name} did not describe its commands") from error
        finally:
            reply.drop()
        return _Kept(reply.boot, revision, commands, time.time())
