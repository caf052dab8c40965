"""What every store of jobs does, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest

from bridge.errors import KeyConflict, Lost, StoreUnavailable, Unstorable
from bridge.jobs.model import DAY, NewJob
from tests.bridge.jobs.places import die, let_pass

LEASE = 30.0
ERROR = {"code": "x", "message": "it broke", "data": {}}

FENCED = {
    "set_phase": lambda store, job, fence: store.set_phase(job, fence, "rendering", None),
    "set_progress": lambda store, job, fence: store.set_progress(job, fence, {"done": 1}),
    "set_external_ref": lambda store, job, fence: store.set_external_ref(job, fence, "4711"),
    "confirm": lambda store, job, fence: store.confirm(job, fence),
    "complete": lambda store, job, fence: store.complete(job, fence, {}),
    "fail": lambda store, job, fence: store.fail(job, fence, ERROR, 0.0),
    "snooze": lambda store, job, fence: store.snooze(job, fence, 0.0),
    "give_back": lambda store, job, fence: store.give_back(job, fence),
    "cancelled": lambda store, job, fence: store.cancelled(job, fence),
}
ENDINGS = ("complete", "fail", "snooze", "give_back")


def submit(store, kind="render", params=None, **values):
    return store.submit(NewJob(kind, params or {}, **values))[0]


def claimed(store, owner="me", **values):
    """A new job, claimed."""
    new = submit(store, **values)
    job = store.claim(owner, LEASE)
    assert job is not None
    assert job.id == new.id
    return job


# submitting


def test_a_job_is_pending_with_what_was_submitted(store):
    params = {"text": "äöü \0 ☃", "numbers": [1, 2.5, -0.0, 1e300, 2**63 - 1], "nested": {"b": [None, True], "a": {}}}
    new = NewJob("export", params, key="k", priority=-3, delay=60.0, max_errors=7, max_rescues=9, retention=5.0)
    job, created = store.submit(new)
    assert created
    assert (job.kind, job.params, job.key, job.priority, job.state) == ("export", params, "k", -3, "pending")
    assert (job.max_errors, job.max_rescues, job.retention) == (7, 9, 5.0)
    assert (job.fence, job.errors, job.snoozes, job.rescues, job.cancel_requested) == (0, 0, 0, 0, False)
    assert job.run_at == pytest.approx(job.created_at + 60.0)
    assert store.get(job.id) == job


def test_ids_sort_by_age(store):
    submitted = [submit(store).id for _ in range(5)]
    assert sorted(submitted, key=lambda job: job[:10]) == submitted
    assert len(set(submitted)) == 5


def test_a_key_submitted_again_is_the_same_job(store):
    job, created = store.submit(NewJob("render", {"a": 1, "b": 2}, key="k"))
    again, created_again = store.submit(NewJob("render", {"b": 2, "a": 1}, key="k"))
    assert (created, created_again) == (True, False)
    assert again == job


@pytest.mark.parametrize("other", [NewJob("render", {"a": True}, key="k"), NewJob("export", {"a": 1}, key="k")])
def test_a_key_with_other_work_is_a_conflict(store, other):
    store.submit(NewJob("render", {"a": 1}, key="k"))
    with pytest.raises(KeyConflict, match="'k'"):
        store.submit(other)


def test_without_a_key_the_same_work_is_two_jobs(store):
    assert submit(store).id != submit(store).id


def test_params_that_are_no_json_are_refused(store):
    with pytest.raises(Unstorable):
        submit(store, params={"what": object()})
    assert store.stats()["pending"] == 0


def test_text_that_the_database_does_not_take_is_refused_and_harms_nothing(store):
    with pytest.raises(Unstorable):
        submit(store, key="\udc80")
    assert submit(store).state == "pending"


# claiming


def test_the_lowest_priority_number_is_claimed_first_then_the_oldest(store):
    late, first, second = submit(store, priority=5), submit(store, priority=-1), submit(store, priority=-1)
    let_pass(store, 10.0, first.id)
    assert [store.claim("me", LEASE).id for _ in range(3)] == [first.id, second.id, late.id]
    assert store.claim("me", LEASE) is None


def test_a_claimed_job_is_its_owners(store):
    job = claimed(store, "me")
    assert (job.state, job.owner, job.fence) == ("processing", "me", 1)
    assert job.started_at is not None
    assert job.lease_until > job.started_at


def test_a_delayed_job_is_not_claimed_before_its_time(store):
    job = submit(store, delay=60.0)
    assert store.claim("me", LEASE) is None
    assert 59.0 < store.next_run_at() <= 60.0
    let_pass(store, 60.0)
    assert store.next_run_at() <= 0.0
    assert store.claim("me", LEASE).id == job.id


def test_where_nothing_waits_there_is_no_next_time(store):
    assert store.next_run_at() is None
    claimed(store)
    assert store.next_run_at() is None


def test_started_at_is_that_of_the_first_claim(store):
    job = claimed(store)
    let_pass(store, 10.0)
    store.snooze(job.id, job.fence, 0.0)
    assert store.claim("me", LEASE).started_at == pytest.approx(job.started_at - 10.0)


# the fence


@pytest.mark.parametrize("write", FENCED)
def test_a_write_of_an_older_claim_is_lost_and_changes_nothing(store, write):
    old = claimed(store, "a")
    store.give_back(old.id, old.fence)
    new = store.claim("b", LEASE)
    with pytest.raises(Lost):
        FENCED[write](store, old.id, old.fence)
    assert store.get(old.id) == new


@pytest.mark.parametrize("write", FENCED)
@pytest.mark.parametrize("ending", ENDINGS)
def test_a_write_after_the_end_of_the_claim_is_lost_and_changes_nothing(store, write, ending):
    job = claimed(store)
    FENCED[ending](store, job.id, job.fence)
    after = store.get(job.id)
    with pytest.raises(Lost):
        FENCED[write](store, job.id, job.fence)
    assert store.get(job.id) == after


@pytest.mark.parametrize("write", FENCED)
def test_a_write_of_a_claim_whose_owner_died_is_lost(store, write):
    job = claimed(store, "dead")
    die(store, "dead")
    store.rescue("alive")
    with pytest.raises(Lost):
        FENCED[write](store, job.id, job.fence)


@pytest.mark.parametrize("write", FENCED)
def test_a_write_to_a_job_that_is_not_there_is_lost(store, write):
    with pytest.raises(Lost):
        FENCED[write](store, "nothing", 1)


# the ends of an attempt


def test_a_completed_job_has_its_result_and_no_error(store):
    job = claimed(store)
    store.fail(job.id, job.fence, ERROR, 0.0)
    job = store.claim("me", LEASE)
    store.complete(job.id, job.fence, {"files": ["a.png"]})
    job = store.get(job.id)
    assert (job.state, job.result, job.error, job.owner, job.lease_until) == (
        "completed", {"files": ["a.png"]}, None, None, None,
    )  # fmt: skip
    assert job.finished_at >= job.started_at


def test_an_error_is_kept_and_the_job_waits_for_the_backoff(store):
    job = claimed(store)
    failed = store.fail(job.id, job.fence, ERROR, 60.0)
    assert (failed.state, failed.errors, failed.error, failed.owner) == ("pending", 1, ERROR, None)
    assert store.claim("me", LEASE) is None
    let_pass(store, 60.0)
    assert store.claim("me", LEASE).fence == 2


def test_the_last_error_that_is_allowed_fails_the_job(store):
    job = claimed(store, max_errors=2)
    assert store.fail(job.id, job.fence, ERROR, 0.0).state == "pending"
    job = store.claim("me", LEASE)
    failed = store.fail(job.id, job.fence, ERROR, 0.0)
    assert (failed.state, failed.errors) == ("failed", 2)
    assert failed.finished_at is not None
    assert store.claim("me", LEASE) is None


def test_a_final_error_fails_the_job_at_once(store):
    job = claimed(store)
    assert store.fail(job.id, job.fence, ERROR, 0.0, final=True).state == "failed"


def test_snoozes_cost_nothing_however_many(store):
    job = claimed(store, max_errors=2, max_rescues=1)
    for _ in range(300):
        store.snooze(job.id, job.fence, 0.0)
        job = store.claim("me", LEASE)
    assert (job.snoozes, job.errors, job.rescues) == (300, 0, 0)
    assert store.fail(job.id, job.fence, ERROR, 0.0).state == "pending"


def test_a_snoozed_job_is_looked_at_again_in_time(store):
    job = claimed(store)
    assert store.snooze(job.id, job.fence, 60.0).state == "pending"
    assert store.claim("me", LEASE) is None
    let_pass(store, 60.0)
    assert store.claim("me", LEASE).id == job.id


def test_a_job_that_is_given_back_is_the_next_at_no_cost(store):
    job = claimed(store)
    submit(store)
    store.give_back(job.id, job.fence)
    again = store.claim("other", LEASE)
    assert (again.id, again.errors, again.snoozes, again.rescues) == (job.id, 0, 0, 0)


# what an attempt keeps


def test_progress_and_references_outlive_the_owner(store):
    job = claimed(store, "dead")
    store.set_progress(job.id, job.fence, {"done": 3, "total": 24})
    store.set_external_ref(job.id, job.fence, "slurm:4711")
    die(store, "dead")
    store.rescue("alive")
    again = store.claim("alive", LEASE)
    assert (again.progress, again.external_ref) == ({"done": 3, "total": 24}, "slurm:4711")


# phases


def test_a_phase_begins_when_it_is_entered(store):
    job = claimed(store)
    let_pass(store, 100.0)
    assert store.set_phase(job.id, job.fence, "rendering", 60.0) == pytest.approx(0.0, abs=1.0)
    job = store.get(job.id)
    assert (job.phase, job.phase_timeout) == ("rendering", 60.0)


def test_the_same_phase_again_goes_on(store):
    job = claimed(store)
    store.set_phase(job.id, job.fence, "rendering", 60.0)
    let_pass(store, 10.0)
    assert store.set_phase(job.id, job.fence, "rendering", 90.0) == pytest.approx(10.0, abs=1.0)
    assert store.set_phase(job.id, job.fence, "collecting", None) == pytest.approx(0.0, abs=1.0)


def test_a_phase_goes_on_while_its_job_snoozes(store):
    job = claimed(store)
    store.set_phase(job.id, job.fence, "rendering", 60.0)
    store.snooze(job.id, job.fence, 0.0)
    let_pass(store, 10.0)
    job = store.claim("me", LEASE)
    assert store.set_phase(job.id, job.fence, "rendering", 60.0) == pytest.approx(10.0, abs=1.0)


def test_an_error_ends_the_phase(store):
    job = claimed(store)
    store.set_phase(job.id, job.fence, "rendering", 60.0)
    let_pass(store, 10.0)
    assert store.fail(job.id, job.fence, ERROR, 0.0).phase is None
    job = store.claim("me", LEASE)
    assert store.set_phase(job.id, job.fence, "rendering", 60.0) == pytest.approx(0.0, abs=1.0)


def test_time_after_it_was_given_back_is_not_the_phases(store):
    job = claimed(store)
    store.set_phase(job.id, job.fence, "rendering", 60.0)
    let_pass(store, 10.0)
    store.give_back(job.id, job.fence)
    let_pass(store, 1000.0)
    job = store.claim("me", LEASE)
    assert store.set_phase(job.id, job.fence, "rendering", 60.0) == pytest.approx(10.0, abs=1.0)


def test_time_after_its_owner_was_last_heard_of_is_not_the_phases(store):
    job = claimed(store, "dead")
    store.set_phase(job.id, job.fence, "rendering", 60.0)
    let_pass(store, 10.0)
    store.heartbeat("dead", LEASE)
    let_pass(store, 1000.0)
    store.rescue("alive")
    let_pass(store, 1000.0)
    job = store.claim("alive", LEASE)
    assert store.set_phase(job.id, job.fence, "rendering", 60.0) == pytest.approx(10.0, abs=1.0)


# owners that die


def test_a_dead_owners_job_is_pending_again(store):
    job = claimed(store, "dead")
    die(store, "dead")
    [rescued] = store.rescue("alive")
    assert (rescued.id, rescued.state, rescued.owner) == (job.id, "pending", None)
    assert (rescued.rescues, rescued.errors, rescued.snoozes) == (1, 0, 0)
    assert store.claim("alive", LEASE).fence == 2


def test_a_living_owners_job_is_not_rescued(store):
    claimed(store, "alive")
    assert store.rescue("alive") == []


def test_a_job_that_kills_its_owners_fails(store):
    submit(store, max_rescues=2)
    for rescues in range(1, 4):
        store.claim("dead", LEASE)
        die(store, "dead")
        [job] = store.rescue("alive")
        assert (job.rescues, job.state) == (rescues, "pending" if rescues < 3 else "failed")
    assert job.error["code"] == "rescued_too_often"
    assert job.finished_at is not None


def test_a_job_that_waits_or_has_ended_is_not_rescued(store):
    job = claimed(store, "dead")
    store.complete(job.id, job.fence, {})
    submit(store)
    die(store, "dead")
    assert store.rescue("alive") == []


# heartbeats


def test_a_heartbeat_tells_of_the_owners_jobs_alone(store):
    mine, _ = claimed(store, "me"), claimed(store, "other")
    assert store.heartbeat("me", LEASE) == [(mine.id, mine.fence, False)]
    assert store.heartbeat("nobody", LEASE) == []


def test_a_heartbeat_tells_what_is_to_be_cancelled(store):
    job = claimed(store)
    store.cancel(job.id)
    assert store.heartbeat("me", LEASE) == [(job.id, job.fence, True)]


def test_a_heartbeat_extends_the_lease(store):
    job = claimed(store)
    store.heartbeat("me", 1000.0)
    assert store.get(job.id).lease_until > job.lease_until + 900.0


# cancelling, and again


def test_a_waiting_job_is_cancelled_at_once(store):
    job = store.cancel(submit(store).id)
    assert job.state == "cancelled"
    assert job.finished_at is not None
    assert store.claim("me", LEASE) is None


def test_a_running_job_is_cancelled_once_its_owner_says_so(store):
    job = claimed(store)
    asked = store.cancel(job.id)
    assert (asked.state, asked.cancel_requested) == ("processing", True)
    store.cancelled(job.id, job.fence)
    assert store.get(job.id).state == "cancelled"


@pytest.mark.parametrize("ending", ["fail", "snooze", "give_back"])
def test_a_job_that_is_to_be_cancelled_does_not_come_again(store, ending):
    job = claimed(store)
    store.cancel(job.id)
    FENCED[ending](store, job.id, job.fence)
    after = store.get(job.id)
    assert after.state == "cancelled"
    assert after.finished_at is not None


def test_a_dead_owners_job_that_is_to_be_cancelled_is_cancelled(store):
    job = claimed(store, "dead", max_rescues=0)
    store.cancel(job.id)
    die(store, "dead")
    [rescued] = store.rescue("alive")
    assert (rescued.state, rescued.error) == ("cancelled", None)


def test_work_that_ended_before_its_cancel_got_there_is_completed(store):
    job = claimed(store)
    store.cancel(job.id)
    store.complete(job.id, job.fence, {})
    assert store.get(job.id).state == "completed"


def test_a_job_that_has_ended_is_not_cancelled(store):
    job = claimed(store)
    store.complete(job.id, job.fence, {})
    before = store.get(job.id)
    assert store.cancel(job.id) == before


def test_a_failed_job_can_begin_anew(store):
    job = claimed(store, "dead", max_errors=1)
    store.snooze(job.id, job.fence, 0.0)
    job = store.claim("dead", LEASE)
    die(store, "dead")
    store.rescue("alive")
    job = store.claim("me", LEASE)
    store.set_phase(job.id, job.fence, "rendering", 1.0)
    store.fail(job.id, job.fence, ERROR, 3600.0)
    anew = store.retry(job.id)
    assert (anew.state, anew.errors, anew.snoozes, anew.rescues, anew.error) == ("pending", 0, 0, 0, None)
    assert (anew.started_at, anew.finished_at, anew.phase) == (None, None, None)
    assert store.claim("me", LEASE).fence == job.fence + 1


def test_a_cancelled_job_can_begin_anew(store):
    job = submit(store)
    store.cancel(job.id)
    assert (store.retry(job.id).state, store.claim("me", LEASE).cancel_requested) == ("pending", False)


def test_what_waits_or_runs_or_is_done_does_not_begin_anew(store):
    waiting = submit(store)
    assert store.retry(waiting.id) == waiting
    running = store.claim("me", LEASE)
    assert store.retry(running.id) == running
    store.complete(running.id, running.fence, {})
    done = store.get(running.id)
    assert store.retry(running.id) == done


@pytest.mark.parametrize("ask", ["get", "cancel", "retry"])
def test_of_a_job_that_is_not_there_nothing_is_known(store, ask):
    assert getattr(store, ask)("nothing") is None


# pausing


def test_while_it_is_paused_nothing_is_claimed(store):
    job = submit(store)
    store.pause(True)
    assert store.paused()
    assert store.claim("me", LEASE) is None
    assert store.next_run_at() is None
    store.pause(False)
    assert not store.paused()
    assert store.claim("me", LEASE).id == job.id


def test_what_runs_goes_on_while_it_is_paused(store):
    job = claimed(store)
    store.pause(True)
    store.complete(job.id, job.fence, {})
    assert store.get(job.id).state == "completed"


# looking


def test_jobs_are_found_newest_first_page_by_page(store):
    every = [submit(store, kind=kind).id for kind in ("a", "b", "a", "b", "a")][::-1]
    every = sorted(every, reverse=True)
    assert [job.id for job in store.find()] == every
    assert [job.id for job in store.find(limit=2)] == every[:2]
    assert [job.id for job in store.find(limit=2, before=every[1])] == every[2:4]
    assert {job.kind for job in store.find(kind="b")} == {"b"}


def test_jobs_are_found_by_state(store):
    done = claimed(store)
    store.complete(done.id, done.fence, {})
    submit(store)
    assert [job.id for job in store.find(state="completed")] == [done.id]
    assert store.find(state="failed") == []


def test_every_state_is_counted(store):
    done = claimed(store)
    store.complete(done.id, done.fence, {})
    claimed(store)
    submit(store)
    assert store.stats() == {"pending": 1, "processing": 1, "completed": 1, "failed": 0, "cancelled": 0}


# forgetting


def test_a_job_is_forgotten_when_its_retention_is_over(store):
    short, long = claimed(store, retention=60.0), claimed(store, retention=DAY)
    for job in (short, long):
        store.complete(job.id, job.fence, {})
    assert store.purge() == []
    let_pass(store, 61.0)
    assert store.purge() == [short.id]
    assert store.get(short.id) is None
    assert store.get(long.id) is not None


def test_what_has_not_ended_is_not_forgotten(store):
    claimed(store, retention=0.0)
    submit(store, retention=0.0)
    let_pass(store, 1000.0)
    assert store.purge() == []


def test_a_forgotten_jobs_key_is_free(store):
    job = store.cancel(submit(store, key="k", retention=0.0).id)
    store.purge()
    assert submit(store, kind="export", key="k").id != job.id


# letting go


def test_what_was_written_is_there_for_the_next_process(place):
    with place.opened() as store:
        job = claimed(store)
    with place.opened() as store:
        assert store.get(job.id) == job


def test_a_closed_store_says_so_and_is_closed_twice(place):
    store = place.open()
    store.close()
    store.close()
    with pytest.raises(StoreUnavailable):
        store.stats()
