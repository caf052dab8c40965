"""Any sequence of submits, claims, writes, deaths and hours: both stores do what a few lines of Python do."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import count

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from bridge.errors import KeyConflict, Lost
from bridge.jobs.model import NewJob
from tests.bridge.jobs.places import ask, let_pass

LEASE = 150.0
OWNERS = st.sampled_from(["a", "b", "c"])
ANY = st.integers(0, 50)
MOSTLY = st.sampled_from([True, True, True, False])
PHASES = ("snapshot", "rendering")
ENDED = ("completed", "failed", "cancelled")
ERROR = {"code": "x", "message": "it broke", "data": {}}


@dataclass(frozen=True)
class Known:
    """A job as it should be. Times are the machine's, `turn` orders what became due at one of them."""

    id: str
    params: dict[str, int]
    priority: int
    max_errors: int
    max_rescues: int
    created_at: float
    run_at: float
    turn: int
    state: str = "pending"
    fence: int = 0
    owner: str | None = None
    lease_until: float = 0.0
    seen_at: float = 0.0
    errors: int = 0
    snoozes: int = 0
    rescues: int = 0
    cancel_requested: bool = False
    phase: str | None = None
    phase_began: float = 0.0
    parked_at: float | None = None

    def pending_or_cancelled(self, **changes):
        state = "cancelled" if self.cancel_requested else "pending"
        return replace(self, owner=None, **{"state": state, **changes})


@dataclass
class Model:
    """All jobs, and what each operation makes of them."""

    shared: bool
    now: float = 0.0
    paused: bool = False
    jobs: dict[str, Known] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)
    turns: count = field(default_factory=count)

    def next(self):
        if self.paused:
            return None
        due = [job for job in self.jobs.values() if job.state == "pending" and job.run_at <= self.now]
        return min(due, key=lambda job: (job.priority, job.run_at, job.turn), default=None)

    def claim(self, job, owner):
        stood_still = 0.0 if job.parked_at is None else self.now - job.parked_at
        return replace(
            job, state="processing", fence=job.fence + 1, owner=owner, lease_until=self.now + LEASE, seen_at=self.now,
            phase_began=job.phase_began + stood_still, parked_at=None,
        )  # fmt: skip

    def later(self, job, seconds, **changes):
        return job.pending_or_cancelled(run_at=self.now + seconds, turn=next(self.turns), **changes)

    def failed(self, job, backoff, *, final):
        after = self.later(job, backoff, errors=job.errors + 1, phase=None)
        gone = (final or after.errors >= job.max_errors) and not job.cancel_requested
        return replace(after, state="failed") if gone else after

    def rescued(self, job):
        after = job.pending_or_cancelled(rescues=job.rescues + 1, parked_at=job.seen_at)
        gone = after.rescues > job.max_rescues and not job.cancel_requested
        return replace(after, state="failed") if gone else after

    def dead(self, alive):
        running = [job for job in self.jobs.values() if job.state == "processing"]
        if self.shared:
            return [job for job in running if job.lease_until < self.now]
        return [job for job in running if job.owner != alive]


