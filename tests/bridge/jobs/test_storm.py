"""Many jobs, several bridges, and their bad luck: every claim is accounted for, and nothing completes twice."""

from __future__ import annotations

import random
import signal

import psutil
import pytest

from bridge.jobs.model import NewJob
from tests.bridge.jobs.bridges import PATIENCE, bridges, until
from tests.bridge.jobs.places import ask

# Written by the store itself, in the transaction that completes.
WITNESS = {
    False: """CREATE TRIGGER witness AFTER UPDATE OF state ON job WHEN NEW.state = 'completed'
        BEGIN INSERT INTO completion VALUES (NEW.id, NEW.fence); END""",
    True: """CREATE FUNCTION witness() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN INSERT INTO completion VALUES (NEW.id, NEW.fence); RETURN NULL; END $$;
        CREATE TRIGGER witness AFTER UPDATE OF state ON job FOR EACH ROW WHEN (NEW.state = 'completed')
        EXECUTE FUNCTION witness()""",
}
TWO_HOURS = 7200.0
# Longer than a loaded machine may keep a living bridge from its heartbeats.
UNHEARD = 4.0


def watch(store):
    ask(store, "CREATE TABLE completion (job text, fence integer)")
    ask(store, WITNESS[store.shared])


def submit(store, chance, number, *, seconds):
    for _ in range(number):
        params = {"errors": chance.choice([0, 0, 0, 1, 2]), "snoozes": chance.choice([0, 0, 1, 2]), "seconds": seconds}
        store.submit(NewJob("flaky", params, max_errors=3, max_rescues=10_000, priority=chance.choice([0, 1])))


def check(store, number):
    """All completed, each once, by its last claim; the jobs, and how often anything was completed."""
    jobs = []
    while page := store.find(limit=500, before=jobs[-1].id if jobs else ""):
        jobs += page
    assert store.stats() == {"pending": 0, "processing": 0, "completed": number, "failed": 0, "cancelled": 0}
    completions = sorted((row["job"], row["fence"]) for row in ask(store, "SELECT * FROM completion"))
    assert completions == sorted((job.id, job.fence) for job in jobs)
    for job in jobs:
        assert job.result["fence"] == job.fence
        assert (job.errors, job.snoozes) == (job.params["errors"], job.params["snoozes"])
    return jobs


def race(place, directory, number):
    """Four bridges, of which two have no idea what time it is."""
    with place.opened() as store, bridges(place, directory) as every:
        watch(store)
        submit(store, random.Random(4), number, seconds=0.002)
        started = [every.start(until_done=True, poll=1.0, skew=skew) for skew in (0.0, 0.0, TWO_HOURS, -TWO_HOURS)]
        until(lambda: all(process.poll() is not None for process in started), every)
        assert [process.returncode for process in started] == [0] * 4, every.log()[-5000:]
        jobs = check(store, number)
        runs = every.found("run")
        assert len(runs) == sum(job.fence for job in jobs)
        assert len(runs) - number == sum(job.snoozes + job.errors for job in jobs)
        assert sum(job.rescues for job in jobs) == 0
        assert len({job.result["pid"] for job in jobs}) == 4


def test_four_bridges_race_and_every_claim_is_accounted_for(shared, tmp_path):
    race(shared, tmp_path, 200)


@pytest.mark.soak
def test_four_bridges_race_over_two_thousand_jobs(shared, tmp_path):
    race(shared, tmp_path, 2000)


