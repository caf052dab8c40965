"""Connections that come back: reused, replaced or closed."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from bridge.errors import PoolMisuse, ShuttingDown
from tests.bridge.pool.fakes import Endpoint, running


async def test_race_15_a_broken_one_that_comes_back_while_tasks_queue_is_replaced(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, waiter = await rig.client(), await rig.client()
        broken = holder.connection
        broken.poisoned = True
        holder.release()
        await wait_all_tasks_blocked()
        assert waiter.holds
        assert waiter.connection is not broken
        assert broken.closed
        rig.assert_sound()


async def test_race_21_22_cancelled_in_the_middle_of_a_request_the_socket_is_discarded(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        victim, next_one = await rig.client(), await rig.client()
        connection = victim.connection
        connection.poisoned = True  # what a connection is from before a request's first byte to its response's last
        victim.cancel()
        await wait_all_tasks_blocked()
        assert connection.closed
        assert next_one.connection is not connection
        assert rig.events_of(events.ConnectionDiscarded) == [events.ConnectionDiscarded("blender", "poisoned")]
        rig.assert_sound()


async def test_race_23_a_socket_with_a_response_on_its_way_is_never_lent_again(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        with trio.move_on_after(1):
            with await rig.pool.acquire() as late:
                late.take()
                late.poisoned = True
                try:
                    await trio.sleep_forever()
                finally:
                    late.give_back()
        clients = [await rig.client() for _ in range(2)]
        assert late not in [client.connection for client in clients]
        rig.assert_sound()


async def test_race_24_a_socket_on_which_something_came_unasked_is_not_lent_to_the_next_request(
    pool_class, autojump_clock
):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client()
        connection = holder.connection
        holder.release()
        connection.dead = True  # usable() is False: bytes are there that nobody asked for
        assert (await rig.client()).connection is not connection
        rig.assert_sound()


async def test_race_26_a_close_that_hangs_is_forced_at_its_deadline(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(close_gate=trio.Event()), close_timeout=2) as rig:
        holder = await rig.client()
        connection = holder.connection
        connection.poisoned = True
        holder.release()
        assert (await rig.client()).holds, "a hanging close holds up the next request"
        await trio.sleep(1.9)
        assert not connection.aborted
        await trio.sleep(0.2)
        assert connection.aborted


async def test_race_26_a_close_that_hangs_is_bounded_when_the_pool_is_cancelled_too(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(close_gate=trio.Event()), close_timeout=2) as rig:
        holder = await rig.client()
        connection = holder.connection
        connection.poisoned = True
        holder.release()
        await wait_all_tasks_blocked()
        start = trio.current_time()
        rig.running.cancel()
        await rig.ended.wait()
        assert trio.current_time() - start <= 2
        assert connection.aborted


async def test_race_27_a_second_release_is_an_error_and_changes_nothing(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        lease = await rig.pool.acquire()
        lease.release()
        waiter = await rig.client()
        assert waiter.holds
        with pytest.raises(PoolMisuse, match="released before"):
            lease.release()
        assert waiter.holds
        assert (await rig.client()).waits
        rig.assert_sound()


async def test_a_released_lease_gives_no_access_to_the_connection(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        with await rig.pool.acquire():
            pass
        lease = await rig.pool.acquire()
        lease.release()
        with pytest.raises(PoolMisuse):
            _ = lease.connection


async def test_race_28_what_comes_back_after_the_close_is_closed_and_not_lent_again(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        holder = await rig.client()
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert not holder.connection.closed
        assert rig.pool.statistics().state == "closing"
        holder.release()
        await wait_all_tasks_blocked()
        assert rig.endpoint.made[0].closed
        with pytest.raises(ShuttingDown):
            await rig.pool.acquire()
        assert rig.pool.statistics().state == "closed"
        assert rig.ended.is_set()


async def test_the_connection_used_last_is_reused_first(pool_class, autojump_clock):
    async with running(pool_class, max_connections=3) as rig:
        clients = [await rig.client() for _ in range(3)]
        last = clients[-1].connection
        for client in clients:
            client.release()
        assert (await rig.client()).connection is last


async def test_a_connection_beyond_its_lifetime_is_recycled_at_its_release(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_lifetime=100) as rig:
        holder = await rig.client()
        await trio.sleep(101)
        holder.release()
        await wait_all_tasks_blocked()
        assert rig.events_of(events.ConnectionDiscarded) == [events.ConnectionDiscarded("blender", "recycled")]


async def test_idle_warm_connections_are_recycled_and_replaced(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, warm=2, max_lifetime=100, lifetime_jitter=0.5) as rig:
        await trio.sleep(99.9)
        recycled_at = [event for event in rig.events_of(events.ConnectionDiscarded) if event.reason == "recycled"]
        assert len(recycled_at) >= 2
        assert rig.pool.statistics().idle == 2
        rig.assert_sound()


async def test_lifetimes_are_jittered_so_that_not_all_end_at_once(pool_class, autojump_clock):
    async with running(pool_class, max_connections=20, warm=20, max_lifetime=100, lifetime_jitter=0.05) as rig:
        start = trio.current_time()
        while len(rig.endpoint.made) == 20:
            await trio.sleep(0.01)
        assert 95 <= trio.current_time() - start <= 100
        await trio.sleep(0.05)
        assert len(rig.endpoint.made) < 40


async def test_race_37_eviction_counts_only_idle_ones(pool_class, autojump_clock):
    async with running(pool_class, max_connections=3, warm=1, idle_timeout=60) as rig:
        holder, first, second = await rig.client(), await rig.client(), await rig.client()
        await trio.sleep(100)
        rig.assert_sound()
        assert rig.pool.statistics().leased == 3
        first.release()
        second.release()
        await trio.sleep(59)
        assert rig.pool.statistics().idle == 2
        await trio.sleep(2)
        assert rig.pool.statistics().idle == 0  # the one that is lent is the one to keep
        assert holder.holds
        assert len(rig.events_of(events.ConnectionDiscarded)) == 2
        rig.assert_sound()


async def test_the_warm_one_is_not_evicted_however_long_it_idles(pool_class, autojump_clock):
    async with running(pool_class, max_connections=3, warm=1, idle_timeout=60) as rig:
        for client in [await rig.client() for _ in range(3)]:
            client.release()
        await trio.sleep(10_000)
        assert rig.pool.statistics().idle == 1
        assert len(rig.endpoint.made) == 3


async def test_an_abort_that_raises_does_not_end_the_pool(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(close_gate=trio.Event()), close_timeout=1) as rig:
        holder = await rig.client()
        connection = holder.connection

        def abort() -> None:
            connection._gone()
            raise OSError("bad file descriptor")

        connection.abort = abort
        connection.poisoned = True
        holder.release()
        await trio.sleep(2)
        assert [event.task for event in rig.events_of(events.BackgroundError)] == ["pool.close blender"]
        assert (await rig.client()).holds


async def test_a_close_that_raises_is_followed_by_an_abort(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        holder = await rig.client()
        connection = holder.connection

        async def aclose() -> None:
            raise OSError("gone")

        connection.aclose = aclose
        connection.poisoned = True
        holder.release()
        await wait_all_tasks_blocked()
        assert connection.aborted
        assert (await rig.client()).holds
