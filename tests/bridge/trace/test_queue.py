"""The queue to one watcher: bounded, and honest about what was lost."""

from __future__ import annotations

import json
from typing import Any

import pytest
import trio
import trio.testing

from blender_addon import wire
from bridge.trace import Trace, Wanted, watcher


def pinged(trace: Trace) -> None:
    trace.tap("client", "c1").goes([wire.head(b'{"kind":"ping","id":"1"}', 0)])


async def test_the_loss_is_told_with_the_first_frame_after_it(autojump_clock):
    trace, told = Trace(), []
    free = trio.Event()

    def send(_: str, data: Any) -> bool:
        if told and not free.is_set():
            return False
        told.append(json.loads(bytes(data)))
        if len(told) == 3:
            pinged(trace)
        return True

    with trace.watch("", Wanted()) as seeing:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(seeing.run, send, trio.current_time() + 60)
            await trio.testing.wait_all_tasks_blocked()
            for _ in range(watcher.MOST_WAITING + 5):
                pinged(trace)
            free.set()
            seeing.close()
    assert [index for index, record in enumerate(told) if "dropped" in record] == [len(told) - 1]
    assert told[-1]["dropped"] == seeing.seen - seeing.sent == 5
    assert "envelope" in told[-1]


async def test_closed_with_nothing_queued_it_ends_at_once(autojump_clock):
    began = trio.current_time()
    with Trace().watch("", Wanted()) as seeing:
        seeing.close()
        assert await seeing.run(lambda *_: True, began + 60) == "shutdown"
    assert trio.current_time() == began


async def test_closed_while_nobody_reads_it_ends_after_a_second(autojump_clock):
    began = trio.current_time()
    with Trace().watch("", Wanted()) as seeing:
        seeing.close()
        assert await seeing.run(lambda *_: False, began + 60) == "shutdown"
    assert trio.current_time() - began == pytest.approx(1.0)


async def test_when_nobody_reads_for_30_seconds_it_ends(autojump_clock):
    began = trio.current_time()
    with Trace().watch("", Wanted()) as seeing:
        assert await seeing.run(lambda *_: False, began + 3600) == "unread"
    assert trio.current_time() - began == pytest.approx(30.0)


async def test_many_large_records_do_not_pile_up():
    many, limit = watcher.MOST_WAITING, 100_000
    trace = Trace()
    with trace.watch("", Wanted(payloads=True, payload_limit=limit)) as seeing:
        tap = trace.tap("client", "c1")
        for _ in range(many):
            tap.goes([wire.head(b'{"kind":"ping","id":"1"}', limit), b"x" * limit])
        assert seeing.seen == many
        assert seeing._weight <= 8 << 20


async def test_ids_that_never_come_back_do_not_pile_up():
    trace = Trace()
    with trace.watch("", Wanted()) as seeing:
        tap = trace.tap("client", "c1")
        for number in range(5000):
            tap.goes([wire.head(b'{"kind":"ping","id":"%d"}' % number, 0)])
        assert len(seeing._asked) <= 4096
