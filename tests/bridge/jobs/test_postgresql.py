"""What is particular to jobs in PostgreSQL: leases, namespaces, lost connections, passwords."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import threading
import time
import traceback
from pathlib import Path

import psutil
import psycopg
import pytest

from bridge.errors import ConfigurationError, StoreUnavailable, Unstorable
from bridge.jobs.model import NewJob
from bridge.jobs.store import open_store
from bridge.jobs.store.address import passwords
from tests.bridge.jobs.places import Place, ask, own_namespace
from tests.integration.serving import serving, until

ROOT = Path(__file__).parents[3]
PATIENCE = 30.0
SECRET = "s3cret-w0rd"
TWO_HOURS = 7200.0


@pytest.fixture
def store(shared):
    with shared.opened() as opened:
        yield opened


@pytest.fixture
def other(shared):
    """Another bridge's way to the same queue."""
    with shared.opened() as opened:
        yield opened


def heard(changes):
    """What is told, waited for."""
    assert readable(changes)
    return changes.heard()


def readable(changes, patience=PATIENCE):
    return bool(select.select([changes], [], [], patience)[0])


def hear_to_the_end(changes):
    while True:
        heard(changes)


def admin(server):
    return psycopg.connect(server.url, autocommit=True)


# leases


def test_a_job_is_its_owners_until_the_lease_is_over(store, other):
    store.submit(NewJob("render", {}))
    job = store.claim("me", 60.0)
    assert other.rescue("other") == []
    store.heartbeat("me", -1.0)
    assert [rescued.id for rescued in other.rescue("other")] == [job.id]


def test_an_owners_own_lease_ends_too(store):
    store.submit(NewJob("render", {}))
    store.claim("me", -1.0)
    assert len(store.rescue("me")) == 1


@pytest.mark.parametrize("skew", [-TWO_HOURS, TWO_HOURS])
def test_a_host_whose_clock_is_wrong_steals_nothing_and_loses_nothing(store, other, monkeypatch, skew):
    store.submit(NewJob("render", {}))
    job = store.claim("me", 60.0)
    real = time.time
    monkeypatch.setattr(time, "time", lambda: real() + skew)
    assert other.rescue("skewed") == []
    new = other.submit(NewJob("render", {}))[0]
    assert abs(new.created_at - job.created_at) < 600.0
    theirs = other.claim("skewed", 60.0)
    assert theirs.id == new.id
    other.heartbeat("skewed", 60.0)
    monkeypatch.undo()
    assert store.rescue("me") == []
    store.complete(job.id, job.fence, {})
    other.complete(theirs.id, theirs.fence, {})


# what bridges tell each other


def test_a_bridge_hears_of_what_others_submit_cancel_and_resume(store, other):
    changes = store.listen()
    job = other.submit(NewJob("render", {}))[0]
    assert heard(changes) == {"pending"}
    store.claim("me", 60.0)
    other.cancel(job.id)
    assert heard(changes) == {"cancel"}
    other.pause(True)
    assert heard(changes) == {"pending"}
    assert changes.heard() == set()
    changes.close()


def test_a_bridge_hears_of_jobs_that_others_give_back(store, other):
    store.submit(NewJob("render", {}))
    job = store.claim("me", 60.0)
    changes = other.listen()
    store.give_back(job.id, job.fence)
    assert heard(changes) == {"pending"}
    changes.close()


def test_a_namespace_is_a_queue_of_its_own(server, store):
    with own_namespace(server).opened() as elsewhere:
        changes = elsewhere.listen()
        job = store.submit(NewJob("render", {}, key="k"))[0]
        assert elsewhere.submit(NewJob("export", {}, key="k"))[0].id != job.id
        assert elsewhere.get(job.id) is None
        elsewhere.pause(True)
        assert store.claim("me", 60.0).id == job.id
        store.cancel(job.id)
        heard(changes)
        assert not readable(changes, 0.0)
        changes.close()


# the schema


