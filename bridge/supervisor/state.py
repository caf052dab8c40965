"""What is known of one worker, for everybody to see."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal

Phase = Literal[
    "stopped", "asleep", "failed", "reserved", "spawning", "importing", "listening", "ready", "ending", "waiting"
]
"""Without a process: stopped (until it is started by hand) · asleep (until the next request) · failed (as stopped, see
`last_error`) · waiting (for its next start, after a failure).
On its way: reserved (nobody else starts it) · spawning (there is a process, or almost) · importing (its Python runs,
and loads Blender and the file) · listening (it opens its socket) · ready.
On its way out: ending."""

RESTING: frozenset[Phase] = frozenset({"stopped", "asleep", "failed"})
_LINES = 50
_IN_A_MESSAGE = 200


@dataclass(slots=True)
class WorkerState:
    """`since` is the Unix time at which the phase began, `restarts` counts since it was last stable or started by hand.

    `last_error` is why its last process was not ready or had to be replaced, None once there is a good one.
    """

    name: str
    kind: str
    phase: Phase = "stopped"
    since: float = field(default_factory=time.time)
    pid: int | None = None
    restarts: int = 0
    last_error: str | None = None
    output: deque[str] = field(default_factory=lambda: deque(maxlen=_LINES))

    def tail(self, lines: int = 5) -> str:
        """Its last words, on one line that is short enough for a message; `output` has them whole."""
        return " | ".join(line[:_IN_A_MESSAGE] for line in list(self.output)[-lines:])

    def as_object(self) -> dict[str, Any]:
        """The same as JSON."""
        return {
            "name": self.name,
            "kind": self.kind,
            "phase": self.phase,
            "since": self.since,
            "pid": self.pid,
            "restarts": self.restarts,
            "last_error": self.last_error,
            "output": list(self.output),
        }
