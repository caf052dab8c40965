"""Where settings come from. Each source is nested tables, and can say where a value in it was written."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from bridge.errors import ConfigurationError
from bridge.paths import token_file

PREFIX = "BPY_BRIDGE_"

# They say where the bridge is, to it and to its clients, and are read by bridge.paths.
_NOT_SETTINGS = frozenset({"BPY_BRIDGE_HOME", "BPY_BRIDGE_ADDRESS", "BPY_BRIDGE_NAME"})

Path_ = tuple[str, ...]


class Source(Protocol):
    """Nested tables of settings that were written somewhere."""

    @property
    def values(self) -> Mapping[str, Any]:
        """The tables, as nested mappings."""

    @property
    def kind(self) -> str:
        """What it is, in words."""

    def where(self, path: Path_) -> str:
        """What the user wrote: the variable, the flag, or the file."""

    def written(self, path: Path_, value: str) -> str:
        """How the user writes the setting here."""


class Flags(NamedTuple):
    """The command line's. The tables are made by the command, out of --listen, --instance and --worker."""

    values: Mapping[str, Any]

    @property
    def kind(self) -> str:
        """As a message says it."""
        return "flag"

    def where(self, path: Path_) -> str:
        """The flag."""
        return "--" + {"instances": "instance", "workers": "worker"}.get(path[0], path[0]).replace("_", "-")

    def written(self, path: Path_, value: str) -> str:
        """The flag with its value."""
        if path[0] == "instances":
            return f"--instance studio={value}"
        return f"{self.where(path)} {'studio' if path[0] == 'workers' else value}"


class Environment(NamedTuple):
    """BPY_BRIDGE_… variables, `__` between a table and what is in it; `names` are the variables by path."""

    values: Mapping[str, Any]
    names: Mapping[Path_, str]

    @property
    def kind(self) -> str:
        """As a message says it."""
        return "environment variable"

    @classmethod
    def read(cls, variables: Mapping[str, str], known: Iterable[str]) -> Environment:
        """Sort the variables into tables; an instance that is `known` from elsewhere keeps the case of its name."""
        spellings = {_as_variable(name): name for name in known}
        values: dict[str, Any] = {}
        names: dict[Path_, str] = {}
        for variable in sorted(variables):
            if not variable.startswith(PREFIX) or variable in _NOT_SETTINGS:
                continue
            if variable == "BPY_BRIDGE_TOKEN" and not variables[variable].strip():
                continue  # as for a client, empty is not set
            parts = variable.removeprefix(PREFIX).split("__")
            path = tuple(part.lower() for part in parts)
            if len(parts) > 2 and path[0] in ("instances", "workers"):
                path = (path[0], spellings.get(parts[1].upper(), path[1]), *path[2:])
                if path[2] == "env" and len(parts) > 3:
                    # What the worker gets is a variable's name: as it was written.
                    path = (*path[:3], "__".join(parts[3:]))
            if len(parts) > 2 and path[:2] == ("jobs", "env"):
                path = (*path[:2], "__".join(parts[2:]))
            names[path] = variable
            _put(values, path, variables[variable], variable)
        return cls(values, names)

    def where(self, path: Path_) -> str:
        """The variable."""
        below = (name for at, name in self.names.items() if at[: len(path)] == path)
        return self.names.get(path) or next(below, environment_name(path))

    def written(self, path: Path_, value: str) -> str:
        """The variable with its value, as a shell takes it."""
        return f"{environment_name(path)}={value}"


class File(NamedTuple):
    """config.toml."""

    values: Mapping[str, Any]
    path: Path

    @property
    def kind(self) -> str:
        """As a message says it."""
        return "file"

    @classmethod
    def read(cls, path: Path, *, required: bool) -> File:
        """Parse the file. Raises ConfigurationError where it is no TOML, cannot be read, or is required and missing."""
        try:
            values = tomllib.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            if required:
                raise ConfigurationError(f"there is no configuration file {path}") from None
            values = {}
        except OSError as error:
            raise ConfigurationError(f"the configuration file {path} cannot be read: {error.strerror}") from None
        except ValueError as error:
            raise ConfigurationError(f"the configuration file {path} is not TOML: {error}") from None
        if "token" in values:
            raise ConfigurationError(
                f"token, in the file {path}: clients do not look there; put it in {token_file()} or BPY_BRIDGE_TOKEN"
            )
        return cls(values, path)

    def where(self, path: Path_) -> str:  # noqa: ARG002  # one file, whatever the path
        """The file."""
        return str(self.path)

    def written(self, path: Path_, value: str) -> str:
        """The setting in its table."""
        *table, name = path
        literal = value if re.fullmatch(r"[0-9.]+|inf|true|false", value) else f'"{value}"'
        return (f"[{'.'.join(table)}] " if table else "") + f"{name} = {literal}"


def source_of(path: Path_, sources: Sequence[Source]) -> Source | None:
    """Which of the sources, the first before the second, sets what is at the path."""
    return next((source for source in sources if _has(source.values, path)), None)


def _has(values: Any, path: Path_) -> bool:
    for part in path:
        if not isinstance(values, dict):
            return True  # a text or a list where the setting is inside
        if part not in values:
            return False
        values = values[part]
    return True


def environment_name(path: Path_) -> str:
    """The variable for a setting."""
    own_spelling = (path[0] == "workers" and path[2:3] == ("env",) and len(path) > 3) or path[:2] == ("jobs", "env")
    if own_spelling and len(path) > 2:
        return f"{environment_name(path[:-1])}__{path[-1]}"
    return PREFIX + "__".join(_as_variable(part) for part in path)


def _as_variable(name: str) -> str:
    return re.sub(r"[^A-Za-z0-9]", "_", name).upper()


def _put(values: dict[str, Any], path: Path_, value: str, variable: str) -> None:
    table = values
    for part in path[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise ConfigurationError(f"{variable} sets part of a table that another variable sets to a text: unset one")
        table = inner
    table[path[-1]] = value
