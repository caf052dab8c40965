"""Who waits until a parked pool has no connection is told when it has none, and when that will not be."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from tests.bridge.pool.fakes import Endpoint, running


class Watcher:
    """Waits until the pool is drained; `state` is what it was told then."""

    def __init__(self, rig) -> None:
        self.state = ""
        rig.nursery.start_soon(self._watch, rig.pool)

    async def _watch(self, pool) -> None:
        self.state = (await pool.drained()).state


async def test_who_waits_for_the_drain_is_told_after_the_last_lease(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        first, second = await rig.client(), await rig.client()
        rig.pool.park()
        watchers = [Watcher(rig), Watcher(rig)]
        first.release()
        await wait_all_tasks_blocked()
        assert [watcher.state for watcher in watchers] == ["", ""]
        second.release()
        await wait_all_tasks_blocked()
        assert [watcher.state for watcher in watchers] == ["drained", "drained"]


async def test_and_after_the_last_connect_that_was_under_way(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), connect_timeout=3) as rig:
        (await rig.client()).cancel()
        rig.pool.park()
        watcher = Watcher(rig)
        await wait_all_tasks_blocked()
        assert watcher.state == ""
        await trio.sleep(3)
        await wait_all_tasks_blocked()
        assert watcher.state == "drained"


async def told_at(pool_class, act) -> str:
    """What who waits for the drain is told where that is done while a connection is lent."""
    async with running(pool_class, max_connections=1) as rig:
        await rig.client()
        rig.pool.park()
        watcher = Watcher(rig)
        await wait_all_tasks_blocked()
        act(rig.pool)
        await wait_all_tasks_blocked()
        return watcher.state


async def test_who_waits_for_the_drain_is_told_when_the_pool_is_resumed(pool_class, autojump_clock):
    assert await told_at(pool_class, lambda pool: pool.resume()) == "open"


async def test_and_when_it_is_closed(pool_class, autojump_clock):
    assert await told_at(pool_class, lambda pool: pool.close()) == "closing"


async def test_a_pool_that_is_not_parked_has_nothing_to_wait_for(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        assert (await rig.pool.drained()).state == "open"
