"""New connections: the pool opens them in its own tasks, whoever asked for them."""

from __future__ import annotations

import math

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from bridge.errors import BlenderUnavailable
from tests.bridge.pool.fakes import Endpoint, running


async def test_race_09_cancelled_after_a_slot_was_reserved_the_slot_is_free_again(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        with trio.CancelScope() as scope:
            rig.nursery.start_soon(_cancel, scope)
            await rig.pool.acquire()
        await wait_all_tasks_blocked()
        rig.assert_sound()
        assert (await rig.client()).holds


async def _cancel(scope: trio.CancelScope) -> None:
    scope.cancel()


async def run_and_at_its_start(rig, action) -> None:
    """Run the pool; `action` comes when it has reserved its first connects and none of them has begun."""

    class Status:
        def started(self, value=None) -> None:
            assert rig.pool.statistics().connecting > rig.endpoint.dialing == 0
            action()

    rig.nursery.start_soon(rig.run_pool, Status())
    await wait_all_tasks_blocked()


async def test_race_09_a_connect_that_nobody_needs_any_more_does_not_begin(pool_class, autojump_clock):
    async with running(pool_class, run=False, max_connections=4) as rig:
        for _ in range(4):
            await rig.client()
        await run_and_at_its_start(rig, lambda: [victim.cancel() for victim in rig.clients])
        assert rig.endpoint.attempts == []
        rig.assert_sound()


async def test_race_10_cancelled_during_the_connect_the_connection_goes_into_the_pool(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event())) as rig:
        victim = await rig.client()
        victim.cancel()
        await wait_all_tasks_blocked()
        assert rig.endpoint.dialing == 1
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert rig.pool.statistics().idle == 1
        rig.assert_sound()
        assert (await rig.client()).connection.number == 0


async def test_race_11_a_connect_that_hangs_frees_its_slot_at_its_deadline(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), connect_timeout=3) as rig:
        start = trio.current_time()
        waiter = await rig.client()
        await trio.sleep(3)
        rig.endpoint.connect_gate.set()
        await trio.sleep(0.3)
        assert waiter.holds
        failure = rig.events_of(events.ConnectFailed)
        assert failure == [events.ConnectFailed("blender", "no answer within 3 s", 1)]
        assert rig.endpoint.attempts[0] == start
        rig.assert_sound()


async def test_race_12_a_connect_that_fails_is_tried_again_for_the_waiters(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(error=OSError("not yet")), max_connections=2) as rig:
        waiters = [await rig.client() for _ in range(2)]
        await trio.sleep(3)
        rig.endpoint.error = None
        await trio.sleep(0.3)
        assert all(waiter.holds for waiter in waiters)
        assert rig.pool.statistics().connect_failures == 0
        rig.assert_sound()


async def test_race_12_a_failure_beside_a_lease_that_lasts_is_tried_again_too(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, reconnect_delay=1000) as rig:
        await rig.client()
        rig.endpoint.connect_gate = trio.Event()
        rig.endpoint.error = OSError("too many")
        (await rig.client()).cancel()
        await wait_all_tasks_blocked()
        rig.endpoint.connect_gate.set()  # it fails when nobody waits: the pool has no reason to try again
        await wait_all_tasks_blocked()
        rig.endpoint.error = None
        late = await rig.client()
        await trio.sleep(0.3)
        assert late.holds


async def test_a_poisoned_release_is_replaced_although_an_attempt_failed_before(pool_class, autojump_clock):
    settings = {"reconnect_delay": 100, "reconnect_max_delay": 100}
    async with running(pool_class, max_connections=2, warm=2, **settings) as rig:
        holder, other = await rig.client(), await rig.client()
        rig.endpoint.error = OSError("gone")
        other.connection.poisoned = True
        other.release()
        await trio.sleep(1)
        rig.endpoint.error = None
        waiter = await rig.client()
        holder.connection.poisoned = True
        holder.release()
        await trio.sleep(0.3)
        assert waiter.holds
        rig.assert_sound()


async def test_race_14_a_connect_that_is_left_out_strands_nobody(pool_class, autojump_clock):
    async with running(pool_class, run=False, max_connections=2) as rig:
        victim, survivor = await rig.client(), await rig.client()
        await run_and_at_its_start(rig, victim.cancel)
        late = await rig.client()
        assert survivor.holds
        assert len(rig.endpoint.attempts) == 2
        assert late.holds
        rig.assert_sound()


async def test_race_18_counts_equal_sockets_when_what_replaces_a_broken_one_breaks_too(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, max_lifetime=10) as rig:
        holder, waiter = await rig.client(), await rig.client()
        await trio.sleep(11)  # its lifetime is over
        rig.endpoint.error = OSError("first")
        holder.release()
        await wait_all_tasks_blocked()
        rig.assert_sound()
        rig.endpoint.error = OSError("second")
        await trio.sleep(1)
        rig.assert_sound()
        rig.endpoint.error = None
        await trio.sleep(1)
        assert waiter.holds
        assert len(rig.endpoint.open) == rig.pool.statistics().live == 1
        rig.assert_sound()


