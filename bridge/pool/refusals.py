"""What an acquirer is told that gets no connection: the state of the pool, and what to do about it."""

from __future__ import annotations

from bridge.errors import BlenderUnavailable, Busy, PoolMisuse, ShuttingDown, TimedOut

from .settings import PoolSettings
from .statistics import PoolStatistics


def busy(snapshot: PoolStatistics, mean_use: float) -> Busy:
    """The queue is full; `retry_after` is about the time that it takes to empty."""
    retry_after = min(30.0, max(0.05, mean_use * snapshot.waiting / snapshot.max_connections))
    message = f"{snapshot.waiting} requests are waiting for {snapshot.name} already: try again in {retry_after:.2f} s"
    data = {"queued": snapshot.waiting, "limit": snapshot.max_waiting, "running": snapshot.leased, "current": None}
    return Busy(message, data={**data, "retry_after": round(retry_after, 3)})


def timed_out(snapshot: PoolStatistics, settings: PoolSettings) -> TimedOut:
    message = f"no connection to {snapshot.name} became free within {settings.acquire_timeout} s: {snapshot}"
    return TimedOut(message, outcome="not_executed")


def unavailable(snapshot: PoolStatistics) -> BlenderUnavailable:
    error = snapshot.last_error or "no attempt has ended yet"
    message = f"no connection to Blender ({snapshot.name}): {error}. Is it running, with the add-on listening?"
    return BlenderUnavailable(message, data={"last_error": error, "pool": str(snapshot)})


def given_up(name: str, cause: str) -> BlenderUnavailable:
    return BlenderUnavailable(f"no connection to Blender ({name}): {cause}", data={"last_error": cause})


def closed(name: str) -> ShuttingDown:
    return ShuttingDown(f"{name} takes no requests any more: it is closing; this one did not run")


def deadlock(name: str, task: str) -> PoolMisuse:
    return PoolMisuse(f"{task} holds every connection of {name} and asks for one more: deadlock")
