"""Whichever is free first: one acquirer in the queues of several pools."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge.errors import BlenderUnavailable, Busy, ShuttingDown
from bridge.pool import Contest
from tests.bridge.pool.fakes import Client, Rig, release_and_cancel, running


class Either:
    """The pools of some rigs as one, for a Client to acquire from."""

    def __init__(self, *rigs: Rig) -> None:
        self._contest: Contest[Any] = Contest("any")
        self._pools = [rig.pool for rig in rigs]
        self.pool = self
        self.served: list[str] = []

    async def acquire(self) -> Any:
        pool, lease = await self._contest.acquire(self._pools)
        assert lease.slot.connection in pool.connections
        return lease


class Two:
    """Two pools, `one` and `other`, and clients of the one, of the other or of either."""

    def __init__(self, one: Rig, other: Rig) -> None:
        self.one, self.other = one, other
        self.either = Either(one, other)
        self.clients: list[Client] = []
        for rig in (one, other):
            rig.pool.connections = rig.endpoint.open

    async def asks(self, which: Any, name: str = "") -> Client:
        client = Client(which, name)
        self.clients.append(client)
        self.one.nursery.start_soon(client.run)
        await wait_all_tasks_blocked()
        return client

    def assert_nobody_waits(self) -> None:
        assert [rig.pool.statistics().waiting for rig in (self.one, self.other)] == [0, 0]

    def assert_nothing_is_lent(self) -> None:
        assert [rig.pool.statistics().leased for rig in (self.one, self.other)] == [0, 0]


@asynccontextmanager
async def two(pool_class: Any, **settings: Any) -> AsyncIterator[Two]:
    async with (
        running(pool_class, name="one", **{"max_connections": 1, **settings}) as one,
        running(pool_class, name="other", **{"max_connections": 1, **settings}) as other,
    ):
        both = Two(one, other)
        yield both
        await wait_all_tasks_blocked()
        for client in both.clients:
            client.cancel()
        await wait_all_tasks_blocked()
        both.assert_nobody_waits()
        both.assert_nothing_is_lent()


async def test_two_requests_go_to_two_blenders(pool_class, autojump_clock):
    async with two(pool_class, max_connections=4) as both:
        first, second = await both.asks(both.either), await both.asks(both.either)
        assert first.connection.endpoint is not second.connection.endpoint


async def test_it_goes_to_whichever_is_free_first(pool_class, autojump_clock):
    for freed in ("one", "other"):
        async with two(pool_class) as both:
            holders = {"one": await both.asks(both.one), "other": await both.asks(both.other)}
            waiter = await both.asks(both.either)
            assert waiter.waits
            holders[freed].release()
            await wait_all_tasks_blocked()
            assert waiter.connection.endpoint is getattr(both, freed).endpoint
            both.assert_nobody_waits()


async def test_a_blender_with_spare_connections_that_does_something_is_not_free(pool_class, autojump_clock):
    async with two(pool_class, max_connections=4, warm=4) as both:
        holders = [await both.asks(both.one), await both.asks(both.one), await both.asks(both.other)]
        waiter = await both.asks(both.either)
        assert both.one.pool.statistics().idle == 2
        holders[0].release()
        await wait_all_tasks_blocked()
        assert waiter.waits
        holders[1].release()
        await wait_all_tasks_blocked()
        assert waiter.connection.endpoint is both.one.endpoint


async def test_requests_for_either_are_served_in_their_order(pool_class, autojump_clock):
    async with two(pool_class) as both:
        holders = [await both.asks(both.one), await both.asks(both.other)]
        waiters = [await both.asks(both.either, str(number)) for number in range(4)]
        for holder in (*holders, *waiters):
            holder.release()
            await wait_all_tasks_blocked()
        assert both.either.served == ["0", "1", "2", "3"]


async def test_nobody_overtakes_in_either_direction(pool_class, autojump_clock):
    async with two(pool_class) as both:
        holder, _ = await both.asks(both.one), await both.asks(both.other)
        before, either, after = await both.asks(both.one), await both.asks(both.either), await both.asks(both.one)
        for leaving, served in ((holder, before), (before, either), (either, after)):
            leaving.release()
            await wait_all_tasks_blocked()
            assert served.holds


async def test_who_waits_behind_one_that_is_served_elsewhere_waits_no_longer(pool_class, autojump_clock):
    async with two(pool_class, max_connections=2, warm=2) as both:
        await both.asks(both.one)
        holder = await both.asks(both.other)
        either, behind = await both.asks(both.either), await both.asks(both.one)
        assert behind.waits
        holder.release()
        await wait_all_tasks_blocked()
        assert either.connection.endpoint is both.other.endpoint
        assert behind.connection.endpoint is both.one.endpoint


async def test_cancelled_it_leaves_every_queue_and_the_next_is_served(pool_class, autojump_clock):
    async with two(pool_class, max_connections=2, warm=2) as both:
        await both.asks(both.one)
        await both.asks(both.other)
        either, behind = await both.asks(both.either), await both.asks(both.one)
        either.cancel()
        await wait_all_tasks_blocked()
        assert either.cancelled
        assert behind.holds
        both.assert_nobody_waits()


async def test_cancelled_in_the_tick_of_the_hand_off_the_connection_is_not_lost(pool_class, autojump_clock):
    async with two(pool_class) as both:
        holders = [await both.asks(both.one), await both.asks(both.other)]
        victim, survivor = await both.asks(both.either), await both.asks(both.either)
        await release_and_cancel(holders[0], victim)
        assert victim.cancelled
        assert survivor.holds


async def test_both_free_in_the_same_tick_serve_two_requests(pool_class, autojump_clock):
    async with two(pool_class) as both:
        holders = [await both.asks(both.one), await both.asks(both.other)]
        waiters = [await both.asks(both.either), await both.asks(both.either)]
        for holder in holders:
            holder.release()
        await wait_all_tasks_blocked()
        assert [waiter.holds for waiter in waiters] == [True, True]


async def test_both_free_in_the_same_tick_serve_one_request_once(pool_class, autojump_clock):
    async with two(pool_class) as both:
        holders = [await both.asks(both.one), await both.asks(both.other)]
        waiter = await both.asks(both.either)
        for holder in holders:
            holder.release()
        await wait_all_tasks_blocked()
        assert waiter.holds
        assert [rig.pool.statistics().leased for rig in (both.one, both.other)] == [1, 0]


async def test_one_that_cannot_be_reached_does_not_fail_it_while_the_other_may_serve(pool_class, autojump_clock):
    async with two(pool_class, unavailable_timeout=5) as both:
        both.one.endpoint.error = OSError("refused")
        holder = await both.asks(both.other)
        waiter = await both.asks(both.either)
        await trio.sleep(60)
        assert waiter.waits
        holder.release()
        await wait_all_tasks_blocked()
        assert waiter.connection.endpoint is both.other.endpoint


async def test_when_none_can_be_reached_it_fails(pool_class, autojump_clock):
    async with two(pool_class, unavailable_timeout=5) as both:
        both.one.endpoint.error = both.other.endpoint.error = OSError("refused")
        with pytest.raises(BlenderUnavailable):
            await both.either.acquire()


async def test_one_that_closes_does_not_fail_it_but_the_last_one_does(pool_class, autojump_clock):
    async with two(pool_class) as both:
        await both.asks(both.one)
        await both.asks(both.other)
        waiter = await both.asks(both.either)
        both.one.pool.close()
        await wait_all_tasks_blocked()
        assert waiter.waits
        both.other.pool.close()
        await wait_all_tasks_blocked()
        assert isinstance(waiter.error, ShuttingDown)
        with pytest.raises(ShuttingDown):
            await both.either.acquire()


async def test_a_full_queue_is_busy_only_where_all_are_full(pool_class, autojump_clock):
    async with two(pool_class, max_waiting=1) as both:
        await both.asks(both.one)
        await both.asks(both.other)
        await both.asks(both.one)
        waiter = await both.asks(both.either)
        assert waiter.waits
        with pytest.raises(Busy):
            await both.either.acquire()


async def test_a_paused_pool_serves_none(pool_class, autojump_clock):
    async with two(pool_class, warm=1) as both:
        both.one.pool.pause()
        both.other.pool.pause()
        waiter = await both.asks(both.either)
        assert waiter.waits
        both.other.pool.resume()
        await wait_all_tasks_blocked()
        assert waiter.connection.endpoint is both.other.endpoint
