"""bridge.workers, .worker_start, .worker_stop, .worker_restart: the Blenders that the bridge starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from bridge.errors import Refused

from .catalogue import CATALOGUE, Context

if TYPE_CHECKING:
    from bridge.supervisor import Supervisor

Name = Annotated[str, "a worker, or a table of the configuration that has several"]


@CATALOGUE.command("bridge.workers", read_only=True)
def workers(context: Context, *, name: Annotated[str | None, "only this one"] = None) -> list[dict[str, Any]]:
    """List the Blenders that the bridge starts: kind, phase and since when, pid, restarts, last error, last output."""
    return _supervisor(context).describe(name)


@CATALOGUE.command("bridge.worker_start", idempotent=True)
async def worker_start(context: Context, *, name: Name) -> list[dict[str, Any]]:
    """Start a worker and wait until it is ready; one that is on its way is waited for, and a new name is a new worker.

    It gets a new budget of restarts. Cancelled or out of time, the start goes on.
    """
    return await _supervisor(context).start(name)


@CATALOGUE.command("bridge.worker_stop", destructive=True, idempotent=True)
async def worker_stop(context: Context, *, name: Name) -> list[dict[str, Any]]:
    """End a worker and keep it so until it is started. What runs may finish, briefly; what was not saved is lost."""
    return await _supervisor(context).stop(name)


@CATALOGUE.command("bridge.worker_restart", destructive=True)
async def worker_restart(context: Context, *, name: Name) -> list[dict[str, Any]]:
    """Replace a worker's process and wait until the new one is ready. What was not saved is lost."""
    return await _supervisor(context).restart(name)


def _supervisor(context: Context) -> Supervisor:
    if context.supervisor is None:
        raise Refused("this bridge starts no Blenders", code="forbidden")
    return context.supervisor
