"""What each client's Blender can be asked to do: told at once, asked for in the background, watched for changes.

Nobody waits for Blender here for longer than 50 ms: what is known is told, and who was told too early hears of it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

import trio

from blender_addon.commands import CATALOGUE as PACKAGED
from bridge.errors import RequestError
from bridge.fleet import Affinity
from bridge.methods import CATALOGUE as OWN
from bridge.service import Service

from .tools import Tool, Tools

Commands = list[dict[str, Any]]
Key = TypeVar("Key")
Value = TypeVar("Value")

_PATIENCE = 0.05
_INTERVAL = 2.0
_DEADLINE = 5.0
_MOST_KEPT = 64
_UNTIL_BLENDER_TELLS = 3.0
_BETWEEN_LOOKS = 0.1


class Meant(NamedTuple):
    """The Blender that a client means: one by name, or where its requests without a name go."""

    instance: str | None
    affinity: Affinity

    @classmethod
    def of(cls, instance: str | None) -> Meant:
        """By who has asked for nothing yet."""
        return cls(instance, Affinity())


class Follower(Protocol):
    """Who is told that the list of tools is another one."""

    meant: Meant
    selection: str
    listed: list[Tool] | None

    async def tools_changed(self) -> None:
        """Tell the client."""


class Catalogue:
    """All clients' tools. `run` it while it is asked."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._packaged = Tools(_with_own(PACKAGED.describe()))
        self._known: dict[str | None, Tools] = {}
        self._made: dict[int, tuple[Commands, Tools]] = {}
        self._asking: dict[str | None, trio.Event] = {}
        self._followers: dict[Follower, None] = {}
        self._telling: set[Follower] = set()
        self._nursery: trio.Nursery | None = None

    async def run(self) -> None:
        """Ask and watch until cancelled."""
        async with trio.open_nursery() as self._nursery:
            while True:
                await trio.sleep(_INTERVAL)
                for follower in self._followers:
                    if follower.listed is not None and follower not in self._telling:
                        self._nursery.start_soon(self._look, follower)

    def known(self, meant: Meant) -> Tools:
        """What that Blender said last; what is packaged where it has said nothing yet."""
        return self._known.get(self._whom(meant), self._packaged)

    async def now(self, meant: Meant) -> Tools:
        """What that Blender can do now, or `known` where it does not say so within 50 ms."""
        with trio.move_on_after(_PATIENCE):
            await self._asked(meant).wait()
        return self.known(meant)

    async def complete(self, meant: Meant, enough: Callable[[Tools], bool]) -> Tools:
        """The tools that are `enough`; else all that there are, for which a Blender that starts is waited for.

        Three seconds at most.
        """
        with trio.move_on_after(_UNTIL_BLENDER_TELLS):
            while not enough(self.known(meant)):
                ready = self._is_ready(meant)
                await self._asked(meant).wait()
                if ready:
                    break
                await trio.sleep(_BETWEEN_LOOKS)
        return self.known(meant)

    def _is_ready(self, meant: Meant) -> bool:
        ready, _, instances = self._service.status.readiness()
        whom = self._whom(meant)
        return instances[whom] is None if whom in instances else ready

    def _whom(self, meant: Meant) -> str | None:
        return self._service.whom(meant.instance, meant.affinity)

    def follow(self, follower: Follower) -> None:
        """From now on the follower is told when what it has `listed` is not so any more."""
        self._followers[follower] = None

    def unfollow(self, follower: Follower) -> None:
        """It is told nothing any more."""
        self._followers.pop(follower, None)

    def _asked(self, meant: Meant) -> trio.Event:
        """Set once the question that is on its way, or this one, is answered."""
        key = self._whom(meant)
        asked = self._asking.get(key)
        if asked is None:
            asked = self._asking[key] = trio.Event()
            if self._nursery is not None:
                self._nursery.start_soon(partial(self._ask, meant, key, asked))
        return asked

    async def _ask(self, meant: Meant, key: str | None, asked: trio.Event) -> None:
        try:
            deadline = trio.current_time() + _DEADLINE
            commands = await self._service.commands(meant.instance, meant.affinity, deadline)
            self._known = {**_latest(self._known), key: self._tools(commands)}
        except RequestError:
            # There is no such Blender: requests for it say so.
            self._known.pop(key, None)
        finally:
            del self._asking[key]
            asked.set()

    def _tools(self, commands: Commands) -> Tools:
        """One for all whose commands are the same list."""
        made = self._made.get(id(commands))
        if made is None:
            made = commands, Tools(_with_own(commands))
            self._made = {**_latest(self._made), id(commands): made}
        return made[1]

    async def _look(self, follower: Follower) -> None:
        self._telling.add(follower)
        try:
            await self._asked(follower.meant).wait()
            listed = self.known(follower.meant).listed(follower.selection)
            if listed != follower.listed and follower in self._followers:
                follower.listed = listed
                await follower.tools_changed()
        finally:
            self._telling.discard(follower)


def _latest(kept: dict[Key, Value]) -> dict[Key, Value]:
    return dict(list(kept.items())[-_MOST_KEPT:])


def _with_own(commands: Commands) -> Commands:
    return sorted([*OWN.describe(), *commands], key=lambda entry: str(entry["name"]))
