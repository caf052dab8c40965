"""NAME for NAME-1 … NAME-N: a request for it goes to whichever is free first."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

import trio

from bridge import events
from bridge.connection import Connection
from bridge.errors import BlenderLost
from bridge.pool import Contest, Lease

from .instance import Instance

_KEYS = 8192
"""More than a Blender remembers itself, so that no repeat is sent to another member."""


class Group:
    """Instances of which any will do. The members share nothing but the name: each has a scene of its own."""

    def __init__(self, name: str, members: Sequence[Instance], emit: events.Emit = events.ignore) -> None:
        self.name = name
        self.members = tuple(members)
        self._contest: Contest[Connection] = Contest(name, emit)
        self._keys: OrderedDict[str, Instance] = OrderedDict()
        self._undecided: dict[str, trio.Event] = {}

    async def acquire(self, key: str | None = None, boot: str | None = None) -> tuple[Instance, Lease[Connection]]:
        """The member that is free first, and the lease of its connection, to be used as `Pool.acquire`'s.

        A key goes where it went before, even where that one is not free: only there it is known. A boot means the
        member that is that process. Cancelled, nothing is lost. Raises as Pool.acquire, and BlenderLost where no member
        is that process any more.
        """
        if boot is not None:
            member = self._member_of(boot)
            return member, await member.pool.acquire()
        if key is None:
            return await self._first()
        while (undecided := self._undecided.get(key)) is not None:
            await undecided.wait()
        known = self._keys.get(key)
        if known is not None:
            self._keys.move_to_end(key)
            return known, await known.pool.acquire()
        # A repeat that comes while this one waits must go to the same member, whichever that will be.
        decided = self._undecided[key] = trio.Event()
        try:
            member, lease = await self._first()
            self._keys[key] = member
            while len(self._keys) > _KEYS:
                self._keys.popitem(last=False)
        finally:
            del self._undecided[key]
            decided.set()
        return member, lease

    async def _first(self) -> tuple[Instance, Lease[Connection]]:
        asking = [member for member in self.members if not member.asleep()]
        if len(asking) < len(self.members) and all(_has_its_hands_full(member) for member in asking):
            # One more is woken by each request that finds all others busy: never more than are needed.
            asking.append(next(member for member in self.members if member.asleep()))
        pool, lease = await self._contest.acquire([member.pool for member in asking])
        return next(member for member in asking if member.pool is pool), lease

    def _member_of(self, boot: str) -> Instance:
        for member in self.members:
            if member.boot == boot:
                return member
        message = f"no Blender of {self.name} is the process {boot} any more"
        raise BlenderLost(message, data={"boot": boot, "nearest": [member.name for member in self.members]})


def _has_its_hands_full(member: Instance) -> bool:
    """It does something, is to do something, or cannot; one that is only not connected yet is free."""
    now = member.pool.statistics()
    cannot = now.state != "open" or (not now.live and now.last_error is not None)
    return bool(now.leased or now.waiting) or cannot
