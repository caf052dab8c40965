"""What is particular to jobs in an SQLite file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path

import pytest

from bridge.errors import ConfigurationError, StoreUnavailable
from bridge.jobs.model import NewJob
from bridge.jobs.store import open_store
from bridge.jobs.store.sql_store import SqlStore
from bridge.jobs.store.sqlite import SqliteFile
from tests.bridge.jobs.places import ask

HOUR = 3600.0
ROOT = Path(__file__).parents[3]
OPEN = (
    "import sys; from bridge.jobs.store import open_store; open_store(sys.argv[1], namespace='jobs'); print('opened')"
)
# Root may write everywhere.
AS_NOBODY = f"import os, bridge.jobs.store.sqlite; os.geteuid() or os.seteuid(65534); {OPEN}"
SUBMIT_UNTIL_FULL = """
import resource, sys
from bridge.errors import StoreUnavailable
from bridge.jobs.model import NewJob
from bridge.jobs.store import open_store
store = open_store(sys.argv[1], namespace="jobs")
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, resource.RLIM_INFINITY))
accepted = 0
try:
    while accepted < 10_000:
        store.submit(NewJob("render", {"text": "x" * 1000}))
        accepted += 1
except StoreUnavailable as error:
    print(accepted, error)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
store.submit(NewJob("export", {}))
assert store.stats()["pending"] == accepted + 1, store.stats()
"""


def python(code, *arguments):
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True, timeout=60)


class Clock:
    def __init__(self):
        self.now = 1_800_000_000.0

    def __call__(self):
        return self.now


@contextmanager
def file_with(path, clock):
    store = SqlStore(SqliteFile(path, clock), "sqlite", shared=False)
    try:
        yield store
    finally:
        store.close()


# one process


def test_a_second_process_on_the_file_is_refused_and_told_who_has_it(sqlite):
    with sqlite.opened():
        ended = python(OPEN, sqlite.url)
    assert f"in use by process {os.getpid()}: one bridge at a time" in ended.stderr
    assert python(OPEN, sqlite.url).stdout == "opened\n"


def test_a_second_opening_in_this_process_is_refused(sqlite):
    with sqlite.opened(), pytest.raises(ConfigurationError, match="in use"):
        sqlite.open()


def test_a_link_to_the_file_is_the_same_file(sqlite, tmp_path):
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "jobs.sqlite")
    with sqlite.opened():
        assert "in use" in python(OPEN, f"sqlite://{tmp_path}/link.sqlite").stderr


def test_nobody_gets_to_the_file_another_way(sqlite, tmp_path):
    with sqlite.opened():
        other = sqlite3.connect(tmp_path / "jobs.sqlite", timeout=0)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("SELECT * FROM job")
        other.close()


def test_a_file_that_another_program_has_is_refused(sqlite, tmp_path, monkeypatch):
    sqlite.open().close()
    monkeypatch.setattr("bridge.jobs.store.sqlite._BUSY_TIMEOUT", 0.0)
    other = sqlite3.connect(tmp_path / "jobs.sqlite", isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(ConfigurationError, match="locked"):
        sqlite.open()
    other.close()
    sqlite.open().close()


def test_a_process_that_was_killed_has_the_file_no_more(sqlite):
    assert python(f"{OPEN}; import os; os.kill(os.getpid(), 9)", sqlite.url).returncode == -9
    sqlite.open().close()


def test_it_keeps_what_it_accepted_through_a_power_failure(sqlite):
    with sqlite.opened() as store:
        assert [dict(row) for row in ask(store, "PRAGMA journal_mode")] == [{"journal_mode": "wal"}]
        assert [dict(row) for row in ask(store, "PRAGMA synchronous")] == [{"synchronous": 2}]


def test_the_file_is_its_users_alone(sqlite, tmp_path):
    with sqlite.opened() as store:
        store.submit(NewJob("render", {}))
        assert {path.name: path.stat().st_mode & 0o077 for path in tmp_path.glob("jobs.sqlite*")} == {
            "jobs.sqlite": 0,
            "jobs.sqlite-wal": 0,
            "jobs.sqlite.lock": 0,
        }


def test_whoever_opens_the_file_takes_every_other_owners_jobs(sqlite):
    with sqlite.opened() as store:
        store.submit(NewJob("render", {}))
        store.claim("dead", HOUR)
    with sqlite.opened() as store:
        assert [job.state for job in store.rescue("alive")] == ["pending"]


# what cannot be used is said in one line


def refusal(url):
    with pytest.raises(ConfigurationError) as refused:
        open_store(url, namespace="jobs")
    message = str(refused.value)
    assert "\n" not in message
    assert message.startswith("jobs.url: ")
    return message


def test_a_newer_versions_file_is_refused(sqlite, tmp_path):
    sqlite.open().close()
    file = sqlite3.connect(tmp_path / "jobs.sqlite")
    file.execute("PRAGMA user_version = 999")
    file.close()
    assert "a newer bpy-bridge's (schema 999): update this one" in refusal(sqlite.url)
    assert "newer" in refusal(sqlite.url)  # and the lock was let go


def test_a_file_of_something_else_is_refused_and_left_alone(sqlite, tmp_path):
    (tmp_path / "jobs.sqlite").write_bytes(b"something else" * 1000)
    assert "file is not a database" in refusal(sqlite.url)
    assert (tmp_path / "jobs.sqlite").read_bytes() == b"something else" * 1000


def test_a_directory_in_its_place_is_refused(tmp_path):
    assert "unable to open" in refusal(f"sqlite://{tmp_path}")


def test_a_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    assert f"{tmp_path}/file cannot be made" in refusal(f"sqlite://{tmp_path}/file/jobs.sqlite")


def test_a_directory_that_must_not_be_written_is_named():
    # Not below tmp_path, which is nobody else's.
    with tempfile.TemporaryDirectory(dir="/tmp") as directory:
        os.chmod(directory, 0o555)
        ended = python(AS_NOBODY, f"sqlite://{directory}/jobs.sqlite")
    assert f"{directory}/jobs.sqlite.lock cannot be used: Permission denied" in ended.stderr


def test_a_path_that_is_not_absolute_is_refused():
    assert "no absolute path" in refusal("sqlite://jobs.sqlite")


# full disks


def test_a_file_that_can_grow_no_more_refuses_jobs_and_keeps_those_it_has(sqlite):
    ended = python(SUBMIT_UNTIL_FULL, sqlite.url)
    assert ended.returncode == 0, ended.stderr
    accepted, said = ended.stdout.split(maxsplit=1)
    assert int(accepted) > 0
    assert said.startswith("the jobs' file cannot be used: ")
    with sqlite.opened() as store:
        assert store.stats()["pending"] == int(accepted) + 1


@pytest.fixture
def small_disk(tmp_path):
    directory = tmp_path / "small"
    directory.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", directory]
    mounted = subprocess.run(mount, check=False, capture_output=True)
    if mounted.returncode:
        pytest.skip("only root may mount a small file system")
    try:
        yield directory
    finally:
        subprocess.run(["umount", directory], check=True)


def submit_to_the_end(store):
    while True:
        store.submit(NewJob("render", {"text": "x" * 1000}))


def test_on_a_full_disk_jobs_are_refused_until_there_is_room(small_disk):
    ballast = small_disk / "ballast"
    ballast.write_bytes(bytes(400_000))
    store = open_store(f"sqlite://{small_disk}/jobs.sqlite", namespace="jobs")
    with pytest.raises(StoreUnavailable, match="full"):
        submit_to_the_end(store)
    accepted = store.stats()["pending"]
    assert accepted
    ballast.unlink()
    job = store.claim("me", HOUR)
    store.complete(job.id, job.fence, {})
    assert store.stats() == {"pending": accepted - 1, "processing": 0, "completed": 1, "failed": 0, "cancelled": 0}
    store.close()


# clocks


@pytest.mark.parametrize("restarted", [False, True])
def test_a_clock_that_is_set_back_makes_no_job_wait_for_it(tmp_path, restarted):
    path, clock = tmp_path / "jobs.sqlite", Clock()
    with file_with(path, clock) as store:
        job = store.submit(NewJob("render", {}))[0]
        if not restarted:
            clock.now -= 2 * HOUR
            assert store.claim("me", 30.0).id == job.id
    clock.now -= 2 * HOUR
    with file_with(path, clock) as store:
        store.rescue("me too")
        assert store.claim("me too", 30.0).id == job.id
        assert store.get(job.id).created_at <= clock.now


def test_a_clock_that_is_set_back_keeps_a_backoff_as_long_as_it_was(tmp_path):
    clock = Clock()
    with file_with(tmp_path / "jobs.sqlite", clock) as store:
        store.submit(NewJob("render", {}))
        clock.now += HOUR
        job = store.claim("me", 30.0)
        store.fail(job.id, job.fence, {}, 60.0)
        clock.now -= 2 * HOUR
        assert store.claim("me", 30.0) is None
        assert store.next_run_at() == pytest.approx(60.0)


def test_a_clock_that_is_set_back_gives_a_phase_no_time_and_takes_none(tmp_path):
    clock = Clock()
    with file_with(tmp_path / "jobs.sqlite", clock) as store:
        store.submit(NewJob("render", {}))
        job = store.claim("me", 30.0)
        store.set_phase(job.id, job.fence, "rendering", 60.0)
        store.heartbeat("me", 30.0)
        clock.now -= 2 * HOUR
        assert store.set_phase(job.id, job.fence, "rendering", 60.0) == 0.0


def test_a_clock_that_is_set_forward_takes_no_job_from_its_owner(tmp_path):
    clock = Clock()
    with file_with(tmp_path / "jobs.sqlite", clock) as store:
        store.submit(NewJob("render", {}))
        job = store.claim("me", 30.0)
        clock.now += 2 * HOUR
        assert store.rescue("me") == []
        store.complete(job.id, job.fence, {})


def test_a_clock_that_goes_back_by_a_hair_changes_nothing(tmp_path):
    clock = Clock()
    with file_with(tmp_path / "jobs.sqlite", clock) as store:
        job = store.submit(NewJob("render", {}, delay=10.0))[0]
        clock.now -= 0.5
        assert store.next_run_at() == pytest.approx(10.5)
        assert store.get(job.id) == job
