"""The idempotency table: what a repeated key is told."""

from __future__ import annotations

import pytest

from blender_addon.keys import LONGEST_SECONDS, MOST_BYTES, MOST_EXPIRED, MOST_RESPONSES, KeyStore, request_digest
from blender_addon.wire import Fault

ONE = request_digest("a.b", b"{}")


def stored(*keys, size=10, at=0.0):
    store = KeyStore()
    for key in keys:
        store.claim(key, ONE, "work")
        store.store(key, f"answer {key}", size, at)
    return store


def fault(store, key, digest=ONE, now=0.0):
    with pytest.raises(Fault) as caught:
        store.find(key, digest, now)
    return caught.value.code


def test_a_new_key_has_nothing():
    assert KeyStore().find("k", ONE, 0.0) is None


def test_a_key_under_way_has_its_work():
    store = KeyStore()
    store.claim("k", ONE, "work")
    assert store.find("k", ONE, 0.0).live == "work"


def test_a_key_that_ended_has_its_answer():
    assert stored("k").find("k", ONE, 0.0).answer == "answer k"


@pytest.mark.parametrize(
    "other", [request_digest("a.c", b"{}"), request_digest("a.b", b"{ }")], ids=["method", "payload"]
)
def test_another_request_under_the_same_key_is_a_conflict(other):
    assert fault(stored("k"), "k", other) == "key_conflict"


def test_the_digest_tells_where_the_method_ends():
    assert request_digest("a.b", b"c") != request_digest("a.bc", b"")


def test_a_key_whose_work_never_started_is_new_again():
    store = KeyStore()
    store.claim("k", ONE, "work")
    store.forget("k")
    assert store.find("k", ONE, 0.0) is None


def test_the_oldest_answer_beyond_the_count_is_expired():
    store = stored(*(str(n) for n in range(MOST_RESPONSES + 1)))
    assert fault(store, "0") == "key_expired"
    assert store.find("1", ONE, 0.0).answer == "answer 1"


def test_the_oldest_answer_beyond_the_bytes_is_expired():
    store = stored("old", "new", size=MOST_BYTES // 2 + 1)
    assert fault(store, "old") == "key_expired"
    assert store.find("new", ONE, 0.0).answer == "answer new"


def test_an_answer_larger_than_all_the_room_is_expired_at_once():
    assert fault(stored("k", size=MOST_BYTES + 1), "k") == "key_expired"


def test_dropped_answers_give_their_room_back():
    store = stored("a", "b", "c", size=MOST_BYTES // 2)
    assert [store.find(key, ONE, 0.0).answer for key in "bc"] == ["answer b", "answer c"]


def test_an_answer_is_kept_for_its_time_and_no_longer():
    store = stored("k")
    assert store.find("k", ONE, LONGEST_SECONDS).answer == "answer k"
    assert fault(store, "k", now=LONGEST_SECONDS + 1) == "key_expired"


def test_an_expired_key_is_remembered_though_its_request_differs():
    assert fault(stored("k"), "k", request_digest("x.y", b""), now=LONGEST_SECONDS + 1) == "key_expired"


def test_the_oldest_expired_key_beyond_the_bound_is_forgotten():
    store = stored(*(str(n) for n in range(MOST_EXPIRED + 1)))
    store.drop_old(LONGEST_SECONDS + 1)
    assert store.find("0", ONE, LONGEST_SECONDS + 1) is None
    assert fault(store, "1", now=LONGEST_SECONDS + 1) == "key_expired"
