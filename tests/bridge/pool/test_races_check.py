"""The check on borrow: a connection that was idle for long is asked whether it lives before it is lent."""

from __future__ import annotations

import trio
from trio.testing import wait_all_tasks_blocked

from bridge import events
from tests.bridge.pool.fakes import running


async def _idle_one(rig):
    client = await rig.client()
    connection = client.connection
    client.release()
    await trio.sleep(2)
    return connection


async def test_one_that_was_idle_for_long_is_checked_before_it_is_lent(pool_class, autojump_clock):
    async with running(pool_class, check_after=1) as rig:
        connection = await _idle_one(rig)
        client = await rig.client()
        assert client.connection is connection
        assert connection.checks == 1


async def test_one_that_was_idle_for_a_moment_is_not(pool_class, autojump_clock):
    async with running(pool_class, check_after=3) as rig:
        connection = await _idle_one(rig)
        assert (await rig.client()).connection is connection
        assert connection.checks == 0


async def test_one_that_fails_the_check_is_replaced_unseen_by_the_caller(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        connection = await _idle_one(rig)
        rig.endpoint.check_error = OSError("reset")
        client = await rig.client()
        assert client.holds
        assert client.connection is not connection
        assert rig.events_of(events.ConnectionDiscarded) == [events.ConnectionDiscarded("blender", "failed_check")]
        rig.assert_sound()


async def test_a_check_that_hangs_is_a_failed_one_at_its_deadline(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1, check_timeout=2) as rig:
        connection = await _idle_one(rig)
        rig.endpoint.check_gate = trio.Event()
        client = await rig.client()
        rig.assert_sound()
        await trio.sleep(2.1)
        assert client.holds
        assert client.connection is not connection
        rig.assert_sound()


async def test_race_03_a_cancelled_check_ends_the_pool_at_once(pool_class, autojump_clock):
    async with running(pool_class, check_timeout=1000) as rig:
        connection = await _idle_one(rig)
        rig.endpoint.check_gate = trio.Event()
        waiter = await rig.client()
        start = trio.current_time()
        rig.running.cancel()
        await rig.ended.wait()
        assert rig.running.cancelled_caught
        assert trio.current_time() == start
        assert waiter.ended or await _ends(waiter)
        assert connection.closed


async def _ends(client) -> bool:
    await wait_all_tasks_blocked()
    return client.ended


async def test_race_03_a_cancelled_keeper_and_a_cancelled_connect_end_the_pool_at_once(pool_class, autojump_clock):
    async with running(pool_class, max_connections=2, connect_timeout=1000) as rig:
        await rig.client()
        rig.endpoint.connect_gate = trio.Event()
        await rig.client()
        start = trio.current_time()
        rig.running.cancel()
        await rig.ended.wait()
        assert rig.running.cancelled_caught
        assert trio.current_time() == start
        assert rig.pool.statistics().connecting == 0


async def test_race_31_a_request_that_arrives_while_the_last_idle_is_checked_gets_it_after_that(
    pool_class, autojump_clock
):
    async with running(pool_class, max_connections=1) as rig:
        connection = await _idle_one(rig)
        rig.endpoint.check_gate = trio.Event()
        first = await rig.client()
        second = await rig.client()
        first.cancel()
        await wait_all_tasks_blocked()
        assert second.waits
        rig.assert_sound()
        rig.endpoint.check_gate.set()
        await wait_all_tasks_blocked()
        assert second.connection is connection
        assert connection.checks == 1


async def test_race_31_checked_for_one_that_has_left_it_is_idle(pool_class, autojump_clock):
    async with running(pool_class, max_connections=1) as rig:
        await _idle_one(rig)
        rig.endpoint.check_gate = trio.Event()
        (await rig.client()).cancel()
        rig.endpoint.check_gate.set()
        await wait_all_tasks_blocked()
        assert rig.pool.statistics().idle == 1
        rig.assert_sound()


async def test_race_32_a_check_that_raises_something_unexpected_does_not_stop_the_pool(pool_class, autojump_clock):
    async with running(pool_class) as rig:
        for error in (ZeroDivisionError("a bug"), ExceptionGroup("two", [KeyError(1), OSError()]), trio.TooSlowError()):
            await _idle_one(rig)
            rig.endpoint.check_error = error
            client = await rig.client()
            assert client.holds
            client.release()
        assert len(rig.events_of(events.BackgroundError)) == 3
        rig.assert_sound()


async def test_a_check_takes_no_more_connections_than_there_are_waiters(pool_class, autojump_clock):
    async with running(pool_class, max_connections=3) as rig:
        for client in [await rig.client() for _ in range(3)]:
            client.release()
        await trio.sleep(2)
        rig.endpoint.check_gate = trio.Event()
        await rig.client()
        assert rig.pool.statistics().checking == 1
        assert rig.pool.statistics().idle == 2
