"""What may be said when: every kind in every state, for both sides."""

from __future__ import annotations

import json

import pytest

from blender_addon import wire
from blender_addon.wire import ClientSession, Fault, Frame, FrameDecoder, Limits, Peer, Request, ServerSession, head
from blender_addon.wire.envelope import encode
from blender_addon.wire.session import State

PEER = Peer("peer", "1")
LIMITS = Limits(1000, 2)
EVERY_KIND = {
    "hello": wire.Hello(1, "a" * 32, PEER),
    "challenge": wire.Challenge("a" * 32, "b" * 64),
    "auth": wire.Auth("b" * 64),
    "welcome": wire.Welcome(1, PEER, LIMITS, None),
    "request": wire.Request("1", "m"),
    "response": wire.Response("1", ok=True),
    "event": wire.Event("1", "progress"),
    "cancel": wire.Cancel("1"),
    "ping": wire.Ping("1"),
    "pong": wire.Pong("1"),
    "goodbye": wire.Goodbye("soon"),
}


def frame_of(envelope: wire.Envelope, payload: bytes = b"") -> Frame:
    return Frame(encode(envelope), payload)


def answers(session: ServerSession) -> list[tuple[dict, dict]]:
    """The outbox as envelopes and payloads; it is then empty."""
    decoder, found = FrameDecoder(), []
    for data in session.outbox:
        decoder.feed(data)
        frame = decoder.next_frame()
        assert frame is not None
        found.append((json.loads(frame.envelope), json.loads(frame.payload) if frame.payload else {}))
    session.outbox.clear()
    return found


def server(state: State = State.OPEN, *, boot: str | None = None) -> ServerSession:
    session = ServerSession(PEER, LIMITS, token="secret" if state is State.AUTH else None, boot=boot)
    if state is not State.HELLO:
        session.receive(frame_of(EVERY_KIND["hello"]))
    if state is State.CLOSED:
        session.receive(frame_of(EVERY_KIND["hello"]))
    session.outbox.clear()
    assert session.state is state
    return session


def client(state: State = State.OPEN) -> ClientSession:
    session = ClientSession(PEER, token=None)
    if state is not State.HELLO:
        session.greet()
    if state in (State.OPEN, State.CLOSED):
        session.receive(frame_of(EVERY_KIND["welcome"]))
    if state is State.CLOSED:
        with pytest.raises(Fault):
            session.receive(frame_of(EVERY_KIND["hello"]))
    session.outbox.clear()
    assert session.state is state
    return session


SERVER_TAKES = {
    State.HELLO: {"hello"},
    State.AUTH: {"auth"},
    State.OPEN: {"request", "cancel", "ping"},
}
CLIENT_TAKES = {
    State.HELLO: set(),
    State.WELCOME: {"welcome"},  # a challenge too, from those who can prove the token
    State.OPEN: {"response", "event", "pong", "goodbye"},
    State.CLOSED: set(),
}
SERVER_REFUSES = [(s, kind) for s, taken in SERVER_TAKES.items() for kind in EVERY_KIND if kind not in taken]
CLIENT_REFUSES = [(s, kind) for s, taken in CLIENT_TAKES.items() for kind in EVERY_KIND if kind not in taken]


@pytest.mark.parametrize(("state", "kind"), SERVER_REFUSES, ids=str)
def test_a_server_answers_an_unexpected_kind_to_the_connection_and_closes(state, kind):
    session = server(state)
    assert session.receive(frame_of(EVERY_KIND[kind])) is None
    ((envelope, error),) = answers(session)
    assert (envelope["kind"], envelope["id"], envelope["ok"]) == ("response", None, False)
    assert error["outcome"] == "not_executed"
    assert session.closed


@pytest.mark.parametrize("kind", EVERY_KIND)
def test_a_closed_server_says_nothing_more(kind):
    session = server(State.CLOSED)
    assert session.receive(frame_of(EVERY_KIND[kind])) is None
    assert session.outbox == []


@pytest.mark.parametrize(("state", "kind"), CLIENT_REFUSES, ids=str)
def test_a_client_raises_for_an_unexpected_kind_and_is_closed(state, kind):
    session = client(state)
    with pytest.raises(Fault):
        session.receive(frame_of(EVERY_KIND[kind]))
    assert session.state is State.CLOSED


@pytest.mark.parametrize("kind", ["request", "ping"])
def test_an_open_server_hands_out_what_it_takes(kind):
    assert server().receive(frame_of(EVERY_KIND[kind])) == EVERY_KIND[kind]


@pytest.mark.parametrize("kind", sorted(CLIENT_TAKES[State.OPEN]))
def test_an_open_client_hands_out_what_it_takes(kind):
    assert client().receive(frame_of(EVERY_KIND[kind])) == EVERY_KIND[kind]


# Faults.


def test_a_wrong_field_of_a_request_is_answered_to_it_and_the_connection_stays(refused_envelopes):
    vector = refused_envelopes
    session = server()
    session.receive(Frame(vector["text"].encode(), bytes(vector["payload_length"])))
    ((envelope, error),) = answers(session)
    assert (envelope["id"], error["code"]) == (vector["id"], vector["code"])
    assert session.closed == (vector["id"] is None)


@pytest.mark.parametrize("state", [State.HELLO, State.AUTH])
def test_before_the_handshake_a_wrong_request_closes_like_any_other(state):
    session = server(state)
    session.receive(Frame(b'{"kind":"request","id":"1"}', b""))
    ((envelope, _),) = answers(session)
    assert envelope["id"] is None
    assert session.closed


def test_a_fault_of_one_request_leaves_the_connection_open():
    session = server()
    session.refuse(Fault("unknown_method", "m", request_id="1"))
    assert not session.closed


