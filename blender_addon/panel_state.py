"""What the panel says, as plain values: made without Blender, and compared to know whether there is anything to redraw.

Nothing in it changes by itself as time passes, but for the seconds of a running command.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, List, NamedTuple, Optional, Tuple

from .policy import Policy

if TYPE_CHECKING:
    from .journal import Entry
    from .server import Server

MOST_LINES = 10
_MOST_CLIENTS = 5


class Line(NamedTuple):
    """One command of the log; `problem` is None where it did what it was asked for."""

    method: str
    took: str
    problem: Optional[str]


class Activity(NamedTuple):
    """What is done now. `running` is None between commands, which is nearly always when a panel can be drawn."""

    running: Optional[str] = None
    seconds: int = 0
    queued: int = 0


class Shown(NamedTuple):
    """Everything that the panel says. `address` is None where it does not run, and `problem` then may say why; `broken`
    are the add-ons whose commands cannot be had, with the reason.
    """

    address: Optional[str]
    problem: Optional[str]
    clients: Tuple[str, ...]
    activity: Activity
    log: Tuple[Line, ...]
    ran: int
    code: bool
    broken: Tuple[str, ...] = ()


def look(server: Optional[Server], problem: Optional[str], policy: Policy) -> Shown:
    """What there is to say now. Main thread."""
    if server is None:
        return Shown(None, problem, (), Activity(), (), 0, policy.code)
    journal = server.journal
    status = server.pump.status()
    running = status["running"] or {}
    activity = Activity(running.get("method"), int(running.get("seconds", 0)), status["queued"])
    log = tuple(line_of(entry) for entry in journal.entries()[:MOST_LINES])
    names = [f"{client.name} {client.version}".strip() for client in server.clients()]
    clients = tuple(shortened(names))
    broken = tuple(f"{name}: {its.problem}" for name, its in server.neighbours().items() if its.problem)
    return Shown(server.address, problem, clients, activity, log, journal.count, policy.code, broken)


def line_of(entry: Entry) -> Line:
    """One command of the journal, as the panel says it."""
    problem = None if entry.outcome == "ok" else entry.outcome.replace("_", " ")
    return Line(entry.method, duration(entry.seconds), problem)


def duration(seconds: float) -> str:
    """Short enough for a sidebar."""
    if seconds < 0.01:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60} s"


def shortened(names: List[str]) -> List[str]:
    """Each name once, with how often; what does not fit the panel is counted."""
    known = dict.fromkeys(names)
    said = [name if names.count(name) == 1 else f"{name} ({names.count(name)} connections)" for name in known]
    more = len(said) - _MOST_CLIENTS
    return [*said[:_MOST_CLIENTS], f"and {more} more"] if more > 0 else said


class Redraws:
    """Whether the panel is to be drawn again: only where somebody sees it, and it would say something else.

    Nobody tells an add-on that its panel is hidden; but a visible one is drawn when that is asked for. So: ask once,
    and ask again only after it was drawn.
    """

    def __init__(self) -> None:
        self._drawn: Optional[Shown] = None
        self._waiting: Optional[float] = None

    def drawn(self, shown: Shown) -> None:
        """The panel was drawn and says that."""
        self._drawn, self._waiting = shown, None

    def wanted(self, shown: Shown) -> bool:
        """Whether to ask Blender for a drawing now."""
        if self._drawn is None or self._waiting is not None or shown == self._drawn:
            return False
        self._waiting = time.monotonic()
        return True

    def hidden(self, patience: float) -> bool:
        """A drawing was asked for that many seconds ago, and nothing came: nobody looks."""
        return self._waiting is not None and time.monotonic() - self._waiting >= patience
