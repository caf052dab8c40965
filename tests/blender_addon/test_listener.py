"""The add-on's end of the protocol, over real sockets."""

from __future__ import annotations

import json
import os

import pytest

from blender_addon import wire
from tests.blender_addon.serving import BOOT, PATIENCE


def error(body):
    return body["code"], body["outcome"]


# A request and its answer


def test_a_request_is_answered(connect):
    assert connect().call("1", "test.echo", {"value": [1, "é"]}) == {"value": [1, "é"]}


def test_an_empty_payload_means_no_parameters(connect):
    assert connect().call("1", "test.echo", payload=b"") == {"value": None}


def test_requests_follow_each_other_on_one_socket(connect):
    client = connect()
    for n in range(200):
        assert client.call("same", "test.echo", {"value": n}) == {"value": n}


def test_the_boot_id_is_in_the_welcome_and_in_each_answer(connect):
    client = connect()
    client.send("1", "test.echo")
    assert client.receive()[0].boot == BOOT


def test_a_part_larger_than_every_buffer_comes_whole(connect):
    client = connect()
    said, data = b'{"blob":{"$part":"blob"}}', bytes(5_000_000)
    parts = [{"name": "json", "length": len(said)}, {"name": "blob", "length": len(data)}]
    assert client.call("1", "test.size", payload=said + data, parts=parts) == {"size": len(data)}


def test_a_large_answer_comes_whole(connect):
    client = connect()
    client.send("1", "test.blob", {"size": 20_000_000})
    event, body = client.receive()
    assert body == {"blob": {"$part": "blob"}}
    assert event.parts[1] == {"name": "blob", "length": 20_000_000, "media_type": "application/octet-stream"}


def test_a_reader_that_stalls_freezes_nobody_else(connect):
    stalled = connect()
    stalled.send("1", "test.blob", {"size": 50_000_000})
    assert connect().call("2", "test.echo", {"value": 1}) == {"value": 1}
    assert stalled.receive()[1] == {"blob": {"$part": "blob"}}


def test_progress_comes_before_the_answer_and_never_after(connect):
    client = connect()
    client.send("1", "test.progress", {"steps": 3})
    event, body = client.receive()
    while isinstance(event, wire.Event):
        assert set(body) == {"progress", "total", "message"}
        event, body = client.receive()
    assert client.call("2", "test.echo") == {"value": None}


def test_errors_are_json(connect):
    body = connect().call("1", "test.fail", {"kind": "exit"})
    assert json.dumps(body)
    assert (body["data"]["type"], body["data"]["stdout"]) == ("SystemExit", "before it failed\n")


# What is wrong is refused at once, also while Blender is busy


@pytest.fixture
def busy(served, connect):
    client = connect()
    client.send("busy", "test.wait")
    assert served.application.started.acquire(timeout=PATIENCE)
    return client


@pytest.fixture
def busy_swallowing(served, connect):
    client = connect()
    client.send("busy", "test.wait", {"swallow": True})
    assert served.application.started.acquire(timeout=PATIENCE)
    return client


@pytest.mark.parametrize(
    ("method", "payload", "code"),
    [
        ("test.ech", b"{}", "unknown_method"),
        ("test.echo", b'{"valu":1}', "invalid_params"),
        ("test.echo", b"[1]", "bad_payload"),
        ("test.echo", b"{", "bad_payload"),
        ("test.echo", b'{"value":NaN}', "bad_payload"),
        ("test.echo", b"\xff", "bad_payload"),
        ("test.echo", b"[" * 100_000, "bad_payload"),
    ],
)
def test_a_wrong_request_is_refused_while_blender_is_busy(busy, connect, method, payload, code):
    client = connect()
    assert error(client.call("1", method, payload=payload)) == (code, "not_executed")
    assert client.ping()["busy"]


def test_a_command_of_the_io_side_is_answered_while_blender_is_busy(busy, connect):
    assert connect().call("1", "test.describe")["commands"] > 0


def test_a_bug_on_the_io_side_costs_one_request(connect):
    client = connect()
    body = client.call("1", "test.bug")
    assert error(body) == ("internal", "not_executed")
    assert body["data"]["reference"]
    assert client.call("2", "test.echo") == {"value": None}


def test_a_ping_is_answered_while_blender_is_busy(busy):
    pong = busy.ping()
    assert set(pong) == {"blender", "pid", "file", "busy", "running", "queued", "last_tick_age", "uptime"}
    assert (pong["blender"], pong["file"], pong["pid"]) == ("0.0.0", "/tmp/a.blend", os.getpid())
    assert (pong["running"]["id"], pong["running"]["method"], pong["queued"]) == ("busy", "test.wait", 0)


def test_a_second_request_on_a_busy_socket_is_refused_and_reading_goes_on(served, busy):
    busy.send("2", "test.echo")
    request_id, body = busy.response()
    assert (request_id, error(body)) == ("2", ("busy", "not_executed"))
    assert busy.ping()["busy"]
    served.application.gate.set()
    assert busy.response() == ("busy", {"waited": ""})


