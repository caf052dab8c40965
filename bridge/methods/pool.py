"""bridge.pools, .pause, .resume, .drain, .resize, .reconnect: an instance's pool, seen and controlled while it runs."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

from blender_addon.constraints import Range
from bridge.errors import RequestCancelled, ShuttingDown, TimedOut

from .catalogue import CATALOGUE, Context

if TYPE_CHECKING:
    from bridge.connection import Connection
    from bridge.pool import Pool, PoolStatistics

MOST_CONNECTIONS = 64
"""Blender runs one command at a time: what more connections would bring is Blender's queue instead of ours."""

_LAST_WORD = 0.25
"""Seconds before the deadline at which a drain gives up: what it says must come before the request's own timeout."""


@CATALOGUE.command("bridge.pools", read_only=True)
def pools(context: Context) -> list[dict[str, Any]]:
    """Count each pool's connections and waiters now; of the request's instance or group only, where it names one."""
    fleet = context.fleet
    chosen = fleet.instances if context.instance is None else fleet.find_all(context.instance)
    return [asdict(instance.pool.statistics()) for instance in chosen.values()]


@CATALOGUE.command("bridge.pause", idempotent=True)
def pause(context: Context) -> dict[str, Any]:
    """Hold all requests for the instance until bridge.resume. What runs goes on; what waits keeps its deadline."""
    pool = _pool(context)
    pool.pause()
    return asdict(pool.statistics())


@CATALOGUE.command("bridge.resume", idempotent=True)
def resume(context: Context) -> dict[str, Any]:
    """Serve the instance's requests again after bridge.pause or bridge.drain, in the order in which they came."""
    pool = _pool(context)
    pool.resume()
    return asdict(pool.statistics())


@CATALOGUE.command("bridge.drain", idempotent=True)
async def drain(context: Context) -> dict[str, Any]:
    """Hold all requests for the instance, let those that run end, and close the pool's connections to its Blender.

    It returns when none is left, and none is opened until bridge.resume. Requests wait as at bridge.pause. Cancelled or
    out of time, the pool goes on draining. The health check keeps its own connection, which no request uses.
    """
    import trio  # noqa: PLC0415  # the command line reads this catalogue without trio

    pool = _pool(context)
    pool.park()
    with trio.move_on_at(context.deadline - _LAST_WORD):
        await pool.drained()
    now = pool.statistics()
    if now.state == "drained":
        return asdict(now)
    raise _undrained(now)


def _undrained(now: PoolStatistics) -> Exception:
    data = {"pool": asdict(now)}
    if now.state in {"closing", "closed"}:
        return ShuttingDown(f"{now.name} is closing for good, with {now.leased} requests in flight", data=data)
    if now.state != "draining":
        message = f"{now.name} was resumed before it was drained; its pool is {now.state}"
        return RequestCancelled(message, outcome="failed", data=data)
    message = (
        f"{now.name} is not drained yet: {now.leased} in flight, {now.connecting + now.checking} connecting. It goes "
        "on draining and lends nothing until bridge.resume"
    )
    return TimedOut(message, outcome="failed", data=data)


@CATALOGUE.command("bridge.resize", idempotent=True)
def resize(
    context: Context,
    *,
    max_connections: Annotated[int, "how many connections to its Blender at most", Range(1, MOST_CONNECTIONS)],
) -> dict[str, Any]:
    """Change how many connections the instance's pool may have, until the bridge ends.

    Of too many, idle ones close now and those in use when their request has ended: no request is lost.
    """
    pool = _pool(context)
    pool.resize(max_connections)
    return asdict(pool.statistics())


@CATALOGUE.command("bridge.reconnect")
def reconnect(context: Context) -> dict[str, Any]:
    """Replace every connection to the instance's Blender: idle ones now, those in use when their request has ended."""
    pool = _pool(context)
    pool.reconnect()
    return asdict(pool.statistics())


def _pool(context: Context) -> Pool[Connection]:
    return context.fleet.find(context.instance, context.affinity).pool
