"""One JSON object ↔ one typed tuple: every field of every kind is checked, with either codec."""

from __future__ import annotations

import json
import math

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from blender_addon import wire
from blender_addon.wire import STANDARD_CODEC, Codec, Fault, Limits, Peer
from blender_addon.wire.envelope import LONGEST_DEADLINE, encode, parse, valid_id

KINDS = {
    "hello": wire.Hello,
    "challenge": wire.Challenge,
    "auth": wire.Auth,
    "welcome": wire.Welcome,
    "request": wire.Request,
    "response": wire.Response,
    "event": wire.Event,
    "cancel": wire.Cancel,
    "ping": wire.Ping,
    "pong": wire.Pong,
    "goodbye": wire.Goodbye,
}


def plain(envelope):
    return {n: v._asdict() if isinstance(v, (Peer, Limits)) else v for n, v in envelope._asdict().items()}


def refusal(data, codec=STANDARD_CODEC, payload_length=0) -> Fault:
    with pytest.raises(Fault) as raised:
        parse(data, payload_length, codec)
    return raised.value


def envelope_of(vector) -> bytes:
    data = bytes.fromhex(vector["hex"])
    return data[8 : 8 + int.from_bytes(data[:4], "big")]


def test_golden_envelopes_mean_what_they_say(frames, codec):
    envelope = parse(envelope_of(frames), len(frames["payload"]) // 2, codec)
    assert type(envelope) is KINDS[frames["kind"]]
    assert plain(envelope) == frames["means"]


def test_golden_envelopes_are_written_byte_for_byte(frames, codec):
    envelope = parse(envelope_of(frames), len(frames["payload"]) // 2, codec)
    assert encode(envelope, codec) == envelope_of(frames)


def test_golden_wrong_envelopes_are_refused_with_their_id_or_for_good(refused_envelopes, codec):
    fault = refusal(refused_envelopes["text"].encode(), codec, refused_envelopes["payload_length"])
    assert fault.code == refused_envelopes["code"]
    assert fault.request_id == refused_envelopes["id"]
    assert fault.fatal == (refused_envelopes["id"] is None)
    assert fault.outcome == "not_executed"


IDS = st.from_regex(r"[A-Za-z0-9._:-]{1,64}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
HEX = lambda length: st.text("0123456789abcdefABCDEF", min_size=length, max_size=length)  # noqa: E731
PEERS = st.builds(Peer, TEXTS | st.just(""), TEXTS)
LIMITS = st.builds(Limits, st.integers(1, 2**32), st.integers(1, 1000))
MAYBE = lambda strategy: st.none() | strategy  # noqa: E731
DEADLINES = st.floats(min_value=0, max_value=LONGEST_DEADLINE, exclude_min=True)
ENVELOPES = st.one_of(
    st.builds(wire.Hello, st.just(1), HEX(32), PEERS),
    st.builds(wire.Challenge, HEX(32), HEX(64)),
    st.builds(wire.Auth, HEX(64)),
    st.builds(wire.Welcome, st.just(1), PEERS, LIMITS, MAYBE(TEXTS)),
    st.builds(wire.Request, IDS, TEXTS, MAYBE(DEADLINES), MAYBE(TEXTS), MAYBE(TEXTS), MAYBE(TEXTS), st.none()),
    st.builds(wire.Response, MAYBE(IDS), st.booleans(), MAYBE(TEXTS), st.none()),
    st.builds(wire.Event, IDS, st.sampled_from(["progress", "log"])),
    st.builds(wire.Cancel, IDS),
    st.builds(wire.Ping, IDS),
    st.builds(wire.Pong, IDS),
    st.builds(wire.Goodbye, TEXTS),
)
CODECS = st.sampled_from([STANDARD_CODEC, Codec(orjson.loads, orjson.dumps)])


@given(ENVELOPES, CODECS, CODECS)
def test_every_envelope_comes_back_as_it_was_written(envelope, writer, reader):
    assert parse(encode(envelope, writer), 0, reader) == envelope


@given(st.lists(TEXTS.filter(lambda name: name != "json"), unique=True, max_size=5), st.data())
def test_parts_come_back_as_they_were_written(names, data):
    parts = [{"name": name, "length": data.draw(st.integers(0, 1000))} for name in ["json", *names]]
    request = wire.Request("1", "m", parts=parts)
    assert parse(encode(request), sum(part["length"] for part in parts)) == request


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)
FIELDS = st.fixed_dictionaries(
    {"kind": st.sampled_from(list(KINDS))},
    optional={
        "id": IDS | JSON,
        "parts": JSON | st.lists(st.fixed_dictionaries({"name": JSON, "length": JSON})),
        "protocol": st.just(1) | JSON,
        "nonce": HEX(32) | JSON,
        "peer": st.builds(Peer, TEXTS, TEXTS).map(lambda peer: peer._asdict()) | JSON,
    }
    | dict.fromkeys(("method", "deadline", "instance", "key", "boot", "ok", "name", "reason", "limits"), JSON),
)


@given(st.binary() | FIELDS.map(lambda fields: json.dumps(fields).encode()), CODECS)
@example(b'"\xed\xa0\x80"', STANDARD_CODEC)
def test_arbitrary_envelopes_raise_nothing_but_faults(data, codec):
    try:
        found = parse(data, 0, codec)
    except Fault as fault:
        found = fault
    assert type(found) in KINDS.values() or (found.fatal == (found.request_id is None))


# What is easy to get wrong.


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "utf-8-sig", "latin-1"])
def test_an_envelope_is_utf_8_and_nothing_else(encoding, codec):
    assert refusal('{"kind":"ping","id":"1","x":"é"}'.encode(encoding), codec).fatal


