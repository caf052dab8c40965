"""The number of jobs in each state is told at each change, and in between."""

from __future__ import annotations

import trio

from bridge import events
from bridge.jobs import counting
from bridge.jobs.access import Access
from bridge.jobs.model import NewJob

from .claims import claims_in


async def test_it_is_told_at_the_start_at_each_change_and_again_by_itself(tmp_path, autojump_clock, nursery):
    changed = trio.Event()
    send, receive = trio.open_memory_channel[events.BridgeEvent](10)
    with claims_in(tmp_path / "jobs") as claims:
        tell = send.send_nowait
        silences = {"code": 3.0}
        nursery.start_soon(counting.tell_counts, claims.store, Access(), lambda: changed, lambda: silences, tell)
        first = await receive.receive()
        assert (first.counts["pending"], first.silences) == (0, silences)
        claims.store.submit(NewJob("code", {}))
        began = trio.current_time()
        changed, before = trio.Event(), changed
        before.set()
        assert (await receive.receive()).counts["pending"] == 1
        assert trio.current_time() - began < counting.INTERVAL
        began = trio.current_time()
        await receive.receive()
        assert trio.current_time() - began >= counting.INTERVAL - 0.01
        nursery.cancel_scope.cancel()