def test_bridges_that_start_together_make_one_schema(server):
    place = own_namespace(server)
    opened, errors = [], []

    def start():
        try:
            opened.append(place.open())
        except Exception as error:  # noqa: BLE001  # whatever a thread raises is the test's failure
            errors.append(error)

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    job = opened[0].submit(NewJob("render", {}))[0]
    assert all(store.get(job.id) == job for store in opened)
    for store in opened:
        store.close()


def test_a_newer_versions_schema_is_refused(shared):
    with shared.opened() as store:
        ask(store, "INSERT INTO migration VALUES (999)")
    with pytest.raises(ConfigurationError, match=r"is a newer bpy-bridge's \(999\): update this one"):
        shared.open()


def test_who_may_not_make_a_schema_uses_the_one_that_was_made(server):
    place = own_namespace(server)
    with admin(server) as connection:
        connection.execute(f"CREATE ROLE tenant_{place.namespace} LOGIN")
        connection.execute(f"CREATE SCHEMA {place.namespace} AUTHORIZATION tenant_{place.namespace}")
    tenant = Place(server.url.replace("postgres@", f"tenant_{place.namespace}@"), place.namespace)
    with tenant.opened() as store:
        assert store.submit(NewJob("render", {}))[1]


def test_who_may_not_make_a_schema_is_told_which(server):
    place = own_namespace(server)
    with admin(server) as connection:
        connection.execute(f"CREATE ROLE nobody_{place.namespace} LOGIN")
    nobody = Place(server.url.replace("postgres@", f"nobody_{place.namespace}@"), place.namespace)
    with pytest.raises(ConfigurationError, match=f"jobs.namespace: .*'{place.namespace}'.* permission denied") as told:
        nobody.open()
    assert "\n" not in str(told.value)


def test_a_schema_that_changes_under_a_bridge_costs_it_one_statement(server, shared, store):
    for _ in range(10):  # until its plan is kept
        store.find(limit=1)
    with admin(server) as connection:
        connection.execute(f"ALTER TABLE {shared.namespace}.job ADD COLUMN newer integer")
    with pytest.raises(StoreUnavailable):
        store.find(limit=1)
    assert store.find(limit=1) == []


def test_text_that_postgresql_does_not_take_is_refused_and_harms_nothing(store):
    with pytest.raises(Unstorable):
        store.submit(NewJob("render", {}, key="\0"))
    assert store.submit(NewJob("render", {}))[1]


# servers that go away


def test_after_a_restart_of_the_server_it_goes_on_by_itself(server, store):
    job = store.submit(NewJob("render", {}))[0]
    claim = store.claim("me", 60.0)
    server.stop("immediate")
    try:
        for _ in range(2):
            with pytest.raises(StoreUnavailable):
                store.stats()
    finally:
        server.start()
    store.complete(claim.id, claim.fence, {})
    assert store.get(job.id).state == "completed"


def test_who_listens_learns_that_the_server_went_away(server, store):
    changes = store.listen()
    server.stop("immediate")
    try:
        with pytest.raises(StoreUnavailable):
            hear_to_the_end(changes)
    finally:
        server.start()
    changes.close()


@pytest.fixture
def frozen(store):
    """The server's process for this store, stopped."""
    [row] = ask(store, "SELECT pg_backend_pid() AS pid")
    os.kill(row["pid"], signal.SIGSTOP)
    yield row["pid"]
    os.kill(row["pid"], signal.SIGCONT)


def test_a_server_that_answers_no_more_is_not_waited_for(store, frozen):
    store._database._watch._patience = 0.1
    with pytest.raises(StoreUnavailable):
        store.stats()
    assert store.stats()["pending"] == 0  # on a new connection


def test_a_store_is_closed_at_once_also_while_it_waits_for_the_server(store, frozen):
    store._database._watch._patience = 600.0
    said = []

    def wait():
        try:
            store.stats()
        except StoreUnavailable as error:
            said.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    while not store._database._watch._since:
        pass  # until it asks
    store.close()
    waiting.join(PATIENCE)
    assert len(said) == 1


# URLs

