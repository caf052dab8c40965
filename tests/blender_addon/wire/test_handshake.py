"""The two proofs, and a handshake that nobody gets through without the token."""

from __future__ import annotations

import hmac
import json

import pytest

from blender_addon.wire import (
    Auth,
    Challenge,
    ClientSession,
    Fault,
    FrameDecoder,
    Hello,
    Limits,
    Opened,
    Peer,
    ServerSession,
    Welcome,
    head,
)
from blender_addon.wire import handshake as proofs
from blender_addon.wire.envelope import encode, parse
from blender_addon.wire.session import State

SERVER, CLIENT = Peer("bpy-bridge", "0.1.0"), Peer("tool", "1")
LIMITS = Limits(1000, 2)


def frame(data: bytes):
    decoder = FrameDecoder()
    decoder.feed(data)
    found = decoder.next_frame()
    assert found is not None
    return found


def said(session) -> list:
    """What the session wants to send, as envelopes; the outbox is then empty."""
    envelopes = [parse(frame(data).envelope, len(frame(data).payload)) for data in session.outbox]
    session.outbox.clear()
    return envelopes


def tell(session, envelope):
    return session.receive(frame(head(encode(envelope), 0)))


def pair(server_token, client_token):
    server, client = ServerSession(SERVER, LIMITS, token=server_token), ClientSession(CLIENT, token=client_token)
    client.greet()
    return server, client


def test_golden_proofs(handshake):
    token, nonces = handshake["token"], (handshake["client_nonce"], handshake["server_nonce"])
    assert proofs.server_proof(token, *nonces) == handshake["server_proof"]
    assert proofs.client_proof(token, *nonces) == handshake["client_proof"]


def test_nonces_are_32_digits_and_never_the_same():
    nonces = {proofs.new_nonce() for _ in range(100)}
    assert len(nonces) == 100
    assert all(len(nonce) == 32 and int(nonce, 16) >= 0 for nonce in nonces)


def test_proofs_are_compared_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(hmac, "compare_digest", lambda *pair: compared.append(pair) or True)
    assert proofs.same_proof("aa", "AA") is True
    assert compared == [(b"aa", b"aa")]


def test_both_sides_open_after_four_words():
    server, client = pair("secret", " secret\n")
    (hello,) = said(client)
    assert tell(server, hello) is None
    (challenge,) = said(server)
    assert tell(client, challenge) is None
    (auth,) = said(client)
    opened = tell(server, auth)
    (welcome,) = said(server)
    assert opened == Opened(CLIENT, welcome)
    assert tell(client, welcome) == Opened(SERVER, welcome)
    assert (server.state, client.state) == (State.OPEN, State.OPEN)
    assert [type(word) for word in (hello, challenge, auth, welcome)] == [Hello, Challenge, Auth, Welcome]
    assert welcome.limits == LIMITS


def test_without_a_token_two_words_are_enough():
    server, client = pair(None, None)
    (hello,) = said(client)
    assert tell(server, hello).peer == CLIENT
    (welcome,) = said(server)
    assert tell(client, welcome) == Opened(SERVER, welcome)


def test_a_client_with_a_wrong_token_is_refused_and_remembered_as_such():
    server = ServerSession(SERVER, LIMITS, token="secret")
    tell(server, Hello(1, "a" * 32, CLIENT))
    (challenge,) = said(server)
    tell(server, Auth(proofs.client_proof("other", "a" * 32, challenge.nonce)))
    fault = Fault.from_object(json.loads(frame(server.outbox[0]).payload))
    assert fault.code == "unauthorized"
    assert server.closed
    assert server.refused


def test_a_replayed_proof_is_refused():
    proof_of_yesterday = []
    for _ in range(2):
        server = ServerSession(SERVER, LIMITS, token="secret")
        tell(server, Hello(1, "a" * 32, CLIENT))
        (challenge,) = said(server)
        proof_of_yesterday.append(proofs.client_proof("secret", "a" * 32, challenge.nonce))
    assert tell(server, Auth(proof_of_yesterday[0])) is None
    assert server.closed


def test_the_servers_own_proof_is_no_proof_of_the_client():
    server = ServerSession(SERVER, LIMITS, token="secret")
    tell(server, Hello(1, "a" * 32, CLIENT))
    (challenge,) = said(server)
    tell(server, Auth(challenge.proof))
    assert server.closed
    assert server.refused


def test_the_client_proves_nothing_to_a_server_that_proved_nothing():
    _, client = pair(None, "secret")
    client.outbox.clear()
    with pytest.raises(Fault, match="could not prove"):
        tell(client, Challenge("b" * 32, "c" * 64))
    assert client.outbox == []
    assert client.state is State.CLOSED


def test_a_client_with_a_token_refuses_a_welcome_without_a_challenge():
    _, client = pair(None, "secret")
    with pytest.raises(Fault, match="did not prove") as raised:
        tell(client, Welcome(1, SERVER, LIMITS, None))
    assert raised.value.code == "unauthorized"
    assert client.state is State.CLOSED


def test_a_client_without_a_token_cannot_answer_a_challenge():
    _, client = pair(None, None)
    with pytest.raises(Fault, match="asks for a token"):
        tell(client, Challenge("b" * 32, "c" * 64))


def test_a_second_challenge_is_not_answered():
    server, client = pair("secret", "secret")
    (hello,) = said(client)
    tell(server, hello)
    (challenge,) = said(server)
    tell(client, challenge)
    with pytest.raises(Fault, match="second challenge"):
        tell(client, challenge)


@pytest.mark.parametrize("word", [b'{"kind":"ping","id":"1"}', b'{"kind":"auth","proof":"%s"}' % (b"a" * 64)])
def test_a_server_with_a_token_tells_strangers_what_to_do(word):
    server = ServerSession(SERVER, LIMITS, token="secret")
    server.receive(frame(head(word, 0)))
    assert b"unauthorized" in server.outbox[0]
    assert b"say hello" in server.outbox[0]