async def test_race_29_a_socket_that_is_made_after_the_close_is_closed_and_counted(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event())) as rig:
        waiter = await rig.client()
        rig.pool.close()
        await wait_all_tasks_blocked()
        assert waiter.ended
        assert not rig.ended.is_set()
        rig.assert_sound()
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert rig.endpoint.made[0].closed
        assert rig.events_of(events.ConnectionDiscarded) == [events.ConnectionDiscarded("blender", "closed")]
        assert rig.ended.is_set()


async def test_race_29_a_connect_that_fails_after_the_close_ends_the_pool(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event(), error=OSError())) as rig:
        await rig.client()
        rig.pool.close()
        rig.endpoint.connect_gate.set()
        await wait_all_tasks_blocked()
        assert rig.ended.is_set()


async def test_race_33_a_peer_that_died_while_idle_is_replaced_unseen_by_the_caller(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2) as rig:
        first, second = await rig.client(), await rig.client()
        first.release()
        second.release()
        for connection in rig.endpoint.made:
            connection.dead = True
        client = await rig.client()
        assert client.holds
        assert client.connection.number == 2
        rig.assert_sound()


async def test_race_34_one_attempt_at_a_time_while_the_endpoint_is_down(pool_class, autojump_clock):
    async with running(pool_class, max_connections=8) as rig:
        holders = [await rig.client() for _ in range(8)]
        waiters = [await rig.client() for _ in range(8)]
        rig.endpoint.error = OSError("down")
        for holder in holders:
            holder.connection.poisoned = True
            holder.release()
        await wait_all_tasks_blocked()
        rig.endpoint.most_dialing = 0
        rig.endpoint.attempts.clear()
        await trio.sleep(10)
        rig.assert_sound()
        assert rig.endpoint.most_dialing == 1
        pauses = [b - a for a, b in zip(rig.endpoint.attempts, rig.endpoint.attempts[1:], strict=False)]
        assert max(pauses) <= 0.25 + 1e-9
        assert len(set(pauses)) > len(pauses) / 3, "no jitter"
        rig.endpoint.error = None
        await trio.sleep(0.3)
        assert all(waiter.holds for waiter in waiters)


async def test_without_demand_the_pause_between_attempts_grows_to_its_maximum_with_full_jitter(
    pool_class, autojump_clock
):
    async with running(pool_class, endpoint=Endpoint(error=OSError("down")), warm=1) as rig:
        await trio.sleep(1000)
        pauses = [b - a for a, b in zip(rig.endpoint.attempts, rig.endpoint.attempts[1:], strict=False)]
        assert max(pauses) <= 2.0 + 1e-9
        assert max(pauses) > 1.5
        assert max(pauses[:2]) <= 0.2 + 1e-9
        assert 700 < len(pauses) < 1400
        assert rig.endpoint.most_dialing == 1


async def test_a_request_does_not_wait_for_the_long_pause_that_no_demand_allowed(pool_class, autojump_clock):
    settings = {"reconnect_delay": 500, "reconnect_max_delay": 1000}
    async with running(pool_class, endpoint=Endpoint(error=OSError("down")), warm=1, **settings) as rig:
        await trio.sleep(100)
        rig.endpoint.error = None
        client = await rig.client()
        await trio.sleep(0.25)
        assert client.holds


async def test_warm_connections_are_opened_at_the_start_and_replaced_when_they_break(pool_class, autojump_clock):
    async with running(pool_class, max_connections=4, warm=3) as rig:
        assert rig.pool.statistics().idle == 3
        client = await rig.client()
        client.connection.poisoned = True
        client.release()
        await wait_all_tasks_blocked()
        assert rig.pool.statistics().idle == 3
        rig.assert_sound()


async def test_warm_never_means_more_than_the_maximum(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, warm=9) as rig:
        assert len(rig.endpoint.open) == 2


async def test_a_connect_that_raises_anything_is_reported_and_the_pool_goes_on(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(error=ZeroDivisionError())) as rig:
        client = await rig.client()
        rig.endpoint.error = None
        await trio.sleep(0.3)
        assert client.holds
        assert rig.events_of(events.ConnectFailed)[0].error == "ZeroDivisionError"


async def test_a_base_exception_from_a_connect_ends_the_pool_and_no_waiter_is_forgotten(pool_class, autojump_clock):
    class Shot(BaseException):
        pass

    async def connect():
        raise Shot

    pool = pool_class("blender", connect)
    with pytest.RaisesGroup(Shot, flatten_subgroups=True):
        await pool.run()
    assert pool.statistics().state == "closed"
    assert pool.statistics().connecting == 0


async def test_the_pool_keeps_one_connection_time_out_free_of_the_requests_deadline(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(connect_gate=trio.Event()), connect_timeout=math.inf) as rig:
        with trio.move_on_after(1) as scope:
            await rig.pool.acquire()
        assert scope.cancelled_caught
        assert rig.endpoint.dialing == 1, "a requester's deadline has aborted the pool's connect"


async def test_unavailable_names_the_last_error(pool_class, autojump_clock):
    async with running(pool_class, endpoint=Endpoint(error=OSError("one")), unavailable_timeout=1) as rig:
        with pytest.raises(BlenderUnavailable, match="one"):
            await rig.pool.acquire()
