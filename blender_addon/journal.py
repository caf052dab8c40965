"""The last commands that ran: what a person is shown who wants to know what was done in their Blender."""

from __future__ import annotations

from collections import deque
from typing import Deque, List, NamedTuple

MOST = 100


class Entry(NamedTuple):
    """One command: its method, how many seconds it ran, "ok" or its error's code, and the Unix time of its end."""

    method: str
    seconds: float
    outcome: str
    at: float


class Journal:
    """Keeps the last of them. From any thread."""

    def __init__(self, most: int = MOST) -> None:
        self._entries: Deque[Entry] = deque(maxlen=most)
        self._count = 0

    @property
    def count(self) -> int:
        """How many there have been, those included that are forgotten."""
        return self._count

    def add(self, entry: Entry) -> None:
        """Keep it, and forget the oldest where there are too many."""
        self._entries.append(entry)
        self._count += 1

    def entries(self) -> List[Entry]:
        """Those that are kept, the newest first."""
        return [*reversed(self._entries.copy())]

    def clear(self) -> None:
        """Forget all of them."""
        self._entries.clear()
