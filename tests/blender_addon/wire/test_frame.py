"""Bytes ↔ frames: however the bytes are cut, the same frames; whatever the bytes, a fault at worst."""

from __future__ import annotations

import struct
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.wire import DEFAULT_MAX_PAYLOAD, MAX_ENVELOPE, Fault, Frame, FrameDecoder, head
from blender_addon.wire.frame import IN_PLACE_ABOVE


def all_frames(decoder: FrameDecoder) -> list[Frame]:
    found = []
    while (frame := decoder.next_frame()) is not None:
        found.append(frame)
    return found


def as_bytes(frame: Frame) -> tuple[bytes, bytes]:
    return bytes(frame.envelope), bytes(frame.payload)


SIZES = st.sampled_from([0, 1, 7, 100, 9_000, IN_PLACE_ABOVE - 1, IN_PLACE_ABOVE, IN_PLACE_ABOVE + 1, 200_000])
FRAMES = st.lists(st.tuples(st.sampled_from([1, 2, 60, 9_000, MAX_ENVELOPE]), SIZES), max_size=5)


CUTS = st.lists(st.integers(1, 20) | st.integers(1, 100_000), max_size=10)
THEN = st.sampled_from([999, 8_192, 65_536, 1_000_000])


def frames_of(sizes: list[tuple[int, int]]) -> list[tuple[bytes, bytes]]:
    return [(bytes([n]) * envelope, bytes([n + 1]) * payload) for n, (envelope, payload) in enumerate(sizes)]


def stream_of(frames: list[tuple[bytes, bytes]]) -> bytes:
    return b"".join(head(envelope, len(payload)) + payload for envelope, payload in frames)


@given(FRAMES, CUTS, THEN)
def test_however_a_stream_is_cut_the_same_frames_come_out(sizes, cuts, then):
    frames = frames_of(sizes)
    stream, lengths = stream_of(frames), iter(cuts)
    decoder, found = FrameDecoder(), []
    while stream:
        count = next(lengths, then)
        decoder.feed(stream[:count])
        stream = stream[count:]
        found += [as_bytes(frame) for frame in all_frames(decoder)]
    assert found == frames
    assert not decoder.mid_frame


@given(FRAMES, CUTS, THEN)
def test_however_buffers_are_filled_the_same_frames_come_out(sizes, cuts, then):
    frames = frames_of(sizes)
    stream, lengths = stream_of(frames), iter(cuts)
    decoder, found = FrameDecoder(), []
    while stream:
        room = decoder.buffer()
        assert len(room) > 0
        count = min(len(room), len(stream), next(lengths, then))
        room[:count] = stream[:count]
        decoder.received(count)
        stream = stream[count:]
        found += [as_bytes(frame) for frame in all_frames(decoder)]
    assert found == frames


@given(st.lists(st.binary(max_size=50), max_size=20))
def test_arbitrary_bytes_raise_nothing_but_faults_and_allocate_no_more_than_the_limits(chunks):
    decoder, codes = FrameDecoder(max_payload=1000), set()
    for chunk in chunks:
        try:
            decoder.feed(chunk)
            assert all(len(f.envelope) <= MAX_ENVELOPE and len(f.payload) <= 1000 for f in all_frames(decoder))
        except Fault as fault:
            codes.add((fault.code, fault.fatal))
        assert len(decoder.buffer()) <= 2 * (8 + MAX_ENVELOPE + 1000)
    assert codes <= {("bad_frame", True), ("payload_too_large", True)}


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1))
def test_lengths_are_taken_exactly_within_the_limits(envelope_length, payload_length):
    decoder = FrameDecoder()
    decoder.feed(struct.pack(">II", envelope_length, payload_length))
    allowed = 1 <= envelope_length <= MAX_ENVELOPE and payload_length <= DEFAULT_MAX_PAYLOAD
    if allowed:
        assert decoder.next_frame() is None
        assert decoder.mid_frame
    else:
        with pytest.raises(Fault):
            decoder.next_frame()


