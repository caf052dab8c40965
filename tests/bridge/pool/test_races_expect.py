"""Expect: who listens is on his way, and requests wait for him. Give up: nobody comes, and nobody waits in vain."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from bridge.errors import BlenderUnavailable
from tests.bridge.pool.fakes import running


async def test_while_somebody_is_expected_nothing_is_tried_and_nobody_is_refused(pool_class, autojump_clock):
    async with running(pool_class, unavailable_timeout=5.0) as rig:
        rig.pool.expect()
        waiters = [await rig.client(name) for name in ("a", "b")]
        await trio.sleep(100)
        assert all(waiter.waits for waiter in waiters)
        assert rig.endpoint.attempts == []
        rig.assert_sound()


async def test_once_he_has_arrived_they_are_served_in_their_order(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        rig.pool.expect()
        for name in ("a", "b"):
            await rig.client(name)
        await trio.sleep(100)
        rig.pool.arrived()
        await wait_all_tasks_blocked()
        assert rig.served == ["a"]
        next(client for client in rig.clients if client.holds).release()
        await wait_all_tasks_blocked()
        assert rig.served == ["a", "b"]
        rig.assert_sound()


async def test_given_up_those_who_wait_and_those_who_come_are_refused_at_once_with_the_cause(
    pool_class, autojump_clock
):
    async with running(pool_class) as rig:
        rig.pool.expect()
        waiting = await rig.client("waiting")
        began = trio.current_time()
        rig.pool.give_up("its worker is failed, for no luck")
        await wait_all_tasks_blocked()
        late = await rig.client("late")
        await wait_all_tasks_blocked()
        for client in (waiting, late):
            assert isinstance(client.error, BlenderUnavailable)
            assert "for no luck" in client.error.message
        assert trio.current_time() == began
        await trio.sleep(100)
        assert rig.endpoint.attempts == []
        rig.assert_sound()


async def test_after_a_new_start_it_serves_again(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        rig.pool.give_up("its worker is stopped")
        rig.pool.expect()
        client = await rig.client()
        rig.pool.arrived()
        await wait_all_tasks_blocked()
        assert client.holds
        rig.assert_sound()
