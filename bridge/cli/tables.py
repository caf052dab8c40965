"""Tables for people, and what is said in them. Only printing one imports rich, which takes 100 ms."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from . import output

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_NUMBERS = frozenset({"leased", "idle", "connecting", "checking", "waiting", "oldest"})
_WIDE = 1_000  # in a file or a pipe nothing is wrapped


def console() -> Console:
    """Standard output; text is printed as it is."""
    from rich.console import Console  # noqa: PLC0415  # for start-up time

    return Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else _WIDE)


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> Table:
    """Titles and rows, the numbers to the right."""
    from rich.table import Table  # noqa: PLC0415  # for start-up time
    from rich.text import Text  # noqa: PLC0415  # for start-up time

    shown = Table(box=None, pad_edge=False)
    for title in titles:
        shown.add_column(title, justify="right" if title in _NUMBERS else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(output.visible(cell)) for cell in row))
    return shown


def number(value: Any) -> str:
    """A count, or a dash where there is none."""
    return "-" if value is None else str(value)


def leased(pool: dict[str, Any]) -> str:
    """How many connections are lent, of how many."""
    return f"{pool.get('leased', 0)}/{pool.get('max_connections', '-')}"


def duration(seconds: float) -> str:
    """A length of time as a person says it: 0.2 s, 3 min 5 s, 2 h 10 min, 4 d 3 h."""
    if seconds < 60:
        return f"{seconds:.1f} s".replace(".0 ", " ")
    whole = int(seconds)
    for unit, length, lower, part in (("d", 86400, "h", 3600), ("h", 3600, "min", 60), ("min", 60, "s", 1)):
        if whole >= length:
            return f"{whole // length} {unit} {whole % length // part} {lower}"
    return f"{whole} s"
