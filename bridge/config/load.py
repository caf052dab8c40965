"""Flags, environment, file and defaults → Settings."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError
from pydantic_settings import BaseSettings, InitSettingsSource, PydanticBaseSettingsSource

from bridge import paths
from bridge.errors import ConfigurationError

from .explain import explain
from .settings import Settings
from .sources import Environment, File, Flags


class Sources(NamedTuple):
    """Where settings come from, in order of precedence."""

    flags: Flags
    environment: Environment
    file: File


def load_settings(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Settings:
    """Read and check everything.

    `flags` are nested tables; `file` must exist if it is given, else the standard place is looked at; `environment` is
    the process's own. Raises ConfigurationError with one line for each thing that is wrong.
    """
    return check(read_sources(flags, file=file, environment=environment))


def read_sources(
    flags: Mapping[str, Any] | None = None,
    *,
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Sources:
    """What is written where, as for `load_settings`. Raises ConfigurationError where it cannot even be read."""
    from_flags = Flags(flags or {})
    from_file = File.read(file or paths.config_file(), required=file is not None)
    known = [
        name
        for table in ("instances", "workers")
        for source in (from_flags, from_file)
        for name in _keys(source.values.get(table))
    ]
    from_environment = Environment.read(os.environ if environment is None else environment, known)
    return Sources(from_flags, from_environment, from_file)


def check(sources: Sources) -> Settings:
    """The settings that these make. Raises ConfigurationError with one line for each thing that is wrong."""

    class Layered(Settings):
        @classmethod
        def settings_customise_sources(
            cls, settings_cls: type[BaseSettings], *_: PydanticBaseSettingsSource, **__: PydanticBaseSettingsSource
        ) -> tuple[PydanticBaseSettingsSource, ...]:
            return tuple(InitSettingsSource(settings_cls, dict(source.values)) for source in sources)

    try:
        return Layered()
    except ValidationError as error:
        raise ConfigurationError(explain(error, Settings, sources)) from None


def _keys(table: Any) -> list[str]:
    return list(table) if isinstance(table, dict) else []
