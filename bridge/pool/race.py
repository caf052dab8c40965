"""One acquirer that waits in the queues of several pools at once, and gets the first connection that is free."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Generic

import trio

from bridge import events
from bridge.errors import Busy, RequestError

from .lease import C, Lease
from .pool import Pool
from .work import Race


class Contest(Generic[C]):
    """Pools of which any will do. Who asks takes a place in each one's queue, and leaves all with the first lease.

    So requests for whichever is free first are served in their order, and in the order of arrival with those for one
    pool alone: neither kind can starve the other. Free is a pool that has nothing lent: its Blender does one thing at
    a time, and would only keep a second request in a queue of its own.
    """

    def __init__(self, name: str, emit: events.Emit = events.ignore) -> None:
        self.name = name
        self._emit = emit

    async def acquire(self, pools: Sequence[Pool[C]]) -> tuple[Pool[C], Lease[C]]:
        """The first that is free, and the lease of its connection, to be used as `Pool.acquire`'s.

        Cancelled while waiting, it leaves every queue and nothing is lost. A pool that refuses counts no longer; it
        raises what the last one refuses with, Busy before all else where none took it in.
        """
        await trio.lowlevel.checkpoint_if_cancelled()
        caller = sys._getframe(1)  # noqa: SLF001  # as in Pool.acquire
        race: Race = Race(trio.lowlevel.current_task(), (caller.f_code, caller.f_lasti), trio.current_time())
        refusals: list[RequestError] = []
        # A free one is asked first: its lease comes before any queue.
        for pool in sorted(pools, key=lambda pool: pool.occupied):
            try:
                lease = pool.enter(race)
            except RequestError as error:
                refusals.append(error)
                continue
            if lease is not None:
                return pool, lease
        if not race.queues:
            raise next((error for error in refusals if isinstance(error, Busy)), refusals[0])

        def leave(_: object) -> trio.lowlevel.Abort:
            race.end()
            return trio.lowlevel.Abort.SUCCEEDED

        try:
            lease = await trio.lowlevel.wait_task_rescheduled(leave)
        except trio.Cancelled as cancelled:
            outcome: events.AcquireOutcome = "timeout" if cancelled.source == "deadline" else "cancelled"
            self._emit(events.LeaseRefused(self.name, outcome, trio.current_time() - race.since))
            raise
        return next(pool for pool in pools if pool.name == race.winner), lease
