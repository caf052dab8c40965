"""Instances come and go while the fleet runs, and the fleet's way down."""

from __future__ import annotations

import pytest
import trio
from structlog.contextvars import bound_contextvars, get_contextvars

from bridge.errors import ShuttingDown
from bridge.fleet import Fleet, Group


@pytest.fixture
def both(instance):
    return Fleet([instance("studio"), instance("farm")])


async def test_drained_it_refuses_and_its_pools_end(both):
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)
        await both.drain()
    with pytest.raises(ShuttingDown):
        await both.find("farm").pool.acquire()


async def test_closed_it_refuses_those_who_wait(both):
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)

        async def wait() -> None:
            with pytest.raises(ShuttingDown):
                await both.find("studio").pool.acquire()

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        both.close()


async def test_it_runs_without_any_instance_until_it_is_drained():
    empty = Fleet()
    async with trio.open_nursery() as nursery:
        await nursery.start(empty.run)
        await trio.testing.wait_all_tasks_blocked()
        assert nursery.child_tasks
        await empty.drain()


async def test_one_that_is_added_while_it_runs_runs(both, instance):
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)
        late = instance("late")
        both.add(late)
        await trio.testing.wait_all_tasks_blocked()
        assert late.pool.statistics().connect_failures, "it has tried to keep a connection warm"
        assert late.trace is both.trace
        await both.drain()


async def test_what_one_logs_is_not_said_of_the_request_that_it_came_with(both, instance, monkeypatch):
    context = []

    async def noting() -> None:
        context.append(get_contextvars())

    late = instance("late")
    monkeypatch.setattr(late, "run", noting)
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)
        with bound_contextvars(connection="c1"):
            both.add(late)
        await trio.testing.wait_all_tasks_blocked()
        assert context == [{}]
        await both.drain()


async def test_one_that_is_removed_ends_and_refuses_those_who_wait_and_the_others_go_on(both):
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)
        farm = both.find("farm")

        async def wait() -> None:
            with pytest.raises(ShuttingDown):
                await farm.pool.acquire()

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        both.remove("farm")
        assert list(both.instances) == ["studio"]
        await trio.testing.wait_all_tasks_blocked()
        assert farm.pool.statistics().state == "closed"
        assert both.find("studio").pool.statistics().state == "open"
        await both.drain()


def test_a_name_is_given_once(both, instance):
    with pytest.raises(ValueError, match="called farm already"):
        both.add(instance("farm"))
    with pytest.raises(ValueError, match="called farm already"):
        both.add_group(Group("farm", both.instances.values()))


async def test_a_group_goes_with_the_first_of_its_members(both):
    both.add_group(Group("any", both.instances.values()))
    both.remove("farm")
    assert both.groups == {}


async def test_one_that_is_added_after_the_end_takes_nothing(both, instance):
    both.close()
    late = instance("late")
    both.add(late)
    with pytest.raises(ShuttingDown):
        await late.pool.acquire()
