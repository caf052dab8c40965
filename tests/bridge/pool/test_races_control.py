"""Drain, close, resize, reconnect, and a run that is cancelled."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from bridge.errors import PoolMisuse, ShuttingDown
from tests.bridge.pool.fakes import Endpoint, running


async def test_race_19_shrink_then_grow_and_the_counts_agree(pool_class, autojump_clock):
    async with running(pool_class, max_connections=4) as rig:
        holders = [await rig.client() for _ in range(4)]
        holders[0].release()
        rig.pool.resize(1)
        waiters = [await rig.client() for _ in range(3)]
        holders[1].release()
        await wait_all_tasks_blocked()
        assert all(waiter.waits for waiter in waiters)
        assert rig.pool.statistics().live == 2
        rig.pool.resize(3)
        await wait_all_tasks_blocked()
        assert [waiter.holds for waiter in waiters] == [True, False, False]
        assert rig.pool.statistics().live == 3
        for holder in holders[2:]:
            holder.release()
        await wait_all_tasks_blocked()
        assert all(waiter.holds for waiter in waiters)
        assert rig.pool.statistics().live == 3
        rig.assert_sound()


async def test_surplus_idle_connections_close_when_the_pool_shrinks(pool_class, autojump_clock):
    async with running(pool_class, max_connections=4) as rig:
        for client in [await rig.client() for _ in range(4)]:
            client.release()
        rig.pool.resize(1)
        await wait_all_tasks_blocked()
        assert len(rig.endpoint.open) == 1
        assert rig.events_of(events.ConnectionDiscarded) == [events.ConnectionDiscarded("blender", "surplus")] * 3


async def test_a_connect_that_is_under_way_when_the_pool_shrinks_is_surplus(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        await rig.client()
        rig.endpoint.connect_gate = trio.Event()
        waiter = await rig.client()
        rig.pool.resize(1)
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert waiter.waits
        assert len(rig.endpoint.open) == 1
        rig.assert_sound()


async def test_growing_serves_the_waiters_at_once(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        await rig.client()
        waiter = await rig.client()
        rig.pool.resize(2)
        await wait_all_tasks_blocked()
        assert waiter.holds


async def test_growing_while_the_endpoint_refuses_serves_the_waiters_when_it_returns(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        await rig.client()
        rig.endpoint.error = OSError("no")
        await rig.client()
        await wait_all_tasks_blocked()
        rig.pool.resize(1)
        await trio.sleep(1)
        rig.endpoint.error = None
        rig.pool.resize(2)
        await trio.sleep(0.3)
        assert rig.clients[1].holds


async def test_a_size_below_one_is_refused_and_changes_nothing(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        with pytest.raises(ValueError, match="at least 1"):
            rig.pool.resize(0)
        assert rig.pool.statistics().max_connections == 2
        assert (await rig.client()).holds


async def test_race_20_a_drain_that_is_cancelled_midway_can_be_done_again(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        holder, other = await rig.client(), await rig.client()
        other.release()
        with trio.move_on_after(1) as scope:
            await rig.pool.drain()
        assert scope.cancelled_caught
        assert rig.pool.statistics().state == "closing"
        rig.nursery.start_soon(_release_later, holder)
        await rig.pool.drain()
        await rig.ended.wait()
        assert not rig.endpoint.open


async def _release_later(client) -> None:
    await trio.sleep(1)
    client.release()


async def test_drain_waits_for_the_leases_and_nothing_else(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(close_gate=trio.Event())) as rig:
        holder = await rig.client()
        start = trio.current_time()
        rig.nursery.start_soon(_release_later, holder)
        await rig.pool.drain()
        assert trio.current_time() - start == 1


async def test_race_30_close_fails_the_waiters_at_once(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client()
        waiters = [await rig.client() for _ in range(3)]
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert all(isinstance(waiter.error, ShuttingDown) for waiter in waiters)
        assert {event.outcome for event in rig.events_of(events.LeaseRefused)} == {"closed"}
        assert holder.holds
        rig.assert_sound()


async def test_race_30_a_waiter_that_close_has_failed_and_that_is_then_cancelled_does_no_harm(
    pool_class, autojump_clock
):
    async with running(pool_class, max_connections=1) as rig:
        await rig.client()
        waiter = await rig.client()
        rig.pool.close()
        waiter.cancel()
        await wait_all_tasks_blocked()
        assert waiter.ended
        rig.assert_sound()


async def test_close_while_paused_fails_the_waiters_too(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        rig.pool.pause()
        waiter = await rig.client()
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, ShuttingDown)


async def test_reconnect_closes_idle_ones_now_and_those_in_use_at_their_release(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        holder, other = await rig.client(), await rig.client()
        old = [holder.connection, other.connection]
        other.release()
        rig.pool.reconnect()
        await wait_all_tasks_blocked()
        assert old[1].closed
        assert not old[0].closed
        waiters = [await rig.client(), await rig.client()]
        holder.release()
        await wait_all_tasks_blocked()
        assert old[0].closed
        assert all(waiter.holds and waiter.connection not in old for waiter in waiters)
        assert rig.pool.statistics().generation == 1
        rig.assert_sound()


async def test_a_connect_of_the_generation_before_is_not_lent(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), max_connections=1) as rig:
        waiter = await rig.client()
        rig.pool.reconnect()
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert waiter.connection.number == 1
        assert rig.endpoint.made[0].closed
        rig.assert_sound()


async def test_a_check_of_the_generation_before_is_not_lent(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        (await rig.client()).release()
        await trio.sleep(2)
        rig.endpoint.check_gate = trio.Event()
        waiter = await rig.client()
        rig.pool.reconnect()
        rig.endpoint.check_gate.set()
        await wait_all_tasks_blocked()
        assert waiter.connection.number == 1


async def test_reconnect_does_not_wait_for_the_old_endpoints_pause(pool_class, autojump_clock):
    settings = {"reconnect_delay": 500, "reconnect_max_delay": 1000}
    async with running(pool_class, endpoint=Endpoint(error=OSError("down")), warm=1, **settings) as rig:
        rig.endpoint.error = None
        rig.pool.reconnect()
        await wait_all_tasks_blocked()
        assert rig.pool.statistics().idle == 1


async def test_a_cancelled_run_closes_what_is_idle_fails_the_waiters_and_takes_the_leases_back(
    pool_class, autojump_clock
):
    async with running(pool_class, max_connections=2) as rig:
        holder, other = await rig.client(), await rig.client()
        waiter = await rig.client()
        other.release()
        await wait_all_tasks_blocked()
        last = await rig.client()
        rig.running.cancel()
        await rig.ended.wait()
        await wait_all_tasks_blocked()
        assert isinstance(last.error, ShuttingDown)
        assert {client.holds for client in (holder, waiter)} == {True}
        rig.assert_sound()
        holder.release()
        waiter.release()
        assert all(connection.aborted for connection in rig.endpoint.made)


@pytest.mark.parametrize("steps", range(6))
async def test_whatever_comes_while_a_cancelled_run_ends_is_refused_or_closed(pool_class, autojump_clock, steps):
    async with running(pool_class, max_connections=2) as rig:
        poisoned = await rig.client()
        rig.running.cancel()
        for _ in range(steps):
            await trio.lowlevel.checkpoint()
        late = rig.client_soon()
        poisoned.connection.poisoned = True
        poisoned.release()
        await wait_all_tasks_blocked()
        assert isinstance(late.error, ShuttingDown)
        assert not rig.endpoint.open


async def test_one_pool_runs_once_at_a_time(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        with pytest.raises(PoolMisuse, match="running"):
            await rig.pool.run()
        assert (await rig.client()).holds


async def test_a_pool_that_was_closed_before_it_ran_ends_at_once(pool_class, autojump_clock):
    async with running(pool_class, run=False, warm=2) as rig:
        waiter = await rig.client()
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, ShuttingDown)
        await rig.nursery.start(rig.run_pool)
        await rig.ended.wait()
        assert rig.endpoint.attempts == []
