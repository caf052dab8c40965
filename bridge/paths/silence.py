"""Why nobody answers where a bridge should: there is none, or one holds the lock and cannot answer."""

from __future__ import annotations

from bridge.errors import ConfigurationError, NotRunning

from .lock import UNSEEN, holder
from .places import DEFAULT_NAME, bridge_name, default_address, lock_file
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


def other_bridges() -> list[str]:
    """The names of the bridges that run here beside the one that is meant."""
    own = lock_file()
    default = own.with_name("bridge.lock")
    found = [path for path in [default, *sorted(own.parent.glob("bridge-*.lock"))] if path != own]
    running = [path for path in found if holder(path) is not None]
    return [DEFAULT_NAME if path == default else path.stem.removeprefix("bridge-") for path in running]


def _is_door(address: str, bridge: Record) -> bool:
    try:
        return address in bridge.listen or address == default_address()
    except ConfigurationError:
        return False


def _seems(bridge: Record) -> str:
    if is_stopped(bridge.pid):
        return f"it is stopped, as by SIGSTOP or Ctrl-Z, and `kill -CONT {bridge.pid}` lets it go on"
    if bridge.version and not bridge.listen:
        return "it is starting"
    return "it may be ending, and finish what runs, or hang; `bpy-bridge stop` waits for its end, and --force kills it"


def is_stopped(pid: int) -> bool:
    """Whether the process was stopped, as by SIGSTOP; False where the platform does not tell."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[0] in _STOPPED
    except (OSError, IndexError):
        return False
