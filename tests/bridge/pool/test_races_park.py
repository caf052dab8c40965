"""Park: lend nothing and have no connection until resume; what is lent may end, and who waits keeps its place."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from bridge.errors import BlenderUnavailable, ShuttingDown, TimedOut
from tests.bridge.pool.fakes import Endpoint, running
from tests.bridge.pool.test_races_connect import run_and_at_its_start


def state(rig) -> str:
    return rig.pool.statistics().state


async def test_parked_it_closes_idle_ones_at_once_and_the_lent_ones_as_they_come_back(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, warm=2) as rig:
        holder = await rig.client()
        rig.pool.park()
        await wait_all_tasks_blocked()
        assert rig.endpoint.open == {holder.connection}
        assert state(rig) == "draining"
        holder.release()
        await wait_all_tasks_blocked()
        assert not rig.endpoint.open
        assert state(rig) == "drained"
        assert len(rig.endpoint.attempts) == 2
        rig.assert_sound()


async def test_parked_it_lends_nothing_and_opens_nothing_to_those_who_come(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        rig.pool.park()
        waiters = [await rig.client() for _ in range(3)]
        await trio.sleep(100)
        assert all(waiter.waits for waiter in waiters)
        assert rig.endpoint.attempts == []
        rig.assert_sound()


async def test_waiters_of_before_and_of_after_are_served_in_their_order_after_resume(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client("first")
        for name in ("a", "b"):
            await rig.client(name)
        rig.pool.park()
        for name in ("c", "d"):
            await rig.client(name)
        holder.release()
        await wait_all_tasks_blocked()
        rig.pool.resume()
        late = await rig.client("late")
        while not late.holds:
            next(client for client in rig.clients if client.holds).release()
            await wait_all_tasks_blocked()
        assert rig.served == ["first", "a", "b", "c", "d", "late"]
        rig.assert_sound()


async def test_resumed_in_the_very_step_in_which_one_comes_nobody_is_overtaken(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        rig.pool.park()
        first = await rig.client("waits")
        rig.pool.resume()
        rig.client_soon("comes")
        await wait_all_tasks_blocked()
        assert rig.served == ["waits"]
        first.release()
        await wait_all_tasks_blocked()
        assert rig.served == ["waits", "comes"]


async def test_a_connect_that_is_under_way_is_closed_when_it_is_made(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), max_connections=1) as rig:
        waiter = await rig.client()
        rig.pool.park()
        assert state(rig) == "draining"
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert rig.endpoint.made[0].closed
        assert waiter.waits
        assert state(rig) == "drained"
        rig.assert_sound()


async def test_a_connect_of_before_that_is_made_after_resume_is_closed_and_replaced(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), max_connections=1) as rig:
        waiter = await rig.client()
        rig.pool.park()
        rig.pool.resume()
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert rig.endpoint.made[0].closed
        assert waiter.connection is rig.endpoint.made[1]
        rig.assert_sound()


async def test_a_connect_that_was_reserved_and_has_not_begun_does_not_begin(pool_class, autojump_clock):
    async with running(pool_class, run=False, max_connections=2) as rig:
        waiter = await rig.client()
        await run_and_at_its_start(rig, rig.pool.park)
        assert rig.endpoint.attempts == []
        assert state(rig) == "drained"
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert waiter.holds
        rig.assert_sound()


async def test_a_connect_that_fails_is_not_tried_again_before_resume(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), max_connections=1) as rig:
        waiter = await rig.client()
        rig.pool.park()
        rig.endpoint.error = OSError("gone")
        rig.endpoint.connect_gate.set()
        await trio.sleep(100)
        assert len(rig.endpoint.attempts) == 1
        assert state(rig) == "drained"
        rig.endpoint.error = None
        rig.pool.resume()
        await trio.sleep(0.3)
        assert waiter.holds
        rig.assert_sound()


async def test_what_is_being_checked_is_closed_when_the_check_has_ended(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        (await rig.client()).release()
        await trio.sleep(2)
        rig.endpoint.check_gate = trio.Event()
        waiter = await rig.client()
        assert rig.pool.statistics().checking == 1
        rig.pool.park()
        assert state(rig) == "draining"
        rig.endpoint.check_gate.set()
        await wait_all_tasks_blocked()
        assert rig.endpoint.made[0].closed
        assert waiter.waits
        assert state(rig) == "drained"
        rig.assert_sound()


async def test_a_release_in_the_same_step_goes_to_nobody(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client()
        waiter = await rig.client()
        rig.pool.park()
        holder.release()
        await wait_all_tasks_blocked()
        assert waiter.waits
        assert rig.endpoint.made[0].closed
        rig.assert_sound()


async def test_one_to_whom_a_connection_was_handed_before_keeps_it(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder = await rig.client()
        waiter = await rig.client()
        holder.release()
        rig.pool.park()
        await wait_all_tasks_blocked()
        assert waiter.holds
        assert state(rig) == "draining"
        rig.assert_sound()


async def test_a_waiter_that_is_cancelled_leaves_the_queue(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        rig.pool.park()
        victim, other = await rig.client(), await rig.client()
        victim.cancel()
        await wait_all_tasks_blocked()
        rig.assert_sound()
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert other.holds


async def test_a_poisoned_connection_that_comes_back_is_not_replaced(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        holder = await rig.client()
        rig.pool.park()
        holder.connection.poisoned = True
        holder.release()
        await trio.sleep(10)
        assert len(rig.endpoint.attempts) == 1
        assert state(rig) == "drained"


async def test_growing_and_a_reconnect_open_nothing(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        rig.pool.park()
        await rig.client()
        rig.pool.resize(3)
        rig.pool.reconnect()
        await trio.sleep(10)
        assert len(rig.endpoint.attempts) == 1
        assert state(rig) == "drained"
        rig.assert_sound()


async def test_waiters_are_not_told_that_there_is_no_blender(pool_class, autojump_clock):
    async with running(pool_class, unavailable_timeout=5) as rig:
        rig.pool.park()
        waiter = await rig.client()
        await trio.sleep(1000)
        assert waiter.waits


async def test_waiters_of_a_paused_pool_neither_although_nothing_can_be_reached(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(error=OSError("restarting")), unavailable_timeout=5) as rig:
        rig.pool.pause()
        waiter = await rig.client()
        await trio.sleep(60)
        assert waiter.waits
        rig.endpoint.error = None
        rig.pool.resume()
        await trio.sleep(0.3)
        assert waiter.holds


async def test_after_resume_there_is_the_whole_time_to_reach_blender(pool_class, autojump_clock):
    async with running(pool_class, unavailable_timeout=5) as rig:
        rig.pool.park()
        waiter = await rig.client()
        await trio.sleep(1000)
        rig.endpoint.error = OSError("starting")
        rig.pool.resume()
        await trio.sleep(4.9)
        assert waiter.waits
        await trio.sleep(0.2)
        assert isinstance(waiter.error, BlenderUnavailable)


async def test_the_limit_on_waiting_holds(pool_class, autojump_clock):
    async with running(pool_class, acquire_timeout=7) as rig:
        rig.pool.park()
        waiter = await rig.client()
        await trio.sleep(7)
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, TimedOut)
        assert "drained; 0 idle" in str(waiter.error)
        rig.assert_sound()


async def test_resume_without_park_does_no_harm(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, waiter = await rig.client(), await rig.client()
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert waiter.waits
        assert state(rig) == "open"
        connection = holder.connection
        holder.release()
        await wait_all_tasks_blocked()
        assert waiter.connection is connection
        rig.assert_sound()


async def test_parked_twice_is_parked_once(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        rig.pool.park()
        rig.pool.park()
        assert rig.pool.statistics().generation == 1
        rig.pool.resume()
        assert (await rig.client()).holds


async def test_paused_then_parked_then_resumed_it_is_open(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        rig.pool.pause()
        waiter = await rig.client()
        assert (state(rig), len(rig.endpoint.open)) == ("paused", 1)
        rig.pool.park()
        await wait_all_tasks_blocked()
        assert (state(rig), len(rig.endpoint.open)) == ("drained", 0)
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert state(rig) == "open"
        assert waiter.holds
        rig.assert_sound()


async def test_a_pause_opens_nothing_of_what_was_parked(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        rig.pool.park()
        rig.pool.pause()
        await wait_all_tasks_blocked()
        assert (state(rig), len(rig.endpoint.open)) == ("drained", 0)


async def test_closed_while_parked_it_refuses_the_waiters_and_ends_with_the_last_lease(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        holder, waiter = await rig.client(), await rig.client()
        rig.pool.park()
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, ShuttingDown)
        assert (holder.holds, state(rig)) == (True, "closing")
        holder.release()
        await rig.ended.wait()
        assert state(rig) == "closed"


async def test_a_resume_after_the_close_opens_nothing(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, warm=1) as rig:
        holder = await rig.client()
        rig.pool.park()
        rig.pool.close()
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert state(rig) == "closing"
        assert len(rig.endpoint.attempts) == 1
        holder.release()


async def test_before_it_runs_it_can_be_parked_and_opens_nothing_then(pool_class, autojump_clock):
    async with running(pool_class, run=False, warm=1) as rig:
        rig.pool.park()
        await rig.nursery.start(rig.run_pool)
        waiter = await rig.client()
        assert rig.endpoint.attempts == []
        rig.pool.resume()
        await wait_all_tasks_blocked()
        assert waiter.holds


async def test_the_keeper_of_a_parked_pool_sleeps(pool_class, autojump_clock):
    """A moment in the past that a tick does not remove would make it spin."""
    gate = trio.Event()
    async with running(pool_class, endpoint=Endpoint(connect_gate=gate, error=OSError("no")), warm=1) as rig:
        await rig.client()
        rig.pool.park()
        gate.set()
        await wait_all_tasks_blocked()
        tick, ticks = rig.pool._ledger.tick, []
        rig.pool._ledger.tick = lambda now: ticks.append(now) or tick(now)
        await trio.sleep(100)
        assert len(ticks) < 3
