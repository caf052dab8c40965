"""The Python that runs this, and what the machine lets it have."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator

from bridge import paths

from .directories import nearest
from .finding import Finding, broken, ok, warning
from .place import Place

_OLDEST, _NEWEST = (3, 11), (3, 14)
_LITTLE, _TOO_LITTLE = 1 << 30, 64 << 20
_SPARE_FILES = 200
"""For what is neither a client nor a connection to Blender: listeners, pipes, log files, libraries."""


def python(_place: Place, *, version: tuple[int, ...] = sys.version_info[:3]) -> Iterator[Finding]:
    """Whether the bridge supports this Python."""
    said = f"Python {'.'.join(map(str, version))} at {sys.executable}"
    if version[:2] < _OLDEST:
        yield broken(f"{said} is too old", "install Python 3.11 or later, and bpy-bridge in it")
    elif version[:2] > _NEWEST:
        yield warning(f"{said} is newer than any that bpy-bridge was tried with", "use Python 3.11 or 3.13 if in doubt")
    else:
        yield ok(said)


def disk(_place: Place, *, little: int = _LITTLE, too_little: int = _TOO_LITTLE) -> Iterator[Finding]:
    """Whether there is room for logs, sockets and records."""
    for directory in dict.fromkeys((paths.runtime_directory(), paths.log_directory())):
        free = shutil.disk_usage(nearest(directory)).free
        said = f"{free / 1e9:.1f} GB free for {directory}"
        if free >= little:
            yield ok(said)
        else:
            judge = broken if free < too_little else warning
            yield judge(f"only {said}", "free some space there, or set BPY_BRIDGE_HOME to a directory on another disk")


def open_files(place: Place) -> Iterator[Finding]:
    """Whether as many clients may connect as the settings say; the bridge raises its soft limit itself."""
    if sys.platform == "win32":
        return
    import resource  # noqa: PLC0415  # there is none on Windows

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    settings = place.settings
    pools = sum(settings.pool_for(name).max_connections + 1 for name in (*settings.instances, *settings.workers))
    wanted = settings.limits.max_clients + pools + _SPARE_FILES
    if hard in (resource.RLIM_INFINITY, -1) or hard >= wanted:
        limit = "any number of" if hard in (resource.RLIM_INFINITY, -1) else str(hard)
        yield ok(f"a process may have {limit} open files, and {wanted} are needed at most")
    else:
        yield warning(
            f"a process may have {hard} open files, and limits.max_clients needs {wanted}",
            f"raise the limit (`ulimit -Hn {wanted}`, LimitNOFILE= in a systemd unit), or lower limits.max_clients",
        )
