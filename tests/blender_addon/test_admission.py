"""Who gets in: handshakes, frames that are none, and bounds on how many there are, over real sockets."""

from __future__ import annotations

import pytest

from blender_addon import connection, wire
from tests.blender_addon.serving import PATIENCE


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
