"""Every setting with its value, where that was set, and what it means."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import BaseModel, SecretStr

from .explain import as_text, is_secret
from .instances import DEFAULT_INSTANCE
from .safety import OwnSafety
from .settings import Settings
from .sources import Path_, Source, source_of
from .tables import PoolTable
from .workers import WorkerSettings

BLACKENED = "********"


class Setting(NamedTuple):
    """One setting; `value` is JSON, `kind` and `where` are what the user wrote it in, None for a default."""

    path: Path_
    value: Any
    kind: str | None
    where: str | None
    meaning: str

    @property
    def name(self) -> str:
        """As messages name it."""
        return ".".join(self.path)

    @property
    def text(self) -> str:
        """The value for a person; a dash where nothing is set."""
        if self.value is None or self.value == {}:
            return "-"
        return ", ".join(map(str, self.value)) if isinstance(self.value, list) else as_text(self.value)


def list_settings(settings: Settings, sources: Sequence[Source]) -> list[Setting]:
    """All of them, `sources` in order of precedence. A secret's value is blackened."""
    if not settings.workers and not settings.instances:
        settings = settings.model_copy(update={"workers": {DEFAULT_INSTANCE: WorkerSettings()}})
    return [_setting(path, value, meaning, sources) for path, value, meaning in _walk((), settings)]


def _setting(path: Path_, value: Any, meaning: str, sources: Sequence[Source]) -> Setting:
    source = source_of(path, sources)
    if source is None:
        return Setting(path, _as_json(path, value), None, None, meaning)
    return Setting(path, _as_json(path, value), source.kind, source.where(path), meaning)


def _walk(path: Path_, table: BaseModel) -> Iterator[tuple[Path_, Any, str]]:
    for name, field in type(table).model_fields.items():
        if len(path) > 1 and isinstance(table, PoolTable | OwnSafety) and name not in table.model_fields_set:
            continue  # the common settings hold, and are listed themselves
        yield from _below((*path, name), getattr(table, name), field.description or "")


def _below(path: Path_, value: Any, meaning: str) -> Iterator[tuple[Path_, Any, str]]:
    if isinstance(value, BaseModel):
        yield from _walk(path, value)
    elif isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _below((*path, name), inner, meaning)
    else:
        yield path, value, meaning


def _as_json(path: Path_, value: Any) -> Any:
    if value is None or value == {}:
        return value
    if is_secret(path) or isinstance(value, SecretStr):
        return BLACKENED
    if isinstance(value, list):
        return [_as_json(path, item) for item in value]
    if isinstance(value, Path) or (isinstance(value, float) and math.isinf(value)):
        return str(value)
    return value
