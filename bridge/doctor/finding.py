"""What a check found."""

from __future__ import annotations

from typing import Literal, NamedTuple

Level = Literal["ok", "warning", "broken"]


class Finding(NamedTuple):
    """`what` is one line; so is `fix`, which is empty where all is well."""

    level: Level
    what: str
    fix: str = ""


def ok(what: str) -> Finding:
    """It is as it should be."""
    return Finding("ok", what)


def warning(what: str, fix: str) -> Finding:
    """The bridge works, and not as well as it could, or not everywhere."""
    return Finding("warning", what, fix)


def broken(what: str, fix: str) -> Finding:
    """The bridge cannot work like this."""
    return Finding("broken", what, fix)
