"""The SQL of one dialect: each statement in a file of its name, and the migrations NNN_name.sql in their order."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files
from types import SimpleNamespace
from typing import NamedTuple

_MIGRATION = re.compile(r"(\d{3})_\w+\.sql")


class Migration(NamedTuple):
    """One step of the schema."""

    number: int
    sql: str


@cache
def statements(dialect: str) -> SimpleNamespace:
    """Every statement, by its file's name."""
    found = files("bridge.jobs.store").joinpath("sql", dialect).iterdir()
    texts = {
        file.name.removesuffix(".sql"): file.read_text("utf-8").strip() for file in found if not _number(file.name)
    }
    return SimpleNamespace(**texts)


@cache
def migrations(dialect: str) -> list[Migration]:
    """Every migration, oldest first."""
    found = files("bridge.jobs.store").joinpath("sql", dialect).iterdir()
    steps = [Migration(number, file.read_text("utf-8")) for file in found if (number := _number(file.name))]
    return sorted(steps)


def _number(name: str) -> int:
    matched = _MIGRATION.fullmatch(name)
    return int(matched[1]) if matched else 0
