"""A worker process without bpy that serves for real: the add-on's listener and pump, with the commands of the tests.

The file `dirty` beside its socket says whether it has unsaved changes, and `large` makes it so.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[3]))

from tests.bridge.blender import Blender


def say(**said) -> None:
    os.write(1, (json.dumps(said) + "\n").encode())


def add_linger(blender: Blender) -> None:
    @blender.catalogue.command("test.linger")
    def linger(*, seconds: float) -> None:
        """Go on for so long, whoever wants it to stop."""
        threading.Event().wait(seconds)


def main() -> None:
    path = Path(sys.argv[sys.argv.index("--listen") + 1].removeprefix("unix:"))
    say(phase="importing")
    say(phase="listening")
    blender = Blender(path)
    add_linger(blender)
    dirty = path.with_name("dirty")
    blender.listener._describe = lambda: {
        "blender": "0.0.0", "file": "", "dirty": dirty.exists(), "runs": len(blender.ran),
    }  # fmt: skip
    memory = bytearray(os.urandom(1 << 20) * 100) if path.with_name("large").exists() else b""
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    say(ready=True)
    threading.Event().wait()
    del memory


main()
