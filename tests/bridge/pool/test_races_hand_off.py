"""The moment at which a connection passes from one task to another."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from tests.bridge.pool.fakes import release_and_cancel, running


async def test_race_01_cancelled_in_the_tick_of_the_hand_off_the_next_waiter_gets_it(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, victim, survivor = await rig.client(), await rig.client(), await rig.client()
        await release_and_cancel(holder, victim)
        assert victim.cancelled
        assert survivor.holds
        rig.assert_sound()


async def test_race_01_cancelled_in_the_tick_of_the_hand_off_with_nobody_behind_it_is_idle(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, victim = await rig.client(), await rig.client()
        await release_and_cancel(holder, victim)
        assert rig.pool.statistics().idle == 1
        rig.assert_sound()


async def test_race_02_a_cancelled_task_never_leaves_acquire_with_a_lease(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        with trio.CancelScope() as scope:
            scope.cancel()
            await rig.pool.acquire()
            pytest.fail("acquire has swallowed the cancellation")
        assert scope.cancelled_caught
        rig.assert_sound()


async def test_race_02_a_deadline_that_passes_while_it_waits_propagates(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        await rig.client()
        with trio.move_on_after(1) as scope:
            await rig.pool.acquire()
        assert scope.cancelled_caught
        assert rig.events_of(events.LeaseRefused) == [events.LeaseRefused("blender", "timeout", 1.0)]
        rig.assert_sound()


async def test_race_04_a_release_after_the_waiters_cancel_goes_to_the_next(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, victim, survivor = await rig.client(), await rig.client(), await rig.client()
        victim.cancel()
        holder.release()
        await wait_all_tasks_blocked()
        assert victim.cancelled
        assert survivor.holds
        rig.assert_sound()


async def test_race_05_each_of_a_chain_that_is_cancelled_when_woken_passes_it_on(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client()
        victims = [await rig.client() for _ in range(5)]
        survivor = await rig.client()
        holder.release()
        for still_waiting, victim in zip((5, 4, 3, 2, 1), victims, strict=True):
            while rig.pool.statistics().waiting > still_waiting:
                await trio.lowlevel.checkpoint()
            victim.cancel()
        await wait_all_tasks_blocked()
        assert survivor.holds
        rig.assert_sound()


async def test_race_08_a_newcomer_does_not_overtake_who_was_handed_it_but_has_not_run(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client("holder")
        await rig.client("waiter")
        holder.release()
        newcomer = await rig.client("newcomer")
        assert rig.served == ["holder", "waiter"]
        assert newcomer.waits


async def test_race_08_a_holder_that_comes_again_at_once_queues_behind_the_waiters(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        lease = await rig.pool.acquire()
        modest = await rig.client("modest")
        lease.release()
        rig.nursery.start_soon(_release_later, modest)
        with await rig.pool.acquire():
            order = [*rig.served, "greedy"]
        assert order == ["modest", "greedy"]


async def _release_later(client) -> None:
    await wait_all_tasks_blocked()
    client.release()


async def test_race_13_what_was_meant_for_one_that_timed_out_goes_to_the_next(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, acquire_timeout=5) as rig:
        holder, late = await rig.client(), await rig.client()
        await trio.sleep(3)
        survivor = await rig.client()
        await trio.sleep(2)  # the deadline of the first waiter, and at the same instant:
        holder.release()
        await wait_all_tasks_blocked()
        assert late.ended or late.holds
        if late.holds:
            late.release()
            await wait_all_tasks_blocked()
        assert survivor.holds
        rig.assert_sound()


async def test_race_16_one_that_is_released_while_a_task_queues_is_never_missed(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        for _ in range(20):
            holder = await rig.client()
            late = rig.client_soon()  # it queues in the very tick in which the holder releases
            holder.release()
            await wait_all_tasks_blocked()
            assert late.holds
            late.release()
            await wait_all_tasks_blocked()
            rig.assert_sound()


async def test_race_25_release_works_inside_a_cancelled_scope(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, waiter = await rig.client(), await rig.client()
        holder.cancel()
        await wait_all_tasks_blocked()
        assert holder.cancelled
        assert waiter.holds
        rig.assert_sound()


async def test_waiters_are_served_in_the_order_of_their_arrival(pool_class, autojump_clock):
    async with running(pool_class, max_connections=3) as rig:
        clients = [await rig.client() for _ in range(20)]
        for client in clients:
            client.release()
            await wait_all_tasks_blocked()
        assert rig.served == [client.name for client in clients]