class Machine(RuleBasedStateMachine):
    def __init__(self, store):
        super().__init__()
        self.store = store
        self.model = Model(store.shared)
        ask(store, "DELETE FROM job")
        store.pause(False)

    @initialize(priorities=st.lists(st.integers(-1, 1), min_size=3, max_size=3))
    def some_jobs_wait(self, priorities):
        for priority in priorities:
            self.submit(priority, 0.0, 2, 1, None, 0)

    def pick(self, number, *, running=False):
        """Any job; a running one, where there is any and `running` is asked for."""
        jobs = sorted(self.model.jobs)
        if running:
            jobs = [job for job in jobs if self.model.jobs[job].state == "processing"] or jobs
        return self.model.jobs[jobs[number % len(jobs)]]

    def keep(self, job):
        self.model.jobs[job.id] = job

    # what clients do

    @rule(
        priority=st.integers(-1, 1), delay=st.sampled_from([0.0, 0.0, 100.0]), errors=st.integers(1, 3),
        rescues=st.integers(0, 2), key=st.sampled_from([None, None, "k", "l"]), number=st.integers(0, 1),
    )  # fmt: skip
    def submit(self, priority, delay, errors, rescues, key, number):
        params = {"number": number}
        new = NewJob("test", params, key, priority, delay, errors, rescues)
        known = self.model.jobs.get(self.model.keys.get(key, ""))
        if known is not None and known.params != params:
            with pytest.raises(KeyConflict):
                self.store.submit(new)
            return
        job, created = self.store.submit(new)
        assert created == (known is None)
        if known is not None:
            assert job.id == known.id
            return
        now = self.model.now
        self.keep(Known(job.id, params, priority, errors, rescues, now, now + delay, next(self.model.turns)))
        if key is not None:
            self.model.keys[key] = job.id

    @rule(number=ANY, running=st.booleans())
    def cancel(self, number, running):
        job = self.pick(number, running=running)
        self.store.cancel(job.id)
        if job.state not in ENDED:
            state = "cancelled" if job.state == "pending" else job.state
            self.keep(replace(job, state=state, cancel_requested=True))

    @rule(number=ANY)
    def retry(self, number):
        job = self.pick(number)
        self.store.retry(job.id)
        if job.state in ("failed", "cancelled"):
            anew = {"errors": 0, "snoozes": 0, "rescues": 0, "cancel_requested": False, "phase": None}
            due = {"run_at": self.model.now, "turn": next(self.model.turns), "parked_at": None}
            self.keep(replace(job, state="pending", **anew, **due))

    @rule(paused=st.sampled_from([True, False, False, False]))
    def pause(self, paused):
        self.store.pause(paused)
        self.model.paused = paused

    # what owners do

    @rule(owner=OWNERS)
    def claim(self, owner):
        job, expected = self.store.claim(owner, LEASE), self.model.next()
        assert (job and job.id) == (expected and expected.id)
        if expected is not None:
            self.keep(self.model.claim(expected, owner))

    @rule(
        number=ANY, running=MOSTLY, behind=st.sampled_from([0, 0, 0, 1]), seconds=st.sampled_from([0.0, 100.0]),
        write=st.sampled_from(["complete", "fail", "fail for good", "snooze", "give_back", "cancelled", "confirm"]),
    )  # fmt: skip
    def write(self, number, running, behind, seconds, write):
        job = self.pick(number, running=running)
        claim = (job.id, job.fence - behind)
        calls = {
            "complete": lambda: self.store.complete(*claim, {}),
            "fail": lambda: self.store.fail(*claim, ERROR, seconds),
            "fail for good": lambda: self.store.fail(*claim, ERROR, seconds, final=True),
            "snooze": lambda: self.store.snooze(*claim, seconds),
            "give_back": lambda: self.store.give_back(*claim),
            "cancelled": lambda: self.store.cancelled(*claim),
            "confirm": lambda: self.store.confirm(*claim),
        }
        if behind or job.state != "processing":
            with pytest.raises(Lost):
                calls[write]()
            return
        calls[write]()
        self.keep(self.after(job, write, seconds))

    def after(self, job, write, seconds):
        if write in ("complete", "cancelled"):
            return replace(job, state="completed" if write == "complete" else "cancelled", owner=None)
        if write == "snooze":
            return self.model.later(job, seconds, snoozes=job.snoozes + 1)
        if write == "give_back":
            return job.pending_or_cancelled(parked_at=self.model.now)
        if write == "confirm":
            return job
        return self.model.failed(job, seconds, final=write == "fail for good")

    @rule(number=ANY, running=MOSTLY, phase=st.sampled_from(PHASES))
    def enter(self, number, running, phase):
        job = self.pick(number, running=running)
        if job.state != "processing":
            with pytest.raises(Lost):
                self.store.set_phase(job.id, job.fence, phase, 60.0)
            return
        began = job.phase_began if job.phase == phase else self.model.now
        lasted = self.store.set_phase(job.id, job.fence, phase, 60.0)
        assert lasted == pytest.approx(self.model.now - began, abs=20.0)
        self.keep(replace(job, phase=phase, phase_began=began))

    @rule(owner=OWNERS)
    def heartbeat(self, owner):
        mine = [job for job in self.model.jobs.values() if (job.state, job.owner) == ("processing", owner)]
        beats = self.store.heartbeat(owner, LEASE)
        assert set(beats) == {(job.id, job.fence, job.cancel_requested) for job in mine}
        for job in mine:
            self.keep(replace(job, lease_until=self.model.now + LEASE, seen_at=self.model.now))

    @rule(alive=OWNERS)
    def rescue(self, alive):
        dead = self.model.dead(alive)
        assert {job.id for job in self.store.rescue(alive)} == {job.id for job in dead}
        for job in dead:
            self.keep(self.model.rescued(job))

    @rule(owner=OWNERS)
    def every_owner_dies_and_another_takes_over(self, owner):
        self.time_passes(1000.0)
        self.rescue("survivor")
        self.claim(owner)

    @rule(seconds=st.sampled_from([100.0, 1000.0]))
    def time_passes(self, seconds):
        let_pass(self.store, seconds)
        self.model.now += seconds

    # what holds at any time

    @invariant()
    def the_store_has_every_job_as_it_should_be(self):
        counts = ("fence", "errors", "snoozes", "rescues")
        names = ("state", "owner", "cancel_requested", "phase", "params", "priority", *counts)
        found = {job.id: [getattr(job, name) for name in names] for job in self.store.find(limit=500)}
        assert found == {job.id: [getattr(job, name) for name in names] for job in self.model.jobs.values()}

    @invariant()
    def times_are_as_they_should_be(self):
        for job in self.store.find(limit=500):
            known = self.model.jobs[job.id]
            assert job.run_at - job.created_at == pytest.approx(known.run_at - known.created_at, abs=20.0)
            if job.phase is not None:
                began = known.phase_began - known.created_at
                assert job.phase_started_at - job.created_at == pytest.approx(began, abs=20.0)

    @invariant()
    def only_what_has_ended_has_an_end(self):
        for job in self.store.find(limit=500):
            assert (job.finished_at is not None) == (job.state in ENDED)
            assert (job.lease_until is not None) == (job.state == "processing")


QUIET = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck), "print_blob": False}


def test_any_sequence_of_operations(store):
    once = settings(max_examples=150, stateful_step_count=40, phases=[Phase.generate, Phase.shrink], **QUIET)
    run_state_machine_as_test(lambda: Machine(store), settings=once)


@pytest.mark.soak
def test_very_many_sequences_of_operations(store):
    often = settings(max_examples=1000, stateful_step_count=50, phases=[Phase.generate, Phase.shrink], **QUIET)
    run_state_machine_as_test(lambda: Machine(store), settings=often)
