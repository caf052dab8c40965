"""bridge.status, bridge.instances, bridge.methods: what the bridge is and knows."""

from __future__ import annotations

from typing import Annotated, Any

from blender_addon.constraints import Range

from .catalogue import CATALOGUE, Context


@CATALOGUE.command("bridge.status", read_only=True)
def status(context: Context) -> dict[str, Any]:
    """Describe the bridge now: process, version, uptime in seconds, doors, clients, instances with health and pools."""
    return context.status.whole()


@CATALOGUE.command("bridge.instances", read_only=True)
def instances(context: Context) -> list[dict[str, Any]]:
    """List the Blenders that this bridge knows: name, address, health, connections."""
    return context.status.instances()


@CATALOGUE.command("bridge.recent", read_only=True)
def recent(
    context: Context,
    *,
    limit: Annotated[int, "how many at most", Range(1, 500)] = 50,
) -> list[dict[str, Any]]:
    """List the last requests that went to Blender, newest first: when, who, which Blender, what, outcome, seconds."""
    return context.status.recent.last(limit, context.instance)


@CATALOGUE.command("bridge.methods", read_only=True)
async def methods(context: Context) -> list[dict[str, Any]]:
    """List every method: the bridge's own and the commands of Blender's add-on, with their schemas."""
    return sorted([*CATALOGUE.describe(), *await context.describe()], key=lambda entry: str(entry["name"]))
