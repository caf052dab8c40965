"""The add-on's end of the protocol, over real sockets."""

from __future__ import annotations

import json
import os
import socket
import stat

import pytest

from blender_addon import connection, wire
from blender_addon.sockets import AddressRefused, ServerSocket, check_address
from blender_addon.wire.address import Address
from tests.blender_addon.serving import BOOT, PATIENCE

LOOPBACK = Address("tcp", host="127.0.0.1", port=0)


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


# Handshake and admission


def test_the_right_token_opens(serve):
    client = serve(token="secret").client()
    assert client.call("1", "test.echo") == {"value": None}


def test_a_wrong_proof_is_refused_after_a_delay(serve, monkeypatch):
    delays = []
    monkeypatch.setattr(connection, "REFUSAL_DELAY", _Noted(delays))
    client = serve(token="secret").client(token="secret", greet=False)
    client.session.greet()
    client._say()
    client._receive()
    envelope = wire.envelope.encode(wire.Auth("0" * 64))
    client.sock.sendall(wire.head(envelope, 0))
    assert client.refusal().code == "unauthorized"
    assert client.at_end()
    assert delays


class _Noted(float):
    """A delay of nothing that notes that it was asked for."""

    def __new__(cls, noted):
        made = super().__new__(cls, 0.0)
        made.noted = noted
        return made

    def __gt__(self, other):
        self.noted.append(other)
        return False

    def __float__(self):
        self.noted.append(True)
        return 0.0


def test_a_request_before_the_handshake_is_refused(serve):
    client = serve(token="secret").client(greet=False)
    client.session.greet()
    client.send("1", "test.echo")
    assert client.refusal().code == "unauthorized"


def test_a_handshake_that_takes_too_long_is_closed(serve, monkeypatch):
    monkeypatch.setattr(connection, "HANDSHAKE_SECONDS", 0.02)
    client = serve().client(greet=False)
    assert client.at_end()


def test_half_a_frame_and_then_silence_is_closed(serve, monkeypatch):
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.02)
    client = serve().client()
    client.sock.sendall(b"\0\0\0")
    assert client.at_end()


def test_a_silent_client_between_frames_stays(serve, monkeypatch):
    monkeypatch.setattr(connection, "STALL_SECONDS", 0.0)
    client = serve().client()
    assert client.call("1", "test.echo") == {"value": None}


@pytest.mark.parametrize("garbage", [b'{"type":"ping"}', b"GET / HTTP/1.1\r\n\r\n", b"\0\x02\0\0\0\0\0\0"])
def test_what_is_no_frame_is_refused_and_closed(connect, garbage, monkeypatch):
    monkeypatch.setattr(connection, "FAREWELL_SECONDS", 10 * PATIENCE)
    client = connect()
    client.sock.sendall(garbage)
    assert client.refusal().code == "bad_frame"
    assert client.at_end()


def test_a_payload_over_the_limit_is_refused_before_it_is_read(serve):
    client = serve(max_payload=1000).client()
    envelope = client.session.request(wire.Request("1", "test.echo"))
    client.sock.sendall(wire.head(envelope, 1001))
    fault = client.refusal()
    assert (fault.code, fault.data) == ("payload_too_large", {"length": 1001, "limit": 1000})
    assert client.at_end()


@pytest.mark.parametrize("envelope", [b"garbage", b'{"kind":"nonsense"}', b'{"kind":"ping","id":"1"}', b"[]"])
def test_a_large_frame_that_is_wrong_is_refused_before_it_is_read(connect, envelope):
    client = connect()
    client.sock.sendall(wire.head(envelope, 100_000_000))
    assert client.refusal().code == "bad_envelope"
    assert client.at_end()


def test_garbage_on_one_socket_leaves_the_others_alone(served, connect):
    good, bad = connect(), connect()
    bad.sock.sendall(b"garbage!")
    assert bad.refusal()
    assert good.call("1", "test.echo") == {"value": None}


def test_connections_are_bounded(serve):
    served = serve(most_open=2)
    first, _second, third = served.client(), served.client(), served.client()
    assert third.refusal().code == "busy"
    first.close()
    while True:
        # The place is free once the server has seen that the first is gone.
        fourth = served.client()
        fourth.sock.sendall(fourth.session.ping("p"))
        try:
            if isinstance(fourth._receive()[0], wire.Pong):
                break
        except wire.Fault:
            fourth.close()


def test_silent_strangers_do_not_crowd_out_others(serve, monkeypatch):
    monkeypatch.setattr(connection, "HANDSHAKE_SECONDS", 10 * PATIENCE)
    served = serve(most_greeting=2)
    strangers = [served.client(greet=False) for _ in range(10)]
    client = served.client()
    assert client.call("1", "test.echo") == {"value": None}
    assert strangers[0].at_end()


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


# Addresses


def test_tcp_takes_any_free_port_and_tells_it(serve):
    served = serve(address=LOOPBACK, token="secret")
    assert served.address.port > 0
    client = served.client()
    assert client.call("1", "test.echo") == {"value": None}


@pytest.mark.parametrize(
    ("address", "token", "why"),
    [
        (LOOPBACK, None, "token"),
        (Address("tcp", host="0.0.0.0", port=0), "secret", "TLS"),
        (Address("tcp", host="no.invalid", port=0), "x", "no.invalid"),
    ],
)
def test_an_unsafe_address_is_refused(address, token, why):
    with pytest.raises(AddressRefused, match=why):
        check_address(address, token)


@pytest.fixture
def listen():
    opened = []

    def listen(path):
        opened.append(ServerSocket(Address("unix", path=str(path))))
        return opened[-1]

    yield listen
    for server in opened:
        server.close()


def test_a_unix_socket_is_for_its_user_alone(tmp_path, listen):
    listen(tmp_path / "s")
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) & 0o077 == 0


@pytest.mark.skipif(not hasattr(socket, "SO_PEERCRED"), reason="the peer's user is told on Linux")
@pytest.mark.parametrize(
    ("mode", "same_user", "admitted"), [(0o755, True, True), (0o755, False, False), (0o700, False, True)]
)
def test_the_peers_user_is_checked_outside_a_private_directory(
    tmp_path, listen, monkeypatch, mode, same_user, admitted
):
    tmp_path.chmod(mode)
    server = listen(tmp_path / "s")
    if not same_user:
        monkeypatch.setattr("blender_addon.sockets.os.getuid", lambda: os.geteuid() + 1)
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert server.admits(ours) is admitted


def test_a_socket_that_a_dead_server_left_is_replaced(tmp_path, listen):
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(tmp_path / "s"))
    listen(tmp_path / "s")


def test_a_living_servers_socket_is_not_taken(tmp_path, listen):
    listen(tmp_path / "s")
    with pytest.raises(AddressRefused, match="another server"):
        listen(tmp_path / "s")


def test_a_file_that_is_no_socket_is_not_touched(tmp_path, listen):
    (tmp_path / "s").write_text("precious")
    with pytest.raises(AddressRefused, match="no socket"):
        listen(tmp_path / "s")
    assert (tmp_path / "s").read_text() == "precious"


def test_closing_removes_the_socket_but_not_a_successors(tmp_path):
    path = tmp_path / "s"
    first = ServerSocket(Address("unix", path=str(path)))
    path.unlink()
    second = ServerSocket(Address("unix", path=str(path)))
    first.close()
    assert path.exists()
    second.close()
    assert not path.exists()


def test_errors_are_json(connect):
    body = connect().call("1", "test.fail", {"kind": "exit"})
    assert json.dumps(body)
    assert (body["data"]["type"], body["data"]["stdout"]) == ("SystemExit", "before it failed\n")
