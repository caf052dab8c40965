"""What ended jobs have in other systems is ended, whatever became of the bridge that began it."""

from __future__ import annotations

import trio

from bridge.errors import BridgeError
from bridge.jobs.access import Access
from bridge.jobs.elsewhere import Elsewhere
from bridge.jobs.model import NewJob
from tests.bridge.jobs.queues import PATIENCE, until, working

NEVER, OFTEN = 600.0, 0.01


class OtherSystem:
    """Ends what it is told to; `silent`, it does not answer."""

    def __init__(self, *, silent=False):
        self.silent = silent
        self.asked = 0
        self.ended = []

    async def __call__(self, job, directory):
        self.asked += 1
        if self.silent:
            raise BridgeError("no answer")
        self.ended.append((job.id, job.external_ref, directory.name))


def submitted_elsewhere(store) -> str:
    """A job that waits in the queue until it is to be looked at again."""
    store.submit(NewJob("test", {}))
    job = store.claim("me", 30.0)
    store.set_external_ref(job.id, job.fence, "other:1")
    store.snooze(job.id, job.fence, 600.0)
    return job.id


async def looking(nursery, store, system, directory, interval=NEVER) -> Elsewhere:
    elsewhere = Elsewhere(store, Access(), system, directory, interval)
    nursery.start_soon(elsewhere.run)
    return elsewhere


async def test_what_a_job_has_there_that_was_cancelled_while_it_waited_is_ended(store, tmp_path):
    job, system = submitted_elsewhere(store), OtherSystem()
    store.cancel(job)
    async with trio.open_nursery() as nursery:
        await looking(nursery, store, system, tmp_path)
        await until(lambda: store.get(job).external_ref is None)
        nursery.cancel_scope.cancel()
    assert system.ended == [(job, "other:1", job)]


async def test_what_a_job_has_there_that_goes_on_is_left_alone(store, tmp_path):
    going, cancelled, system = submitted_elsewhere(store), submitted_elsewhere(store), OtherSystem()
    store.cancel(cancelled)
    async with trio.open_nursery() as nursery:
        await looking(nursery, store, system, tmp_path)
        await until(lambda: store.get(cancelled).external_ref is None)
        nursery.cancel_scope.cancel()
    assert [job for job, *_ in system.ended] == [cancelled]
    assert store.get(going).external_ref == "other:1"


async def test_where_the_other_system_is_silent_it_is_asked_again(store, tmp_path):
    job, system = submitted_elsewhere(store), OtherSystem(silent=True)
    store.cancel(job)
    async with trio.open_nursery() as nursery:
        await looking(nursery, store, system, tmp_path, OFTEN)
        await until(lambda: system.asked > 1)
        assert store.get(job).external_ref == "other:1"
        system.silent = False
        await until(lambda: store.get(job).external_ref is None)
        nursery.cancel_scope.cancel()


def test_a_job_that_was_retried_meanwhile_keeps_what_it_has(store):
    job = submitted_elsewhere(store)
    store.cancel(job)
    store.retry(job)
    store.settled_elsewhere(job, "other:1")
    assert store.get(job).external_ref == "other:1"


async def test_a_running_job_that_is_cancelled_has_nothing_there_any_more(store, tmp_path):
    began, system = trio.Event(), OtherSystem()

    async def work(attempt):
        await attempt.remember("other:2")
        began.set()
        await trio.sleep_forever()

    async with working(store, work, tmp_path, release=system) as bridge:
        job = await bridge.submit()
        with trio.fail_after(PATIENCE):
            await began.wait()
        await bridge.queue.cancel(job)
        ended = await bridge.until(job, lambda found: found.ended and found.external_ref is None)
    assert ended.state == "cancelled"
    assert system.ended == [(job, "other:2", job)]
