"""One bound on what is buffered; whoever waits for room is served in order."""

from __future__ import annotations

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from bridge.memory import MemoryBudget


async def reserve_later(nursery, share, count, granted):
    """Ask for room in a task of its own; `granted` gets the count."""

    async def reserve():
        await share.reserve(count)
        granted.append(count)

    nursery.start_soon(reserve)
    await wait_all_tasks_blocked()


async def test_what_fits_is_given_without_waiting():
    budget = MemoryBudget(100)
    share = budget.share(100)
    await share.reserve(60)
    assert share.reserve_now(40)
    assert not share.reserve_now(1)
    share.release(100)
    assert budget.used == share.used == 0


async def test_waiters_are_served_in_their_order_and_no_newcomer_overtakes_them():
    share = MemoryBudget(100).share(100)
    granted = []
    async with trio.open_nursery() as nursery:
        await share.reserve(90)
        await reserve_later(nursery, share, 50, granted)
        await reserve_later(nursery, share, 5, granted)
        assert not share.reserve_now(5)
        share.release(5)
        await wait_all_tasks_blocked()
        assert granted == [], "the second would fit, and the first comes first"
        share.release(85)
        await wait_all_tasks_blocked()
        assert sorted(granted) == [5, 50]


async def test_two_shares_together_keep_to_the_budget():
    budget = MemoryBudget(100)
    one, other = budget.share(100), budget.share(60)
    granted = []
    async with trio.open_nursery() as nursery:
        await one.reserve(70)
        assert not other.reserve_now(40)
        await reserve_later(nursery, other, 40, granted)
        one.release(70)
        await wait_all_tasks_blocked()
        assert granted == [40]
        assert not other.reserve_now(30), "beyond its own share"
        assert one.reserve_now(60)


async def test_cancelled_while_waiting_nothing_was_taken():
    budget = MemoryBudget(100)
    share = budget.share(100)
    await share.reserve(100)
    with trio.CancelScope() as scope:
        scope.cancel()
        await share.reserve(1)
    assert scope.cancelled_caught
    share.release(100)
    assert budget.used == 0


async def test_behind_a_large_waiter_that_leaves_a_small_one_is_served():
    share = MemoryBudget(100).share(100)
    granted = []
    await share.reserve(50)
    async with trio.open_nursery() as nursery:
        async with trio.open_nursery() as leaving:
            await reserve_later(leaving, share, 80, [])
            await reserve_later(nursery, share, 10, granted)
            assert granted == []
            leaving.cancel_scope.cancel()
        await wait_all_tasks_blocked()
        assert granted == [10]


async def test_what_never_fits_is_an_error_at_once():
    with pytest.raises(ValueError, match="never fit"):
        await MemoryBudget(1000).share(10).reserve(11)


def test_a_large_buffer_is_used_again():
    share = MemoryBudget(1 << 30).share(1 << 30)
    share.reserve_now(2 << 20)
    first = share.allocate(2 << 20)
    buffer = first.obj
    share.drop(first)
    again = share.allocate((2 << 20) - 100)
    assert again.obj is buffer
    assert len(again) == (2 << 20) - 100


def test_two_payloads_never_share_a_buffer():
    share = MemoryBudget(1 << 30).share(1 << 30)
    one, other = share.allocate(2 << 20), share.allocate(2 << 20)
    assert one.obj is not other.obj


def test_a_buffer_that_is_much_too_large_is_left_for_others():
    share = MemoryBudget(1 << 30).share(1 << 30)
    share.reserve_now(8 << 20)
    large = share.allocate(8 << 20)
    buffer = large.obj
    share.drop(large)
    assert share.allocate(2 << 20).obj is not buffer


def test_small_ones_and_too_many_are_not_kept():
    budget = MemoryBudget(1 << 30)
    share = budget.share(1 << 30)
    for size in (1000, 100 << 20, 100 << 20):
        share.reserve_now(size)
    held = [share.allocate(size) for size in (1000, 100 << 20, 100 << 20)]
    for payload in held:
        share.drop(payload)
    assert budget.used == 0
    assert [len(buffer) for buffer in budget.spare._spare] == [100 << 20]
