"""Frozen facts. Rooms emit them, metrics and logs read them; nothing waits for a reader.

An emitter calls `emit(event)`, a plain function that must neither block nor raise.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal, NamedTuple

DiscardReason = Literal["poisoned", "broken", "recycled", "idle", "stale", "surplus", "closed", "failed_check"]
HealthState = Literal["unknown", "healthy", "busy", "unresponsive", "unreachable"]
AcquireOutcome = Literal["ok", "busy", "timeout", "cancelled", "closed", "unavailable", "shared"]


class LeaseGranted(NamedTuple):
    """`waited` seconds from acquire to grant, 0.0 where nothing was waited for."""

    instance: str
    waited: float


class LeaseReleased(NamedTuple):
    """`used` seconds from grant to release."""

    instance: str
    used: float


class LeaseRefused(NamedTuple):
    """An acquire ended without a lease."""

    instance: str
    outcome: AcquireOutcome
    waited: float


class LeaseLeaked(NamedTuple):
    """A lease is held beyond the threshold; `taken_at` is file:line of its acquire."""

    instance: str
    held: float
    taken_at: str
    task: str


class ConnectionOpened(NamedTuple):
    """`seconds` for connect and handshake."""

    instance: str
    seconds: float


class ConnectFailed(NamedTuple):
    instance: str
    error: str
    attempt: int


class ConnectionDiscarded(NamedTuple):
    instance: str
    reason: DiscardReason


class ExclusivityViolated(NamedTuple):
    """A connection that is lent already was about to be lent again; it was not."""

    instance: str


class RequestFinished(NamedTuple):
    """`outcome` is ok or an error code; `seconds` from the whole request read to the response handed to its door.

    `instance` is empty where none was asked. `connection` and `request` are the ids of who asked and of the request.
    """

    instance: str
    method: str
    outcome: str
    seconds: float
    connection: str
    request: str


class RequestShared(NamedTuple):
    """A request was answered by the execution of an identical one that it had been waiting with."""

    instance: str
    method: str


class ProbeFinished(NamedTuple):
    """A health check has ended after `seconds`; `failures` is how many have failed in a row, this one included."""

    instance: str
    state: HealthState
    reason: str
    seconds: float
    failures: int
    checked_at: float


class WorkerStarted(NamedTuple):
    worker: str
    pid: int
    seconds: float


class WorkerEnded(NamedTuple):
    worker: str
    pid: int
    status: str


class BackgroundError(NamedTuple):
    """A supervised task raised, was logged, and goes on."""

    task: str
    error: str


class JobClaimed(NamedTuple):
    kind: str


class JobPhaseEnded(NamedTuple):
    """`seconds` of this attempt."""

    kind: str
    phase: str
    seconds: float


class JobErred(NamedTuple):
    """An attempt failed; whether the job has failed is another matter."""

    kind: str


class JobSnoozed(NamedTuple):
    kind: str


class JobRescued(NamedTuple):
    """It was taken from a bridge that died."""

    kind: str


class JobEnded(NamedTuple):
    """`state` is completed, failed or cancelled; `seconds` since it was first claimed."""

    kind: str
    state: str
    seconds: float


class JobsCounted(NamedTuple):
    """`counts` is how many jobs the store has in each state. `silences`: by kind, the seconds since the one of this
    bridge's running jobs that has been quiet for longest told of progress or of a new phase.
    """

    counts: Mapping[str, int]
    silences: Mapping[str, float]


BridgeEvent = (
    LeaseGranted
    | LeaseReleased
    | LeaseRefused
    | LeaseLeaked
    | ConnectionOpened
    | ConnectFailed
    | ConnectionDiscarded
    | ExclusivityViolated
    | RequestFinished
    | RequestShared
    | ProbeFinished
    | WorkerStarted
    | WorkerEnded
    | BackgroundError
    | JobClaimed
    | JobPhaseEnded
    | JobErred
    | JobSnoozed
    | JobRescued
    | JobEnded
    | JobsCounted
)

Emit = Callable[[BridgeEvent], None]
Handlers = Mapping[type, Callable[..., None]]
"""What a listener does with each type of event that it wants to see; each handler takes one event of that type."""


def ignore(event: BridgeEvent) -> None:
    """The emitter for those who watch nothing."""
