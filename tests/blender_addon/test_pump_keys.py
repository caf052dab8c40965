"""Work with an idempotency key: it runs once, whoever asks for it and however often."""

from __future__ import annotations

import pytest

from tests.blender_addon.pumping import PAST, failing, keyed, refused, run_all


def test_a_repeated_key_gets_the_stored_answer_and_does_not_run_again(pump, submit, client):
    ran = []
    for request_id in ("1", "2"):
        submit(request_id, lambda call: ran.append(call.request_id), **keyed())
        run_all(pump)
    assert ran == ["1"]
    assert client.answers["2"] is client.answers["1"]


def test_a_failure_is_stored_too(pump, submit, client):
    submit("1", failing, **keyed())
    run_all(pump)
    submit("2", lambda call: {}, **keyed())
    assert client.error("2") == ("execution_failed", "failed")


def test_a_repeat_of_a_key_that_waits_joins_it(pump, submit, client):
    ran = []
    submit("1", lambda call: ran.append(1), **keyed())
    submit("2", lambda call: ran.append(2), **keyed())
    run_all(pump)
    assert (ran, list(client.answers)) == ([1], ["1", "2"])


def test_a_key_with_another_request_is_a_conflict(pump, submit):
    submit("1", **keyed())
    assert refused(submit, "2", **keyed(digest=b"2")).code == "key_conflict"


def test_keyed_work_runs_though_its_client_vanished_while_it_waited(pump, submit, client):
    work = submit("1", lambda call: {"ran": True}, **keyed())
    pump.abandon(work.tickets[0])
    run_all(pump)
    submit("2", **keyed())
    assert client.said("2") == {"ran": True}


def test_keyed_work_goes_on_though_its_client_vanished_while_it_ran(pump, submit, client):
    def function(call):
        pump.abandon(pump._running.tickets[0])
        call.check()
        return {"ran": True}

    submit("1", function, **keyed())
    run_all(pump)
    submit("2", **keyed())
    assert client.said("2") == {"ran": True}


def test_unkeyed_work_is_interrupted_when_its_client_vanished(pump, submit, client):
    ended = []

    def function(call):
        pump.abandon(pump._running.tickets[0])
        ended.append(call.interrupted)

    submit("1", function)
    run_all(pump)
    assert (ended, client.answers) == ([True], {})


@pytest.mark.parametrize("reason", ["cancelled", "timeout"])
def test_keyed_work_that_never_started_is_not_stored(pump, submit, client, reason):
    pump.stop(submit("1", **keyed()), reason)
    submit("2", lambda call: {"ran": True}, **keyed())
    run_all(pump)
    assert client.said("2") == {"ran": True}


def test_keyed_work_that_expired_in_the_queue_is_not_stored(pump, submit, client):
    submit("1", deadline=PAST, **keyed())
    run_all(pump)
    submit("2", lambda call: {"ran": True}, **keyed())
    run_all(pump)
    assert client.said("2") == {"ran": True}


def test_a_cancel_ends_keyed_work_for_all_who_joined(pump, submit, client):
    work = submit("1", **keyed())
    submit("2", **keyed())
    pump.stop(work, "cancelled")
    assert client.error("1") == client.error("2") == ("cancelled", "not_executed")


def test_the_deadline_of_one_who_joined_is_its_own_alone(pump, submit, client):
    work = submit("1", **keyed())
    submit("2", deadline=PAST, **keyed())
    pump.expire(work.tickets[1])
    assert client.error("2") == ("timeout", "unknown")
    run_all(pump)
    assert client.answers["1"].ok


def test_a_refused_key_can_be_used_later(pump, submit, client):
    for name in "abc":
        submit(name)
    assert refused(submit, "1", **keyed()).code == "busy"
    run_all(pump)
    submit("1", **keyed())
    run_all(pump)
    assert client.answers["1"].ok
