"""Why a request ended before its answer came, in words, and what becomes of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import trio

from blender_addon.wire import Outcome

from .errors import BlenderUnavailable, RequestCancelled, RequestError, TimedOut
from .fleet import Fleet

if TYPE_CHECKING:
    from .service import Call


def why(call: Call, outcome: Outcome, fleet: Fleet) -> RequestError:
    """The error of a call that was cancelled or whose deadline has passed, with that outcome."""
    method = call.request.method
    seconds = trio.current_time() - call.started
    where = "after it had begun" if outcome == "unknown" else "while it was waiting; it did not run"
    data: dict[str, Any] = {}
    if call.abandoned:
        where += f"; {_what_goes_on(call, fleet)}"
        data = {"continues": True, "running": {"method": method, "seconds": round(seconds, 3)}}
    if call.cancelled:
        return RequestCancelled(f"{method} was cancelled {where}", outcome=outcome, data=data)
    pools = [instance.pool.statistics() for instance in fleet.behind(call.instance)]
    if not call.sent and pools and all(pool.held for pool in pools):
        where = f"while the pool of {call.instance} was {pools[0].state}; it did not run"
    elif not call.sent and pools and not any(pool.live for pool in pools):
        error = next((pool.last_error for pool in pools if pool.last_error), "no attempt has ended yet")
        message = f"no connection to Blender ({call.instance}) within the deadline of {seconds:.3g} s: {error}"
        return BlenderUnavailable(message, data={"last_error": error})
    return TimedOut(f"the deadline of {method} passed after {seconds:.3g} s {where}", outcome=outcome, data=data)


def _what_goes_on(call: Call, fleet: Fleet) -> str:
    """For work that Blender was told to stop and has not: some of it nobody can interrupt from inside."""
    method = call.request.method
    instance = next(iter(fleet.behind(call.instance)), None)
    if instance is None or instance.worker is None:
        where = "a Blender that bpy-bridge did not start"
        return f"{method} cannot be interrupted in {where}: it goes on, and what it does will remain"
    if instance.ends_stuck_work:
        return "it goes on, and unless it ends soon its worker is killed and replaced (hard_cancel)"
    return "it goes on in its worker, which hard_cancel in its settings would have killed and replaced"
