"""What a bridge that was killed left behind: its record, its workers' sockets, and a worker that could not end."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

from bridge import paths


def clear() -> list[str]:
    """Clean up, and say in words what was done. For the holder of the lock, before he has anything of his own."""
    stale = paths.remove_stale_record()
    done = [] if stale is None else [stale]
    for left in paths.left_workers():
        if left.pid is not None:
            # It ends with its bridge, but where it was stopped (SIGSTOP) or hangs.
            _kill(left.pid)
            done.append(f"killed process {left.pid}, a Blender whose bridge was killed before it")
        for file in left.files:
            with suppress(OSError):
                file.unlink()
    return done


def _kill(pid: int) -> None:
    with suppress(OSError):
        if os.getpgid(pid) == pid:
            os.killpg(pid, signal.SIGKILL)
        else:
            os.kill(pid, signal.SIGKILL)