def test_a_request_for_another_blender_process_is_not_run(served, connect):
    assert error(connect().call("1", "test.echo", boot="f" * 16)) == ("blender_lost", "unknown")
    assert served.application.ran == []


def test_a_request_for_this_very_process_runs(connect):
    assert connect().call("1", "test.echo", boot=BOOT) == {"value": None}


# Cancel, deadline, and clients that leave


def test_a_cancel_stops_what_runs(busy):
    busy.cancel("busy")
    assert error(busy.response()[1]) == ("cancelled", "failed")


def test_a_cancel_is_sent_again_until_it_took_effect(served, busy_swallowing):
    busy_swallowing.cancel("busy")
    for _ in range(3):
        assert served.interrupter.strikes.acquire(timeout=PATIENCE)
    served.application.gate.set()
    assert error(busy_swallowing.response()[1]) == ("cancelled", "unknown")


def test_cancelled_work_that_waits_never_runs(served, busy, connect):
    client = connect()
    client.send("1", "test.echo", {"value": "never"})
    client.cancel("1")
    assert error(client.response()[1]) == ("cancelled", "not_executed")
    served.application.gate.set()
    assert connect().call("2", "test.echo", {"value": "after"}) == {"value": "after"}
    assert served.application.ran == ["wait ", "echo after"]


def test_a_cancel_of_another_id_is_ignored(served, busy):
    busy.cancel("other")
    assert busy.ping()["busy"]
    served.application.gate.set()
    assert busy.response() == ("busy", {"waited": ""})


def test_what_runs_is_stopped_at_its_deadline(connect):
    assert error(connect().call("1", "test.wait", deadline=0.02)) == ("timeout", "unknown")


def test_what_waits_is_answered_at_its_deadline_though_blender_is_busy(busy, connect):
    assert error(connect().call("1", "test.echo", deadline=0.02)) == ("timeout", "not_executed")


def test_work_of_a_client_that_left_is_stopped(served, busy, connect):
    busy.close()
    assert connect().call("2", "test.echo") == {"value": None}


def test_waiting_work_of_a_client_that_left_never_runs(served, busy, connect):
    watcher = connect()
    leaver = connect()
    leaver.send("1", "test.echo", {"value": "never"})
    while watcher.ping()["queued"] != 1:
        pass
    leaver.close()
    while watcher.ping()["queued"] != 0:
        pass
    served.application.gate.set()
    assert watcher.call("2", "test.echo", {"value": "after"}) == {"value": "after"}
    assert served.application.ran == ["wait ", "echo after"]


def test_the_answer_of_keyed_work_can_be_fetched_after_its_client_left(served, connect):
    leaver, heir = connect(), connect()
    leaver.send("1", "test.wait", {"name": "x"}, key="k")
    assert served.application.started.acquire(timeout=PATIENCE)
    leaver.close()
    heir.send("2", "test.wait", {"name": "x"}, key="k")
    served.application.gate.set()
    assert heir.response() == ("2", {"waited": "x"})
    assert heir.call("3", "test.wait", {"name": "x"}, key="k") == {"waited": "x"}
    assert served.application.ran == ["wait x"]


def test_keyed_work_is_stopped_at_its_deadline_after_its_client_left(served, connect):
    leaver, heir = connect(), connect()
    leaver.send("1", "test.wait", {"swallow": True}, key="k", deadline=0.1)
    assert served.application.started.acquire(timeout=PATIENCE)
    leaver.close()
    for _ in range(3):
        assert served.interrupter.strikes.acquire(timeout=PATIENCE)
    heir.send("2", "test.wait", {"swallow": True}, key="k")
    assert heir.ping()["busy"]
    served.application.gate.set()
    assert error(heir.response()[1]) == ("timeout", "unknown")


def test_orphaned_work_is_struck_until_it_ends(served, busy_swallowing, connect):
    watcher = connect()
    busy_swallowing.close()
    for _ in range(3):
        assert served.interrupter.strikes.acquire(timeout=PATIENCE)
    served.application.gate.set()
    assert watcher.call("2", "test.echo") == {"value": None}


def test_a_cancel_ends_keyed_work(served, connect):
    client = connect()
    client.send("1", "test.wait", key="k")
    assert served.application.started.acquire(timeout=PATIENCE)
    client.cancel("1")
    assert error(client.response()[1]) == ("cancelled", "failed")


# Leaving


def test_leaving_says_goodbye_and_closes_the_idle(serve):
    served = serve()
    client = served.client()
    served.listener.leave("enough")
    assert client.receive()[0] == wire.Goodbye("enough")
    assert client.at_end()


def test_leaving_lets_the_request_in_flight_have_its_answer(serve):
    served = serve()
    client = served.client()
    client.send("1", "test.wait")
    assert served.application.started.acquire(timeout=PATIENCE)
    served.listener.leave("enough")
    assert client.receive()[0] == wire.Goodbye("enough")
    served.application.gate.set()
    assert client.response() == ("1", {"waited": ""})
    assert client.at_end()


def test_nobody_new_is_taken_after_leaving(serve):
    served = serve()
    served.listener.leave("enough")
    served.listener.close(PATIENCE)
    with pytest.raises((ConnectionRefusedError, FileNotFoundError)):
        served.client()