WRONG = {
    "unreachable": "postgresql://me:{}@127.0.0.1:1/jobs",
    "no such host": "postgresql://me:{}@nowhere.invalid/jobs",
    "another scheme": "postgresqll://me:{}@localhost/jobs",
    "no scheme": "me:{}@localhost/jobs",
    "half a scheme": "postgresql:me:{}@localhost/jobs",
    "unescaped percent": "postgresql://me:{}%zz@localhost/jobs",
    "unescaped slash": "postgresql://me:1/{}@localhost/jobs",
    "unescaped slash first": "postgresql://me:/{}@localhost/jobs",
    "unescaped bracket": "postgresql://[{}@localhost/jobs",
    "unescaped question mark": "postgresql://me:?{}@localhost/jobs",
    "no host": "postgresql://me:{}",
    "in the query": "postgresql://127.0.0.1:1/jobs?user=me&password={}",
    "in the query, and one that is unknown": "postgresql://127.0.0.1:1/jobs?password={}&what=1",
    "in a sqlite URL": "sqlite://me:{}@localhost/jobs",
}


@pytest.mark.parametrize("url", WRONG.values(), ids=WRONG)
def test_what_is_wrong_with_a_url_is_one_line_without_the_password(url):
    with pytest.raises(ConfigurationError) as refused:
        open_store(url.format(SECRET), namespace="jobs")
    message = str(refused.value)
    assert message.startswith("jobs.url: ")
    assert "\n" not in message
    assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_an_empty_url_is_said_to_be_empty():
    with pytest.raises(ConfigurationError, match=r"jobs\.url: it is empty: write sqlite:///"):
        open_store("", namespace="jobs")


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("postgresql://me:pass-word@host:5432/jobs", ["pass-word"]),
        ("postgresql://me:pass%40word@host/jobs", ["pass%40word", "pass@word"]),
        ("postgresql://host/jobs?user=me&password=pass-word", ["pass-word"]),
        ("postgresql://me@host:5432/jobs", []),
        ("sqlite:///home/me/jobs.sqlite", []),
    ],
)
def test_the_passwords_in_a_url_are_known(url, found):
    assert passwords(url) == found


def test_a_bridge_that_cannot_reach_its_store_ends_with_one_line(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPY_BRIDGE_")}
    url = f"postgresql://me:{SECRET}@127.0.0.1:1/jobs"
    env = {**kept, "BPY_BRIDGE_HOME": str(tmp_path / "home"), "BPY_BRIDGE_HTTP": "off", "BPY_BRIDGE_JOBS__URL": url}
    command = [sys.executable, "-m", "bridge", "serve"]
    ended = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert ended.returncode != 0
    [line] = ended.stderr.splitlines()
    assert line.startswith("bpy-bridge: jobs.url: PostgreSQL cannot be used: ")
    assert SECRET not in line + ended.stdout


def test_a_running_bridge_does_not_tell_the_password(server, shared, tmp_path):
    url = server.url.replace("postgres@", f"postgres:{SECRET}@")
    settings = {"BPY_BRIDGE_JOBS__URL": url, "BPY_BRIDGE_JOBS__NAMESPACE": shared.namespace}
    none = f"none=unix:{tmp_path}/none.sock"
    with serving(tmp_path / "home", "--instance", none, settings=settings) as served:
        server.stop("immediate")
        until(lambda: "the store of jobs cannot be used" in served.log)
        server.start()
        until(lambda: "can be used again" in served.log)
        told = " ".join(psutil.Process(served.process.pid).cmdline())
        with served.client() as client:
            told += str(client.call("bridge.status").value)
        assert served.end() == 0
        assert SECRET not in served.log + told


def test_settings_are_listed_without_the_password(tmp_path):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BPY_BRIDGE_")}
    env = {**kept, "BPY_BRIDGE_HOME": str(tmp_path), "BPY_BRIDGE_JOBS__URL": f"postgresql://me:{SECRET}@host/jobs"}
    command = [sys.executable, "-m", "bridge", "config", "show"]
    shown = subprocess.run(command, check=False, cwd=ROOT, env=env, capture_output=True, text=True, timeout=PATIENCE)
    assert "jobs.url" in shown.stdout
    assert SECRET not in shown.stdout + shown.stderr