@pytest.mark.parametrize("name", ["method", "instance", "key", "boot"])
def test_half_a_surrogate_pair_is_refused(name, codec):
    fields = {"kind": "request", "id": "1", "method": "m"} | {name: "a\ud800"}
    assert refusal(json.dumps(fields).encode(), codec).code == "bad_envelope"


def test_a_whole_surrogate_pair_is_one_character(codec):
    assert parse(rb'{"kind":"goodbye","reason":"\ud83d\ude00"}', 0, codec) == wire.Goodbye("\U0001f600")


@pytest.mark.parametrize("depth", [100, 500, 900, 950, 960, 970, 980, 990, 1000, 1010, 1020, 1023, 5000, 30_000])
@pytest.mark.parametrize("field", ["x", "protocol", "parts", "kind", "id", "peer", "limits"])
def test_deep_nesting_is_read_or_refused_and_nothing_else(depth, field, codec):
    deep = '{"kind":"hello","nonce":"' + "a" * 32 + f'","{field}":' + "[" * depth + "]" * depth + "}"
    assert refusal(deep.encode(), codec).fatal


@pytest.mark.parametrize("digits", [20, 400, 4300, 30_000])
@pytest.mark.parametrize("field", ["deadline", "protocol"])
def test_huge_numbers_are_read_or_refused_and_nothing_else(digits, field, codec):
    kind = "request" if field == "deadline" else "hello"
    text = f'{{"kind":"{kind}","id":"1","method":"m","{field}":{"9" * digits}}}'
    try:
        request = parse(text.encode(), 0, codec)
    except Fault:
        return
    assert request == wire.Request("1", "m", LONGEST_DEADLINE)


def test_huge_lengths_of_parts_are_refused(codec):
    nines = "9" * 4300
    text = '{"kind":"request","id":"1","method":"m","parts":[{"name":"json","length":%s},{"name":"a","length":%s}]}'
    assert refusal((text % (nines, nines)).encode(), codec).code == "bad_envelope"


@pytest.mark.parametrize("deadline", ["NaN", "Infinity", "-Infinity", "1e999"])
def test_a_deadline_is_a_finite_number(deadline, codec):
    refusal(f'{{"kind":"request","id":"1","method":"m","deadline":{deadline}}}'.encode(), codec)


@pytest.mark.parametrize("deadline", [math.inf, math.nan])
def test_a_codec_that_reads_more_than_json_does_not_change_that(deadline):
    lax = Codec(lambda data: {"kind": "request", "id": "1", "method": "m", "deadline": deadline}, STANDARD_CODEC.dumps)
    assert refusal(b"", lax).request_id == "1"


def test_a_whole_number_is_a_deadline_too(codec):
    assert parse(b'{"kind":"request","id":"1","method":"m","deadline":3}', 0, codec).deadline == 3.0


def test_a_deadline_of_more_than_a_year_is_a_year(codec):
    assert parse(b'{"kind":"request","id":"1","method":"m","deadline":1e300}', 0, codec).deadline == LONGEST_DEADLINE


def test_unknown_fields_are_ignored(codec):
    assert parse(b'{"kind":"ping","id":"1","colour":"red"}', 0, codec) == wire.Ping("1")


def test_no_number_without_meaning_is_written():
    with pytest.raises(ValueError, match="JSON"):
        STANDARD_CODEC.dumps(math.nan)


@pytest.mark.parametrize(
    ("value", "valid"), [("a" * 64, True), ("a" * 65, False), ("", False), (1, False), ("é", False)]
)
def test_ids_are_short_and_plain(value, valid):
    assert valid_id(value) is valid
