"""Why nobody answers where a bridge should: there is none, or one holds the lock and cannot answer."""

from __future__ import annotations

from bridge.errors import ConfigurationError, NotRunning

from .lock import UNSEEN
from .places import bridge_name, default_address
from .record import Record, running

_STOPPED = (b"T", b"t")


def no_answer(address: str, reason: str) -> NotRunning:
    """What a client is told that got no answer at the address: who holds the bridge's lock, and what he seems to do."""
    who = silent_bridge(address)
    return NotRunning(f"no bridge answers at {address}: {reason}. {who or 'Start one with `bpy-bridge start`'}")


def silent_bridge(address: str | None = None) -> str | None:
    """The bridge of this name, which runs and does not answer, in a sentence; None where none runs.

    With an address, None also where that is not one of its doors.
    """
    bridge = running()
    if bridge is None or (address is not None and not _is_door(address, bridge)):
        return None
    if bridge.pid == UNSEEN:
        return f"A process that cannot be seen from here holds the lock of the bridge {bridge_name()!r}"
    return f"Process {bridge.pid} holds the lock of the bridge {bridge_name()!r} and does not answer: {_seems(bridge)}"


def _is_door(address: str, bridge: Record) -> bool:
    try:
        return address in bridge.listen or address == default_address()
    except ConfigurationError:
        return False


def _seems(bridge: Record) -> str:
    if _is_stopped(bridge.pid):
        return f"it is stopped, as by SIGSTOP or Ctrl-Z, and `kill -CONT {bridge.pid}` lets it go on"
    if bridge.version and not bridge.listen:
        return "it is starting"
    return "it may be ending, and finish what runs, or hang; `bpy-bridge stop` waits for its end, and --force kills it"


def _is_stopped(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in _STOPPED
    except (OSError, IndexError):
        return False