def slay_bridges_on_postgresql(place, directory, *, kills, number):
    """Three bridges at once, killed one after the other while they work."""
    chance = random.Random(5)
    with place.opened() as store, bridges(place, directory) as every:
        watch(store)
        pace = {"lease": 1.0, "heartbeat": 0.2, "poll": 0.5}
        running = [every.start(**pace) for _ in range(3)]
        for _ in range(kills):
            before = len(every.found("run"))
            submit(store, chance, number // kills, seconds=0.1)
            until(lambda before=before: len(every.found("run")) > before + chance.randrange(4), every)
            victim = running.pop(chance.randrange(3))
            victim.kill()
            victim.wait()
            running.append(every.start(**pace))
        until(lambda: store.stats()["completed"] == number, every)
        jobs = check(store, number)
        # What was claimed and killed before it began has left no run.
        assert len(every.found("run")) <= sum(job.fence for job in jobs)
        assert sum(job.fence for job in jobs) - number == sum(job.snoozes + job.errors + job.rescues for job in jobs)
        assert sum(job.rescues for job in jobs) > 0


def test_bridges_that_are_killed_lose_nothing_and_complete_nothing_twice(shared, tmp_path):
    slay_bridges_on_postgresql(shared, tmp_path, kills=4, number=60)


@pytest.mark.soak
def test_forty_kills_of_three_bridges_lose_nothing_and_complete_nothing_twice(shared, tmp_path):
    slay_bridges_on_postgresql(shared, tmp_path, kills=40, number=400)


def slay_the_bridge_on_sqlite(place, directory, *, kills, number):
    """One bridge that works on four jobs at once, killed and started again and again."""
    chance = random.Random(6)
    with bridges(place, directory) as every:
        with place.opened() as store:
            watch(store)
        for _ in range(kills):
            with place.opened() as store:
                submit(store, chance, number // kills, seconds=0.1)
            before = len(every.found("run"))
            running = every.start()
            until(lambda before=before: len(every.found("run")) > before + chance.randrange(8), every)
            running.kill()
            running.wait()
        last = every.start(until_done=True)
        assert last.wait(PATIENCE) == 0, every.log()[-5000:]
        with place.opened() as store:
            jobs = check(store, number)
        assert len(every.found("run")) <= sum(job.fence for job in jobs)
        assert sum(job.fence for job in jobs) - number == sum(job.snoozes + job.errors + job.rescues for job in jobs)
        assert sum(job.rescues for job in jobs) > 0


def test_a_bridge_that_is_killed_and_started_again_loses_nothing(sqlite, tmp_path):
    slay_the_bridge_on_sqlite(sqlite, tmp_path, kills=4, number=60)


@pytest.mark.soak
def test_a_bridge_that_is_killed_and_started_forty_times_loses_nothing(sqlite, tmp_path):
    slay_the_bridge_on_sqlite(sqlite, tmp_path, kills=40, number=400)


def test_a_bridge_that_was_stopped_for_too_long_finds_its_job_gone_and_ends_its_work(shared, tmp_path):
    pace = {"lease": UNHEARD, "heartbeat": 0.2, "poll": 0.2}
    with shared.opened() as store, bridges(shared, tmp_path) as every:
        zombie = every.start(**pace)
        job = store.submit(NewJob("held", {}))[0].id
        until(lambda: every.found("run") == {f"{job}.1"}, every)
        child = psutil.Process(int(every.text(f"run.{job}.1")))
        zombie.send_signal(signal.SIGSTOP)
        heir = every.start(**pace)
        until(lambda: f"{job}.2" in every.found("run"), every)
        zombie.send_signal(signal.SIGCONT)
        until(lambda: every.found("stopped") == {f"{job}.1"}, every)
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE, every)
        every.go()
        until(lambda: store.get(job).ended, every)
        found = store.get(job)
        assert (found.state, found.fence, found.rescues) == ("completed", 2, 1)
        assert found.result == {"pid": heir.pid}
        # It is none the worse for it.
        heir.kill()
        heir.wait()
        another = store.submit(NewJob("held", {}))[0].id
        until(lambda: store.get(another).ended, every)
        assert store.get(another).result == {"pid": zombie.pid}


def test_a_bridge_that_was_stopped_for_too_long_writes_nothing_over_what_its_heir_wrote(shared, tmp_path):
    pace = {"lease": UNHEARD, "heartbeat": 0.2, "poll": 0.2}
    with shared.opened() as store, bridges(shared, tmp_path) as every:
        zombie = every.start(**pace)
        job = store.submit(NewJob("held", {}))[0].id
        until(lambda: every.found("run") == {f"{job}.1"}, every)
        zombie.send_signal(signal.SIGSTOP)
        heir = every.start(**pace)
        until(lambda: f"{job}.2" in every.found("run"), every)
        every.go()
        until(lambda: store.get(job).ended, every)
        zombie.send_signal(signal.SIGCONT)
        until(lambda: "was lost to another owner" in every.log(), every)
        found = store.get(job)
        assert (found.state, found.fence, found.result) == ("completed", 2, {"pid": heir.pid})


def test_a_stopped_bridge_keeps_its_file(sqlite, tmp_path):
    with sqlite.opened() as store:
        job = store.submit(NewJob("held", {}))[0].id
    with bridges(sqlite, tmp_path) as every:
        stopped = every.start()
        until(lambda: every.found("run") == {f"{job}.1"}, every)
        stopped.send_signal(signal.SIGSTOP)
        assert every.start(until_done=True).wait(PATIENCE) != 0
        assert f"in use by process {stopped.pid}" in every.log()
        stopped.send_signal(signal.SIGCONT)