def test_a_refused_request_is_not_in_flight():
    session = server()
    session.receive(Frame(b'{"kind":"request","id":"1"}', b""))
    assert session.in_flight == set()


# Requests.


def test_a_request_is_in_flight_until_its_response():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    assert session.in_flight == {"1"}
    assert json.loads(session.respond("1", ok=True)) == {"kind": "response", "id": "1", "ok": True}
    assert session.in_flight == set()


def test_a_request_has_one_response():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    session.respond("1", ok=True)
    with pytest.raises(KeyError):
        session.respond("1", ok=True)


def test_an_id_in_flight_is_a_duplicate_and_the_first_goes_on():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    assert session.receive(frame_of(Request("1", "m"))) is None
    ((envelope, error),) = answers(session)
    assert (envelope["id"], error["code"]) == ("1", "duplicate_id")
    assert session.in_flight == {"1"}
    assert not session.closed


def test_an_id_may_be_used_again_after_its_response():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    session.respond("1", ok=True)
    assert session.receive(frame_of(Request("1", "m"))) == Request("1", "m")


def test_beyond_max_in_flight_is_busy_and_cancel_and_ping_still_work():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    session.receive(frame_of(Request("2", "m")))
    assert session.receive(frame_of(Request("3", "m"))) is None
    ((envelope, error),) = answers(session)
    assert (envelope["id"], error["code"], error["data"]["limit"]) == ("3", "busy", 2)
    assert session.receive(frame_of(wire.Cancel("1"))) == wire.Cancel("1")
    assert session.receive(frame_of(wire.Ping("p"))) == wire.Ping("p")


def test_a_cancel_of_an_unknown_or_finished_id_is_ignored():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    session.respond("1", ok=True)
    assert session.receive(frame_of(wire.Cancel("1"))) is None
    assert session.receive(frame_of(wire.Cancel("2"))) is None
    assert session.outbox == []
    assert not session.closed


def test_no_event_follows_the_response():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    event = session.event("1", "progress")
    assert event is not None
    assert json.loads(event) == {"kind": "event", "id": "1", "name": "progress"}
    session.respond("1", ok=True)
    assert session.event("1", "progress") is None


def test_a_blenders_responses_name_its_process():
    session = server(boot="00112233445566aa")
    session.receive(frame_of(Request("1", "m")))
    assert json.loads(session.respond("1", ok=True, boot="other"))["boot"] == "00112233445566aa"


def test_a_bridges_responses_pass_on_who_answered():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    assert json.loads(session.respond("1", ok=True, boot="aa", parts=[{"name": "json", "length": 0}])) == {
        "kind": "response",
        "id": "1",
        "ok": True,
        "boot": "aa",
        "parts": [{"name": "json", "length": 0}],
    }


def test_a_ping_has_its_pong():
    assert json.loads(server().pong(wire.Ping("p"))) == {"kind": "pong", "id": "p"}


def test_goodbye_is_said_once_open_and_requests_go_on():
    session = server()
    session.receive(frame_of(Request("1", "m")))
    session.goodbye("soon")
    assert answers(session) == [({"kind": "goodbye", "reason": "soon"}, {})]
    assert session.respond("1", ok=True)


def test_goodbye_is_not_said_to_strangers():
    session = server(State.HELLO)
    session.goodbye("soon")
    assert session.outbox == []


# The client's side.


def test_a_client_writes_requests_cancels_and_pings():
    session = client()
    assert json.loads(session.request(Request("1", "m"))) == {"kind": "request", "id": "1", "method": "m"}
    assert session.cancel("1") == head(b'{"kind":"cancel","id":"1"}', 0)
    assert session.ping("1") == head(b'{"kind":"ping","id":"1"}', 0)


@pytest.mark.parametrize("state", [State.WELCOME, State.OPEN])
def test_an_answer_to_the_connection_is_raised_as_the_servers_own_word(state):
    session = client(state)
    sent = Fault("shutting_down", "later", data={"a": 1})
    with pytest.raises(Fault) as raised:
        session.receive(frame_of(wire.Response(None, ok=False), json.dumps(sent.as_object()).encode()))
    assert raised.value.as_object() == sent.as_object()
    assert raised.value.fatal
    assert session.refusal is raised.value
    assert session.state is State.CLOSED


@pytest.mark.parametrize("payload", [b"", b"{", b"[]", b'{"code":"busy"}'])
def test_an_unreadable_last_word_is_no_word_of_the_servers(payload):
    session = client()
    with pytest.raises(Fault, match="unreadable"):
        session.receive(frame_of(wire.Response(None, ok=False), payload))
    assert session.refusal is None


def test_a_server_that_breaks_the_protocol_said_no_last_word():
    session = client()
    with pytest.raises(Fault):
        session.receive(Frame(b"{", b""))
    assert session.refusal is None
    assert session.state is State.CLOSED


def test_a_response_whose_parts_do_not_fit_an_envelope_is_refused_and_the_request_stays_in_flight():
    session = wire.ServerSession(wire.Peer("server", "1"), wire.Limits(1000, 2), token=None)
    session.in_flight.add("r")
    parts = [{"name": "json", "length": 2}, *({"name": f"part{number}", "length": 0} for number in range(3000))]
    with pytest.raises(wire.Fault, match="more than an envelope describes"):
        session.respond("r", ok=True, parts=parts)
    assert session.respond("r", ok=False)


def test_a_request_whose_envelope_would_be_too_long_is_refused_before_it_is_sent():
    session = wire.ClientSession(wire.Peer("client", "1"), token=None)
    with pytest.raises(wire.Fault, match="send fewer parts"):
        session.request(wire.Request("r", "a.b", key="k" * wire.MAX_ENVELOPE))
