"""The bridge that runs, if one does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from blender_addon.wire import parse_address
from bridge import __version__, paths
from bridge.client.blocking import Client
from bridge.errors import BridgeError, NotRunning

from .addresses import is_listened_at
from .finding import Finding, broken, ok, warning
from .place import Place
from .processes import listener_of, named

_PATIENCE = 5.0
_RESTART = "bpy-bridge restart"


def bridge(_place: Place, *, patience: float = _PATIENCE) -> Iterator[Finding]:
    """Whether it answers, is of our version, and has Blenders that can serve."""
    try:
        address, token = paths.find_bridge()
    except NotRunning as error:
        yield _silent(error)
        return
    except BridgeError as error:
        yield broken(f"the bridge cannot be connected to: {error}", "mend that, and try again")
        return
    try:
        with Client(address, token=token, connect_timeout=patience) as client:
            status = client.call("bridge.status", timeout=patience).value
    except NotRunning as error:
        yield _silent(error, address)
    except BridgeError as error:
        yield broken(f"the bridge at {address} does not answer: {error}", _RESTART)
    else:
        yield _version(address, status)
        for instance in status.get("instances", ()):
            yield _instance(instance)
            if (addon := instance.get("addon")) and not addon["matches"]:
                yield _addon(instance.get("name"), addon)


def _silent(error: NotRunning, address: str | None = None) -> Finding:
    why = str(error).partition(". Start one")[0]
    record = paths.running()
    if record is not None:
        why = (paths.silent_bridge() or why).partition(": ")[2]
        return broken(f"the bridge {paths.bridge_name()!r}, process {record.pid}, cannot be reached: {why}", _RESTART)
    if address is None or not is_listened_at(parse_address(address)):
        return ok("no bridge is running")
    who = named(listener_of(parse_address(address)))
    return broken(f"{who} listens at {address}, and does not answer as a bridge does", "end it")


def _version(address: str, status: dict[str, Any]) -> Finding:
    said = f"the bridge at {address}, process {status.get('pid')}, answers"
    version = status.get("version")
    if version != __version__:
        return warning(f"{said}; it is version {version}, and this is {__version__}", _RESTART)
    return ok(f"{said}; it is version {version}")


def _instance(instance: dict[str, Any]) -> Finding:
    name, health = instance.get("name"), instance.get("health") or {}
    said = f"Blender {name!r} {instance.get('blender') or ''}".rstrip()
    if health.get("unhealthy"):
        return broken(f"{said} is unhealthy: {health.get('reason')}", "`bpy-bridge logs` says more; or restart it")
    if not instance.get("ready", True):
        return warning(f"{said} cannot serve: {instance.get('obstacle')}", "`bpy-bridge status` and `logs` say more")
    return ok(f"{said} can serve, and is {health.get('state') or 'not probed yet'}")


def _addon(name: str | None, addon: dict[str, Any]) -> Finding:
    return warning(f"Blender {name!r} has the add-on {addon['version']}, and this is {__version__}", addon["fix"])
