"""Idempotency keys: one Blender process runs a given key at most once.

    unknown ──claim──▶ live (queued or running) ──store──▶ kept ──too many, too much, too old──▶ expired (a digest)
                            └──forget (it never started)──▶ unknown

A plain table: no locks, no clock of its own, and no idea of what it keeps. Its owner holds a lock around every call.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Dict, Generic, Optional, TypeVar, Union

from .wire import Buffer, Fault

MOST_RESPONSES = 256
MOST_BYTES = 64 * 1024 * 1024
LONGEST_SECONDS = 600.0
MOST_EXPIRED = 4096

Live = TypeVar("Live")
Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Kept(Generic[Answer]):
    """An answer that a repeat gets."""

    digest: bytes
    answer: Answer
    size: int
    stored: float


@dataclass(frozen=True)
class UnderWay(Generic[Live]):
    """Work whose answer a repeat waits for."""

    digest: bytes
    live: Live


def request_digest(method: str, payload: Buffer) -> bytes:
    """What tells a repeat from another request under the same key."""
    digest = hashlib.sha256(method.encode() + b"\0")
    digest.update(payload)
    return digest.digest()


class KeyStore(Generic[Live, Answer]):
    """Keyed work that is under way, keyed answers, and the keys whose answers were dropped."""

    def __init__(self) -> None:
        self._live: Dict[str, UnderWay[Live]] = {}
        self._kept: OrderedDict[str, Kept[Answer]] = OrderedDict()
        self._expired: OrderedDict[bytes, None] = OrderedDict()
        self._bytes = 0

    def find(self, key: str, digest: bytes, now: float) -> Optional[Union[UnderWay[Live], Kept[Answer]]]:
        """The work or the answer that the key has; None where it is new.

        Raises Fault: `key_conflict` where the key came with another request, `key_expired` where its answer is gone.
        """
        self.drop_old(now)
        known = self._live.get(key) or self._kept.get(key)
        if known is None:
            if _fingerprint(key) in self._expired:
                message = "this key's request ran, and its answer is no longer kept: look at what it did"
                raise Fault("key_expired", message)
            return None
        if known.digest != digest:
            message = "this key was used for a request with another method or other parameters: choose a new key"
            raise Fault("key_conflict", message)
        return known

    def claim(self, key: str, digest: bytes, live: Live) -> None:
        """The key's work is queued now."""
        self._live[key] = UnderWay(digest, live)

    def forget(self, key: str) -> None:
        """The key's work never started, and nothing is known of it any more."""
        del self._live[key]

    def store(self, key: str, answer: Answer, size: int, now: float) -> None:
        """The key's work has ended with `answer`, `size` bytes long."""
        digest = self._live.pop(key).digest
        self._kept[key] = Kept(digest, answer, size, now)
        self._bytes += size
        self.drop_old(now)

    def drop_old(self, now: float) -> None:
        """Keep to the limits: the oldest answers go first. Call it now and then, for the memory."""
        while self._kept:
            oldest = next(iter(self._kept.values()))
            too_old = now - oldest.stored > LONGEST_SECONDS
            if not too_old and len(self._kept) <= MOST_RESPONSES and self._bytes <= MOST_BYTES:
                return
            key, dropped = self._kept.popitem(last=False)
            self._bytes -= dropped.size
            self._expired[_fingerprint(key)] = None
            if len(self._expired) > MOST_EXPIRED:
                self._expired.popitem(last=False)


def _fingerprint(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
