"""bridge.trace: the wire, live."""

from __future__ import annotations

from typing import Annotated, Literal, TypedDict

from blender_addon.constraints import Range
from bridge.errors import Refused

from .catalogue import CATALOGUE, Context

# Its own answer still has to be there in time.
_MARGIN = 0.25


class Traced(TypedDict):
    """How a trace ended: frames that were sent and lost, and why it did."""

    frames: int
    dropped: int
    reason: Literal["deadline", "shutdown", "unread"]


@CATALOGUE.command("bridge.trace", read_only=True)
async def trace(
    context: Context,
    *,
    payloads: Annotated[
        bool, "show the beginning of each payload's JSON; it may hold what only the caller should see"
    ] = False,
    payload_limit: Annotated[int, "how many characters of each payload", Range(1, 100_000)] = 2000,
    instance: Annotated[str | None, "only what passes between the bridge and this Blender, or group of them"] = None,
    connection: Annotated[str | None, "only this connection, such as c1 (a client) or default-1 (a Blender)"] = None,
    method: Annotated[str | None, "only requests of this method, with their answers, events and cancels"] = None,
    errors_only: Annotated[bool, "only failed answers, and what is no frame at all"] = False,
) -> Traced:
    """Show the wire live: each frame on both hops is sent as a log event, until cancelled, the deadline, or the end.

    The first event says "watching". An event has time (Unix), hop ("client" or "blender"), direction ("in" or "out" as
    the bridge sees it), connection, instance, envelope without secrets, envelope_length and payload_length in bytes,
    the method that the frame is about, seconds since its request, code where it is an error, payload where asked for,
    and dropped: how many frames before this one were lost because they were not read quickly enough. Connections that
    watch are not shown.
    """
    if context.on_event is None:
        raise Refused("the wire cannot be watched through this door, which sends no events", code="forbidden")
    instances = None if instance is None else frozenset(context.fleet.find_all(instance))
    from bridge.trace import Wanted  # noqa: PLC0415  # it needs trio, and the command line reads this without

    wanted = Wanted(payloads, payload_limit, instances, connection, method, errors_only)
    with context.fleet.trace.watch(context.connection, wanted) as watcher:
        reason = await watcher.run(context.on_event, context.deadline - _MARGIN)
    return {"frames": watcher.sent, "dropped": watcher.seen - watcher.sent, "reason": reason}
