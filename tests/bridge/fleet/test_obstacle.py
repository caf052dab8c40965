"""Why an instance cannot serve, where the bridge itself starts what is behind it."""

from __future__ import annotations

from bridge.supervisor import WorkerState


async def test_one_that_the_next_request_starts_can_serve(instance):
    sleeper = instance("studio", asleep=lambda: True)
    sleeper.worker = WorkerState("studio", "fresh", "asleep")
    assert sleeper.obstacle() is None


async def test_one_that_sleeps_behind_a_paused_pool_cannot(instance):
    sleeper = instance("studio", asleep=lambda: True)
    sleeper.pool.pause()
    assert sleeper.obstacle() == "its pool is paused"


async def test_it_is_said_how_far_its_worker_is(instance):
    starting = instance("studio")
    starting.worker = WorkerState("studio", "fresh", "importing")
    assert starting.obstacle() == "its worker is importing"
    starting.worker.phase, starting.worker.last_error = "failed", "it ended with status 3"
    assert starting.obstacle() == "its worker is failed: it ended with status 3"


async def test_a_ready_worker_is_no_answer_yet(instance):
    young = instance("studio")
    young.worker = WorkerState("studio", "fresh", "ready")
    assert young.obstacle() == "no connection to it is open yet"
