"""A job, as the store keeps it. Times are Unix seconds on the store's own clock, durations seconds."""

from __future__ import annotations

import secrets
import time
from typing import Any, Literal, NamedTuple

State = Literal["pending", "processing", "completed", "failed", "cancelled"]
STATES: tuple[State, ...] = ("pending", "processing", "completed", "failed", "cancelled")
ENDED = ("completed", "failed", "cancelled")

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
DAY = 86_400.0


class NewJob(NamedTuple):
    """What is submitted.

    `key`: the same key is the same job. `priority`: lower is earlier. `delay`: not before so many seconds from now.
    It has failed after `max_errors` errors, or after `max_rescues` owners that died over it; `retention` seconds after
    its end it is forgotten. `id` is made by the store where it is empty.
    """

    kind: str
    params: dict[str, Any]
    key: str | None = None
    priority: int = 0
    delay: float = 0.0
    max_errors: int = 3
    max_rescues: int = 3
    retention: float = 30 * DAY
    id: str = ""


class Job(NamedTuple):
    """One job.

    `fence` counts its claims: who holds a lower one has lost it. `errors`, `snoozes` and `rescues` are counted apart:
    only errors cost attempts and lengthen the backoff. `phase_started_at` is that of the phase, less the time during
    which nobody worked on it.
    """

    id: str
    kind: str
    params: dict[str, Any]
    key: str | None
    state: State
    phase: str | None
    phase_started_at: float | None
    phase_timeout: float | None
    priority: int
    run_at: float
    created_at: float
    started_at: float | None
    finished_at: float | None
    fence: int
    owner: str | None
    lease_until: float | None
    errors: int
    max_errors: int
    snoozes: int
    rescues: int
    max_rescues: int
    cancel_requested: bool
    progress: dict[str, Any] | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    external_ref: str | None
    retention: float

    @property
    def ended(self) -> bool:
        """Nothing will happen to it any more unless somebody retries it."""
        return self.state in ENDED


class Beat(NamedTuple):
    """What an owner learns of one of its jobs at a heartbeat."""

    id: str
    fence: int
    cancel_requested: bool


def new_id() -> str:
    """26 letters and digits: 48 bits of milliseconds, so that ids sort by age, and 80 that nobody guesses (ULID)."""
    value = int(time.time() * 1000) << 80 | secrets.randbits(80)
    return "".join(_ALPHABET[value >> shift & 31] for shift in range(125, -1, -5))
