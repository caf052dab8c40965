"""Instances by name, and the fleet's way down."""

from __future__ import annotations

import pytest
import trio

from bridge import events
from bridge.errors import Refused, ShuttingDown
from bridge.fleet import Fleet, Instance
from bridge.memory import MemoryBudget
from bridge.pool import PoolSettings


def instance(name: str) -> Instance:
    async def nobody():
        raise ConnectionRefusedError(111, "nobody listens")

    memory = MemoryBudget(1 << 20).share(1 << 20)
    limits = {"max_payload": 1 << 20, "cancel_grace": 1.0}
    return Instance(
        name, "unix:/x", nobody, token=None, pool=PoolSettings(), memory=memory, emit=events.ignore, **limits
    )


def fleet(*names: str) -> Fleet:
    return Fleet(map(instance, names))


def test_without_a_name_the_only_instance_is_meant():
    assert fleet("studio").find(None).name == "studio"


def test_without_a_name_default_is_meant_where_there_are_several():
    assert fleet("studio", "default").find(None).name == "default"


def test_without_a_name_and_without_default_it_is_ambiguous():
    with pytest.raises(Refused) as caught:
        fleet("studio", "farm").find(None)
    assert (caught.value.code, caught.value.data["nearest"]) == ("ambiguous_instance", ["studio", "farm"])


def test_an_unknown_name_comes_with_the_nearest():
    with pytest.raises(Refused) as caught:
        fleet("studio", "farm").find("stduio")
    assert (caught.value.code, caught.value.data["nearest"]) == ("unknown_instance", ["studio"])


def test_where_nothing_is_near_the_known_ones_are_named():
    with pytest.raises(Refused) as caught:
        fleet("studio", "farm").find("zzz")
    assert caught.value.data["nearest"] == ["studio", "farm"]


async def test_drained_it_refuses_and_its_pools_end():
    both = fleet("studio", "farm")
    async with trio.open_nursery() as nursery:
        await nursery.start(both.run)
        await both.drain()
    with pytest.raises(ShuttingDown):
        await both.find("farm").pool.acquire()


async def test_closed_it_refuses_those_who_wait():
    only = fleet("studio")
    async with trio.open_nursery() as nursery:
        await nursery.start(only.run)

        async def wait() -> None:
            with pytest.raises(ShuttingDown):
                await only.find(None).pool.acquire()

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        only.close()
