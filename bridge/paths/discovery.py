"""How a client finds the running bridge."""

from __future__ import annotations

import os

from blender_addon.wire import parse_address
from bridge.errors import ConfigurationError, NotRunning

from .places import bridge_name, default_address, runtime_directory, token_file
from .private import check_owner
from .record import read_record
from .silence import other_bridges, silent_bridge
from .tokens import read_token

_UNIX = "unix:"


def find_bridge(address: str | None = None, token: str | None = None) -> tuple[str, str | None]:
    """The address to connect to and, where it is TCP, the token: the one given, else this user's.

    In this order: `address`, BPY_BRIDGE_ADDRESS, the record of the bridge that BPY_BRIDGE_NAME names (a Unix socket
    before TCP), its default address. The first two are taken at their word. Raises NotRunning where nothing shows that
    a bridge runs, and ConfigurationError where it is no address, is TCP without a token, or the runtime directory is
    somebody else's.
    """
    found = address or os.environ.get("BPY_BRIDGE_ADDRESS") or _published_address()
    try:
        kind = parse_address(found).kind
    except ValueError as error:
        raise ConfigurationError(f"the bridge's address {error}") from None
    return found, None if kind == "unix" else token or _token(found)


def _published_address() -> str:
    directory = runtime_directory()
    try:
        check_owner(directory)
    except OSError:
        raise _not_running(f"there is no {directory}") from None
    record = read_record()
    if record is not None and not record.is_current():
        record = None  # of a bridge that was killed; its process's number may be another's by now
    doors = (
        [default_address()] if record is None else sorted(record.listen, key=lambda door: not door.startswith(_UNIX))
    )
    for door in doors:
        if not door.startswith(_UNIX) or os.path.exists(door.removeprefix(_UNIX)):
            return door
    raise _not_running(f"there is no {doors[0].removeprefix(_UNIX)}" if doors else "one is starting")


def _not_running(reason: str) -> NotRunning:
    who = silent_bridge()
    if who is not None:
        return NotRunning(f"the bridge cannot be reached: {reason}. {who}")
    others = other_bridges()
    if others:
        known = " and ".join(repr(name) for name in others)
        verb, flag = ("is", f"--name {others[0]}") if len(others) == 1 else ("are", "--name")
        return NotRunning(f"no bridge {bridge_name()!r} is running, but {known} {verb}: say so with {flag}")
    return NotRunning(
        f"no bridge is running: {reason}. Start one with `bpy-bridge start` (or `bpy-bridge serve` in the foreground), "
        "or say which it is with --name NAME or --bridge ADDR"
    )


def _token(address: str) -> str:
    token = os.environ.get("BPY_BRIDGE_TOKEN", "").strip() or read_token()
    if not token:
        raise ConfigurationError(
            f"{address} needs the bridge's token: set BPY_BRIDGE_TOKEN, or copy the bridge's token to {token_file()}"
        )
    return token