def test_golden_frames_are_read(frames):
    decoder = FrameDecoder()
    decoder.feed(bytes.fromhex(frames["hex"]))
    frame = decoder.next_frame()
    assert frame is not None
    assert frame.payload.hex() == frames["payload"]
    assert head(frame.envelope, len(frame.payload)) + bytes(frame.payload) == bytes.fromhex(frames["hex"])


def test_golden_streams_that_are_no_frames_are_refused_for_good(refused_frames):
    decoder = FrameDecoder()
    decoder.feed(bytes.fromhex(refused_frames["hex"]))
    for _ in range(2):
        with pytest.raises(Fault) as raised:
            decoder.next_frame()
        assert (raised.value.code, raised.value.fatal) == (refused_frames["code"], True)


def test_a_client_of_an_unframed_dialect_is_told_so():
    decoder = FrameDecoder()
    decoder.feed(b"{")
    with pytest.raises(Fault, match="bare JSON"):
        decoder.next_frame()


@pytest.mark.parametrize("lengths", [(0xFFFFFFFF, 0xFFFFFFFF), (2, 0xFFFFFFFF), (MAX_ENVELOPE, DEFAULT_MAX_PAYLOAD)])
def test_lengths_cost_no_memory_before_the_envelope_is_here(lengths):
    decoder = FrameDecoder()
    decoder.feed(struct.pack(">II", *lengths))
    tracemalloc.start()
    try:
        with pytest.raises(Fault) if lengths[1] > DEFAULT_MAX_PAYLOAD else _nothing():
            decoder.next_frame()
        decoder.buffer()
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


class _nothing:
    def __enter__(self):
        return None

    def __exit__(self, *error):
        return None


def test_a_payload_over_the_limit_is_told_with_both_figures():
    decoder = FrameDecoder(max_payload=10)
    decoder.feed(struct.pack(">II", 2, 11))
    with pytest.raises(Fault) as raised:
        decoder.next_frame()
    assert raised.value.data == {"length": 11, "limit": 10}


def test_a_large_payload_is_received_in_place_and_handed_out_uncopied():
    decoder = FrameDecoder()
    length = IN_PLACE_ABOVE + 1000
    decoder.feed(head(b"{}", length) + b"abc")
    assert decoder.next_frame() is None
    room = decoder.buffer()
    assert len(room) == length - 3
    owner = room.obj
    room[:] = b"x" * len(room)
    decoder.received(len(room))
    frame = decoder.next_frame()
    assert frame is not None
    assert frame.payload is owner
    assert bytes(frame.payload[:4]) == b"abcx"


def test_a_large_payload_is_announced_before_it_takes_memory():
    decoder = FrameDecoder()
    decoder.feed(head(b"{}", IN_PLACE_ABOVE + 1))
    assert decoder.unadmitted == 0
    assert decoder.next_frame() is None
    assert decoder.unadmitted == IN_PLACE_ABOVE + 1
    decoder.admit()
    assert decoder.unadmitted == 0
    assert len(decoder.buffer()) == IN_PLACE_ABOVE + 1


def test_a_small_payload_needs_no_admission():
    decoder = FrameDecoder()
    decoder.feed(head(b"{}", IN_PLACE_ABOVE))
    assert decoder.next_frame() is None
    assert decoder.unadmitted == 0


def test_mid_frame_is_true_from_the_first_byte_to_the_last():
    stream = head(b"{}", 3) + b"abc"
    decoder = FrameDecoder()
    states = [decoder.mid_frame]
    for byte in stream[:-1]:
        decoder.feed(bytes([byte]))
        assert decoder.next_frame() is None
        states.append(decoder.mid_frame)
    decoder.feed(stream[-1:])
    decoder.next_frame()
    assert states == [False] + [True] * (len(stream) - 1)
    assert not decoder.mid_frame


def test_memory_for_many_small_frames_does_not_grow():
    decoder = FrameDecoder()
    frame = head(b"{}", 100) + bytes(100)
    sizes = set()
    for _ in range(2000):
        decoder.feed(frame)
        assert len(all_frames(decoder)) == 1
        sizes.add(len(decoder.buffer().obj))
    assert sizes == {8192}
