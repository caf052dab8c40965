"""How one bridge works on its queue, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from functools import partial

import pytest
import trio

from bridge import events
from bridge.errors import Lost, StoreUnavailable
from bridge.jobs.attempt import JobFailed, Snooze
from bridge.jobs.model import NewJob
from bridge.jobs.pace import Pace
from tests.bridge.jobs.places import die, let_pass
from tests.bridge.jobs.queues import PATIENCE, Gate, until, working

BRISK = Pace(lease=600.0, heartbeat=0.01, poll=0.01, backoff=0.0)


async def nothing(attempt):
    return {"fence": attempt.job.fence}


class Failing:
    """Raises each of `errors` in its turn, then does the work."""

    def __init__(self, *errors):
        self._errors = list(errors)

    async def __call__(self, attempt):
        if self._errors:
            raise self._errors.pop(0)
        return {}


# claiming


async def test_a_submitted_job_runs_at_once(store, tmp_path):
    async with working(store, nothing, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.state, job.result) == ("completed", {"fence": 1})
        assert (await bridge.told(events.JobClaimed)).kind == "test"
        assert (await bridge.told(events.JobEnded)).state == "completed"


async def test_a_delayed_job_runs_in_time_though_nothing_is_heard(store, tmp_path):
    async with working(store, nothing, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit(delay=0.2))
        assert job.started_at >= job.run_at


async def test_no_more_jobs_run_at_once_than_are_allowed(store, tmp_path):
    gate = Gate()
    async with working(store, gate, tmp_path, concurrency=2) as bridge:
        jobs = [await bridge.submit() for _ in range(6)]
        await gate.begins(jobs[1])
        assert bridge.queue.running == 2
        gate.go.set()
        for job in jobs:
            await bridge.ended(job)
        assert gate.most_at_once == 2


async def test_a_paused_queue_begins_nothing_and_goes_on_when_resumed(store, tmp_path):
    async with working(store, nothing, tmp_path) as bridge:
        await bridge.queue.pause(paused=True)
        job = await bridge.submit()
        assert (await bridge.get(job)).state == "pending"
        await bridge.queue.pause(paused=False)
        assert (await bridge.ended(job)).state == "completed"


async def test_a_retried_job_runs_at_once(store, tmp_path):
    async with working(store, Failing(JobFailed("x", "no", final=True)), tmp_path) as bridge:
        job = await bridge.submit()
        assert (await bridge.ended(job)).state == "failed"
        await bridge.queue.retry(job)
        assert (await bridge.until(job, lambda found: found.state == "completed")).errors == 0


async def test_other_bridges_hear_at_once_of_what_is_submitted(shared, tmp_path):
    with shared.opened() as elsewhere:
        async with working(shared.open(), nothing, tmp_path) as bridge:
            first = await bridge.submit()  # from now on it listens, or looks once more when it does
            await bridge.ended(first)
            job = (await trio.to_thread.run_sync(elsewhere.submit, NewJob("test", {})))[0]
            assert (await bridge.ended(job.id)).state == "completed"


# what comes of the work


async def test_an_error_costs_an_attempt_and_the_job_comes_again(store, tmp_path):
    async with working(store, Failing(JobFailed("x", "no", data={"line": 3})), tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.state, job.errors, job.fence) == ("completed", 1, 2)
        assert bridge.count()[events.JobErred] == 1


async def test_the_last_error_is_kept(store, tmp_path):
    failing = Failing(JobFailed("x", "first"), JobFailed("y", "second", data={"line": 3}))
    async with working(store, failing, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit(max_errors=2))
        assert (job.state, job.error) == ("failed", {"code": "y", "message": "second", "data": {"line": 3}})
        assert (await bridge.told(events.JobEnded)).state == "failed"


async def test_a_final_error_is_not_tried_again(store, tmp_path):
    async with working(store, Failing(JobFailed("x", "no", final=True)), tmp_path) as bridge:
        assert (await bridge.ended(await bridge.submit())).errors == 1


async def test_a_bug_in_the_work_is_the_jobs_error_and_nobody_elses(store, tmp_path):
    async with working(store, Failing(ZeroDivisionError("by a bug")), tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit(max_errors=1))
        assert job.error["code"] == "internal"
        assert "ZeroDivisionError: by a bug" in job.error["message"]
        assert (await bridge.ended(await bridge.submit())).state == "completed"


async def test_an_error_out_of_a_nursery_is_the_same_error(store, tmp_path):
    group = ExceptionGroup("nursery", [ExceptionGroup("inner", [JobFailed("x", "no")])])
    async with working(store, Failing(group), tmp_path) as bridge:
        assert (await bridge.ended(await bridge.submit(max_errors=1))).error["code"] == "x"


async def test_a_snooze_costs_nothing(store, tmp_path):
    async with working(store, Failing(*[Snooze(0.0)] * 5), tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit(max_errors=1))
        assert (job.state, job.snoozes, job.errors) == ("completed", 5, 0)
        assert bridge.count()[events.JobSnoozed] == 5


@pytest.mark.parametrize("result", [{"a": object()}, {"a": "\udc80"}])
async def test_a_result_that_cannot_be_kept_is_an_error(store, tmp_path, result):
    async def perform(attempt):
        return result

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.state, job.error["code"]) == ("failed", "unstorable")


async def test_an_error_that_cannot_be_kept_is_an_error_nevertheless(store, tmp_path):
    async with working(store, Failing(JobFailed("x", "file \udc80")), tmp_path) as bridge:
        assert (await bridge.ended(await bridge.submit())).error["code"] == "unstorable"


async def test_the_last_progress_is_kept(store, tmp_path):
    async def perform(attempt):
        for frame in range(25):
            attempt.progress(frame, 24, f"frame {frame}")
        return {}

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.progress["done"], job.progress["message"]) == (24, "frame 24")


async def test_progress_is_there_while_the_work_goes_on(store, tmp_path):
    gate = Gate()

    async def perform(attempt):
        attempt.progress(3, 24)
        return await gate(attempt)

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.submit()
        await bridge.until(job, lambda found: found.progress and found.progress["done"] == 3)


async def test_a_reference_is_there_for_the_next_attempt(store, tmp_path):
    found = []

    async def perform(attempt):
        found.append(attempt.job.external_ref)
        await attempt.remember("slurm:4711")
        if len(found) == 1:
            raise Snooze(0.0)
        return {}

    async with working(store, perform, tmp_path) as bridge:
        await bridge.ended(await bridge.submit())
        assert found == [None, "slurm:4711"]


# cancelling


async def test_a_running_jobs_work_is_stopped_at_once(store, tmp_path):
    gate = Gate()
    async with working(store, gate, tmp_path) as bridge:
        job = await bridge.submit()
        await gate.begins(job)
        await bridge.queue.cancel(job)
        assert (await bridge.ended(job)).state == "cancelled"
        assert gate.cancelled == [(job, 1)]


async def test_a_waiting_job_is_cancelled_and_never_runs(store, tmp_path):
    gate = Gate()
    async with working(store, gate, tmp_path, concurrency=1) as bridge:
        first, second = await bridge.submit(), await bridge.submit()
        await gate.begins(first)
        await bridge.queue.cancel(second)
        assert (await bridge.ended(second)).fence == 0


async def test_another_bridges_job_is_cancelled_at_once(shared, tmp_path):
    gate = Gate()
    with shared.opened() as elsewhere:
        async with working(shared.open(), gate, tmp_path) as bridge:
            job = await bridge.submit()
            await gate.begins(job)
            await trio.to_thread.run_sync(elsewhere.cancel, job)
            assert (await bridge.ended(job)).state == "cancelled"


async def test_a_group_of_errors_around_a_cancel_is_a_cancel(store, tmp_path):
    began = trio.Event()

    async def perform(attempt):
        async def break_when_cancelled():
            try:
                await trio.sleep_forever()
            finally:
                raise JobFailed("x", "its Blender died of it")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(break_when_cancelled)
            began.set()
            await trio.sleep_forever()

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.submit()
        with trio.fail_after(PATIENCE):
            await began.wait()
        await bridge.queue.cancel(job)
        job = await bridge.ended(job)
        assert (job.state, job.errors) == ("cancelled", 0)


# losing


async def test_work_on_a_job_that_is_another_owners_is_stopped_and_dropped(store, tmp_path):
    gate = Gate()
    async with working(store, gate, tmp_path, pace=BRISK) as bridge:
        job = await bridge.submit()
        await gate.begins(job)
        await trio.to_thread.run_sync(store.pause, True)
        await trio.to_thread.run_sync(store.give_back, job, 1)  # as a rescue, and another's claim
        await trio.to_thread.run_sync(store.pause, False)
        theirs = await trio.to_thread.run_sync(store.claim, "other", 600.0)
        if theirs is not None:  # else this bridge was quicker, and has it again
            assert theirs.fence == 2
        await until(lambda: (job, 1) in gate.cancelled)
        assert (await bridge.get(job)).fence == 2


async def test_a_lease_is_extended_in_time_whatever_was_set(shared, tmp_path):
    gate = Gate()
    pace = Pace(lease=0.6, heartbeat=600.0, poll=600.0)
    async with working(shared.open(), gate, tmp_path, pace=pace) as bridge:
        job = await bridge.submit()
        await gate.begins(job)
        first = (await bridge.get(job)).lease_until
        await bridge.until(job, lambda found: found.lease_until > first + 0.6)
        gate.go.set()
        assert (await bridge.ended(job)).rescues == 0


async def test_what_is_written_too_late_is_dropped(store, tmp_path):
    async def perform(attempt):
        if attempt.job.fence == 1:
            await trio.to_thread.run_sync(store.give_back, attempt.job.id, 1)
            return {"late": True}
        return {"late": False}

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.until(await bridge.submit(), lambda found: found.fence == 2 and found.ended)
        assert job.result == {"late": False}


async def test_an_attempt_that_learns_that_it_lost_is_dropped(store, tmp_path):
    async def perform(attempt):
        if attempt.job.fence == 1:
            await trio.to_thread.run_sync(store.give_back, attempt.job.id, 1)
            with pytest.raises(Lost):
                await attempt.confirm()
            await attempt.confirm()
        return {}

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.fence, job.errors) == (2, 0)


async def test_a_dead_bridges_job_is_taken_over(place, tmp_path):
    with place.opened() as dead:
        job = dead.submit(NewJob("test", {}))[0]
        dead.claim("dead", 600.0)
        die(dead, "dead")
    async with working(place.open(), nothing, tmp_path) as bridge:
        job = await bridge.ended(job.id)
        assert (job.state, job.rescues, job.fence) == ("completed", 1, 2)
        assert bridge.count()[events.JobRescued] == 1


async def test_a_job_that_kills_its_bridges_ends(place, tmp_path):
    with place.opened() as dead:
        job = dead.submit(NewJob("test", {}, max_rescues=0))[0]
        dead.claim("dead", 600.0)
        die(dead, "dead")
    async with working(place.open(), nothing, tmp_path) as bridge:
        assert (await bridge.ended(job.id)).state == "failed"
        await bridge.told(events.JobEnded)


# phases


async def in_phase(attempt):
    async with attempt.phase("rendering", 60.0):
        await trio.sleep_forever() if attempt.job.params.get("stuck") else await trio.lowlevel.checkpoint()
    return {}


async def test_a_stuck_phase_is_an_error(store, tmp_path):
    async def perform(attempt):
        async with attempt.phase("rendering", 0.05):
            await trio.sleep_forever()

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit(max_errors=2))
        assert (job.state, job.errors, job.error["code"]) == ("failed", 2, "phase_timeout")
        assert bridge.count()[events.JobPhaseEnded] == 2


async def test_an_old_job_has_all_of_its_phases_time(store, tmp_path):
    async with working(store, in_phase, tmp_path) as bridge:
        await bridge.queue.pause(paused=True)
        job = await bridge.submit()
        await trio.to_thread.run_sync(let_pass, store, 10 * 86_400.0)
        await bridge.queue.pause(paused=False)
        assert (await bridge.ended(job)).state == "completed"


async def entered(store, tmp_path, lasted):
    """A job whose phase lasted so long when its bridge was ended."""
    gate = Gate()

    async def perform(attempt):
        async with attempt.phase("rendering", 60.0):
            return await gate(attempt)

    async with working(store, perform, tmp_path) as bridge:
        job = await bridge.submit("test", {"stuck": True})
        await gate.begins(job)
        await trio.to_thread.run_sync(let_pass, store, lasted)
    return job


async def test_a_phases_time_goes_on_after_a_restart(place, tmp_path):
    job = await entered(place.open(), tmp_path, 59.9)
    async with working(place.open(), in_phase, tmp_path) as bridge:
        job = await bridge.until(job, lambda found: found.errors)
        assert job.error["code"] == "phase_timeout"


async def test_time_without_a_bridge_is_not_the_phases(place, tmp_path):
    job = await entered(place.open(), tmp_path, 10.0)
    with place.opened() as store:
        let_pass(store, 86_400.0)
    gate = Gate()

    async def perform(attempt):
        async with attempt.phase("rendering", 60.0):
            return await gate(attempt)

    async with working(place.open(), perform, tmp_path) as bridge:
        await gate.begins(job)
        gate.go.set()
        assert (await bridge.ended(job)).state == "completed"


# ending


async def test_what_ends_in_time_is_completed_by_a_drain(place, tmp_path):
    gate = Gate()
    async with working(place.open(), gate, tmp_path, concurrency=1, drain_timeout=PATIENCE) as bridge:
        job, waiting = await bridge.submit(), await bridge.submit()
        await gate.begins(job)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.queue.drain)
            gate.go.set()
    with place.opened() as store:
        assert store.get(job).state == "completed"
        assert store.get(waiting).fence == 0


async def test_what_does_not_is_given_back_at_no_cost(place, tmp_path):
    gate = Gate()
    async with working(place.open(), gate, tmp_path) as bridge:
        job = await bridge.submit()
        await gate.begins(job)
        await bridge.queue.drain()
        with pytest.raises(StoreUnavailable):
            bridge.store.stats()
    with place.opened() as store:
        job = store.get(job)
        assert (job.state, job.errors, job.rescues, job.owner) == ("pending", 0, 0, None)


async def test_a_bridge_that_ends_at_once_gives_back_what_it_has_at_no_cost(place, tmp_path):
    gate = Gate()
    async with working(place.open(), gate, tmp_path) as bridge:
        jobs = [await bridge.submit() for _ in range(3)]
        await gate.begins(jobs[-1])
    with place.opened() as store:
        assert {(job.state, job.rescues) for job in store.find()} == {("pending", 0)}


class SlowToClaim:
    """A store whose claims are told late: whatever is to happen meanwhile happens."""

    def __init__(self, store):
        self._store = store
        self.claimed = trio.Event()
        self.meanwhile = lambda: None

    def __getattr__(self, name):
        return getattr(self._store, name)

    def claim(self, owner, lease):
        job = self._store.claim(owner, lease)
        if job is not None:
            trio.from_thread.run_sync(self.claimed.set)
            self.meanwhile()
        return job


async def test_a_job_that_is_being_claimed_when_the_bridge_ends_at_once_is_given_back(place, tmp_path):
    store, ending = SlowToClaim(place.open()), threading.Event()
    store.meanwhile = partial(ending.wait, PATIENCE)
    async with working(store, Gate(), tmp_path) as bridge:
        job = await bridge.submit()
        with trio.fail_after(PATIENCE):
            await store.claimed.wait()
        bridge.nursery.cancel_scope.cancel()
        ending.set()
    with place.opened() as reopened:
        job = reopened.get(job)
        assert (job.state, job.fence, job.rescues) == ("pending", 1, 0)


async def test_a_job_that_is_being_claimed_when_a_drain_begins_is_given_back(place, tmp_path):
    store, ending = SlowToClaim(place.open()), threading.Event()
    gate = Gate()
    async with working(store, gate, tmp_path, drain_timeout=600.0) as bridge:
        running = await bridge.submit()
        await gate.begins(running)
        store.claimed, store.meanwhile = trio.Event(), partial(ending.wait, PATIENCE)
        late = await bridge.submit()
        with trio.fail_after(PATIENCE):
            await store.claimed.wait()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(bridge.queue.drain)
            await trio.testing.wait_all_tasks_blocked()
            ending.set()
            await bridge.until(late, lambda found: (found.state, found.fence) == ("pending", 1))
            gate.go.set()
    with place.opened() as reopened:
        assert reopened.get(late).rescues == 0
        assert reopened.get(running).state == "completed"


# stores that are away


class Flaky:
    """A store that cannot be reached while `away`; it does what is in `deaf_to`, and then says that it did not."""

    def __init__(self, store, deaf_to=()):
        self._store = store
        self._deaf_to = list(deaf_to)
        self.away = False
        self.refused = 0

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if not callable(method) or name == "close":
            return method

        def call(*arguments, **options):
            if self.away:
                self.refused += 1
                raise StoreUnavailable("away")
            value = method(*arguments, **options)
            if name in self._deaf_to:
                self._deaf_to.remove(name)
                raise StoreUnavailable("the answer was lost")
            return value

        return call


async def test_a_queue_goes_on_by_itself_when_its_store_is_back(place, tmp_path):
    store, gate = Flaky(place.open()), Gate()
    async with working(store, gate, tmp_path, pace=BRISK) as bridge:
        running = await bridge.submit()
        await gate.begins(running)
        store.away = True
        gate.go.set()
        await until(lambda: store.refused >= 10)
        store.away = False
        assert (await bridge.ended(running)).state == "completed"
        assert (await bridge.ended(await bridge.submit())).state == "completed"
        assert not bridge.count()[events.BackgroundError]


@pytest.mark.parametrize("method", ["complete", "set_phase", "set_external_ref"])
async def test_an_answer_of_the_store_that_is_lost_costs_nothing(place, tmp_path, method):
    async def perform(attempt):
        async with attempt.phase("rendering"):
            await attempt.remember("4711")
        return {}

    async with working(Flaky(place.open(), [method]), perform, tmp_path) as bridge:
        job = await bridge.ended(await bridge.submit())
        assert (job.state, job.fence, job.errors) == ("completed", 1, 0)
        await bridge.told(events.JobEnded)


async def test_while_the_server_is_restarted_a_job_goes_on(server, shared, tmp_path):
    gate = Gate()
    async with working(shared.open(), gate, tmp_path, pace=BRISK) as bridge:
        job = await bridge.submit()
        await gate.begins(job)
        await trio.to_thread.run_sync(server.stop, "immediate")
        gate.go.set()
        await trio.to_thread.run_sync(server.start)
        await until(lambda: not bridge.queue.running)
        job = await bridge.ended(job)
        assert (job.state, job.fence, job.rescues) == ("completed", 1, 0)
        assert (await bridge.ended(await bridge.submit())).state == "completed"


async def test_after_a_restart_of_the_server_bridges_hear_of_each_other_again(server, shared, tmp_path):
    async with working(shared.open(), nothing, tmp_path) as bridge:
        await bridge.ended(await bridge.submit())
        await trio.to_thread.run_sync(server.stop, "immediate")
        await trio.to_thread.run_sync(server.start)
        with shared.opened() as elsewhere:
            job = (await trio.to_thread.run_sync(elsewhere.submit, NewJob("test", {})))[0]
            assert (await bridge.ended(job.id)).state == "completed"
        assert not bridge.count()[events.BackgroundError]


# forgetting


async def test_a_forgotten_jobs_files_are_removed(place, tmp_path):
    with place.opened() as store:
        job = store.cancel(store.submit(NewJob("test", {}, retention=0.0))[0].id).id
        kept = store.cancel(store.submit(NewJob("test", {}))[0].id).id
    for name in (job, kept):
        (tmp_path / name / "outputs").mkdir(parents=True)
    async with working(place.open(), nothing, tmp_path):
        await until(lambda: not (tmp_path / job).exists())
    assert (tmp_path / kept / "outputs").exists()
