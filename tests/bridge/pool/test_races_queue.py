"""The queue: who counts as waiting, who is refused, who is told what."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from bridge.errors import BlenderUnavailable, Busy, PoolMisuse, TimedOut
from bridge.pool import PoolSettings
from tests.bridge.pool.fakes import Endpoint, running


async def test_race_06_only_live_waiters_count_towards_busy(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_waiting=3, acquire_timeout=1) as rig:
        await rig.client()
        late = [await rig.client() for _ in range(3)]
        await trio.sleep(1)
        await wait_all_tasks_blocked()
        assert all(isinstance(client.error, TimedOut) for client in late)
        assert all([(await rig.client()).waits for _ in range(3)])
        assert isinstance((await rig.client()).error, Busy)
        rig.assert_sound()


async def test_race_06_cancelled_waiters_do_not_count_towards_busy(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_waiting=3) as rig:
        await rig.client()
        victims = [await rig.client() for _ in range(3)]
        for victim in victims:
            victim.cancel()
        assert (await rig.client()).waits


async def test_race_07_5000_cancelled_waiters_leave_an_empty_queue(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_waiting=5000) as rig:
        holder = await rig.client()
        victims = [rig.client_soon() for _ in range(5000)]
        await wait_all_tasks_blocked()
        assert rig.pool.statistics().waiting == 5000
        for victim in victims:
            victim.cancel()
        assert rig.pool.statistics().waiting == 0
        await wait_all_tasks_blocked()
        holder.release()
        assert (await rig.client()).holds
        rig.assert_sound()


async def test_race_17_waiters_that_timed_out_do_not_grow_the_pool_beyond_its_size(pool_class, autojump_clock):
    endpoint = Endpoint(connect_gate=trio.Event())
    async with running(
        pool_class, endpoint=endpoint, max_connections=2, acquire_timeout=1, connect_timeout=math.inf
    ) as rig:
        for _ in range(4):
            for _ in range(5):
                rig.client_soon()
            await trio.sleep(1.5)
            assert endpoint.dialing == 2
            rig.assert_sound()
        endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert endpoint.most_dialing == 2
        assert rig.pool.statistics().idle == 2


async def test_race_35_deadlines_run_while_paused(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, acquire_timeout=2) as rig:
        rig.pool.pause()
        waiter = await rig.client()
        await trio.sleep(2)
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, TimedOut)


async def test_race_35_resume_keeps_the_order(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client("holder")
        waiters = [await rig.client(f"before {n}") for n in range(2)]
        rig.pool.pause()
        waiters += [await rig.client(f"during {n}") for n in range(2)]
        holder.release()
        await wait_all_tasks_blocked()
        assert rig.served == ["holder"]
        rig.pool.resume()
        waiters += [await rig.client("after")]
        for waiter in waiters:
            assert waiter.holds
            waiter.release()
            await wait_all_tasks_blocked()
        assert rig.served == ["holder", "before 0", "before 1", "during 0", "during 1", "after"]


async def test_what_is_lent_stays_lent_while_paused_and_nothing_is_lent_anew(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        holder, other = await rig.client(), await rig.client()
        other.release()
        rig.pool.pause()
        waiter = await rig.client()
        assert holder.holds
        assert waiter.waits
        assert rig.pool.statistics().state == "paused"
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert waiter.holds


async def test_race_36_a_holder_that_asks_for_one_more_than_there_are_is_told_so(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        with await rig.pool.acquire(), await rig.pool.acquire():
            with pytest.raises(PoolMisuse, match="deadlock"):
                await rig.pool.acquire()
        rig.assert_sound()


async def test_a_holder_may_ask_for_one_more_while_somebody_else_holds_one(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        other = await rig.client()
        with await rig.pool.acquire():
            rig.nursery.start_soon(_release_later, other)
            with await rig.pool.acquire():
                pass


async def _release_later(client) -> None:
    await wait_all_tasks_blocked()
    client.release()


async def test_busy_says_how_full_it_is_and_when_to_come_again(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_waiting=2) as rig:
        for _ in range(3):
            await rig.client()
        with pytest.raises(Busy) as refusal:
            await rig.pool.acquire()
        data = dict(refusal.value.data)
        assert data.pop("retry_after") > 0
        assert data == {"queued": 2, "limit": 2, "running": 1, "current": None}
        assert rig.events_of(events.LeaseRefused) == [events.LeaseRefused("blender", "busy", 0.0)]


async def test_acquire_times_out_at_its_limit_and_says_what_the_pool_looked_like(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, acquire_timeout=7) as rig:
        await rig.client()
        start = trio.current_time()
        with pytest.raises(TimedOut, match="1 leased") as refusal:
            await rig.pool.acquire()
        assert trio.current_time() - start == 7
        assert refusal.value.outcome == "not_executed"
        assert rig.events_of(events.LeaseRefused) == [events.LeaseRefused("blender", "timeout", 7.0)]
        rig.assert_sound()


async def test_each_waiter_times_out_at_its_own_limit(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, acquire_timeout=7) as rig:
        await rig.client()
        start = trio.current_time()
        waiters = []
        for _ in range(4):
            waiters.append(await rig.client())
            await trio.sleep(1)
        await trio.sleep(20)
        assert [waiter.ended_at - start for waiter in waiters] == [7, 8, 9, 10]


async def test_the_limit_runs_anew_for_a_queue_that_was_empty_between(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, acquire_timeout=7) as rig:
        holder, first = await rig.client(), await rig.client()
        await trio.sleep(6)
        holder.release()
        await trio.sleep(10)
        start = trio.current_time()
        second = await rig.client()
        await trio.sleep(20)
        assert first.holds
        assert second.ended_at - start == 7


@pytest.mark.parametrize("arrives_after", [0.0, 30.0])
async def test_while_nothing_can_be_reached_a_waiter_is_refused_after_the_limit(
    pool_class, autojump_clock, arrives_after
):
    endpoint = Endpoint(error=OSError("nobody listens"))
    async with running(pool_class, endpoint=endpoint, unavailable_timeout=5) as rig:
        await trio.sleep(arrives_after)
        start = trio.current_time()
        with pytest.raises(BlenderUnavailable, match="nobody listens") as refusal:
            await rig.pool.acquire()
        assert trio.current_time() - start == 5
        assert refusal.value.data["last_error"] == "nobody listens"
        assert rig.events_of(events.LeaseRefused) == [events.LeaseRefused("blender", "unavailable", 5.0)]


async def test_a_waiter_of_a_pool_that_lost_its_last_connection_is_refused_after_the_limit(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, unavailable_timeout=5) as rig:
        holder, waiter = await rig.client(), await rig.client()
        await trio.sleep(20)
        lost_at = trio.current_time()
        rig.endpoint.connect_gate = trio.Event()
        holder.connection.poisoned = True
        holder.release()
        await trio.sleep(60)
        assert isinstance(waiter.error, BlenderUnavailable)
        assert waiter.ended_at - lost_at == 5


async def test_a_waiter_behind_a_long_request_is_not_refused_as_unavailable(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, unavailable_timeout=5) as rig:
        holder, waiter = await rig.client(), await rig.client()
        await trio.sleep(1000)
        holder.release()
        await wait_all_tasks_blocked()
        assert waiter.holds


async def test_acquirers_wait_for_the_pool_to_run(pool_class, autojump_clock):
    async with running(pool_class, run=False, max_connections=2) as rig:
        early = [await rig.client() for _ in range(4)]
        rig.assert_sound()
        await rig.nursery.start(rig.run_pool)
        await wait_all_tasks_blocked()
        assert [client.holds for client in early] == [True, True, False, False]
        rig.assert_sound()


def test_no_limit_is_the_default_because_requests_have_their_own_deadlines():
    assert PoolSettings().acquire_timeout == math.inf
