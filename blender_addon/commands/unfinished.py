"""Files that are there whole or not at all: written beside their place, under a name of this process, and renamed.

A process that is killed meanwhile leaves its unfinished file, which nobody can take for a finished one. Whoever writes
to that folder next, on the same machine, removes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import socket
from pathlib import Path
from typing import Iterator

_SUFFIX = ".part"


@contextlib.contextmanager
def written_whole(place: Path) -> Iterator[Path]:
    """Where to write instead; renamed to `place` at the end of the block, which must have written it.

    Raises FileNotFoundError where it has not. Where the block raises, the file goes and `place` stays as it was.
    """
    # The process is in the name: who takes over from a worker that was given up must not meet its file.
    unfinished = place.with_name(f".{place.name}.{_host()}-{os.getpid()}{_SUFFIX}")
    try:
        yield unfinished
        # On the disk before it has its name: after a power cut there is no file, rather than an empty one.
        with unfinished.open("r+b") as file:
            os.fsync(file.fileno())
        os.replace(unfinished, place)
    finally:
        unfinished.unlink(missing_ok=True)


def forget_unfinished(folder: Path) -> None:
    """Remove what processes of this machine that have ended have left there unfinished."""
    if os.name != "posix":
        return  # elsewhere there is no asking for a process without a risk to it
    ours = re.compile(rf"\..+\.{re.escape(_host())}-(\d+){re.escape(_SUFFIX)}")
    with contextlib.suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            found = ours.fullmatch(entry.name)
            if found is not None and _has_ended(int(found[1])):
                with contextlib.suppress(OSError):
                    os.unlink(entry.path)


def _host() -> str:
    return re.sub(r"[^\w-]", "_", socket.gethostname())[:40]


def _has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):
        return False
    return False
