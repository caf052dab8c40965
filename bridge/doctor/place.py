"""What the checks look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, Self

from bridge import paths
from bridge.config import Settings, load_settings
from bridge.errors import ConfigurationError

BLENDER_PORT = 9876


class Place(NamedTuple):
    """`settings` are the defaults where `mistakes` says, one line each, why the user's cannot be used.

    `config` is the file that was named instead of the standard one.
    """

    settings: Settings
    mistakes: tuple[str, ...] = ()
    config: Path | None = None
    blender_port: int = BLENDER_PORT

    @classmethod
    def here(cls, flags: Mapping[str, Any] | None = None, *, config: Path | None = None) -> Self:
        """This process's, as `load_settings` finds them. What is wrong with them is for a check to tell."""
        mistakes: list[str] = []
        attempts: tuple[Callable[[], Settings], ...] = (
            partial(load_settings, flags, file=config),
            Settings,
            # The place of the standard door may itself be what is wrong.
            partial(
                Settings,
                listen=[paths.DEFAULT_TCP_ADDRESS],
                http=paths.DEFAULT_HTTP_ADDRESS,
                mcp="off",
                jobs={"url": "off", "directory": "/"},
            ),
        )
        for attempt in attempts:
            try:
                return cls(attempt(), tuple(dict.fromkeys(mistakes)), config)
            except ConfigurationError as error:
                mistakes += str(error).splitlines()
        raise AssertionError("settings that need nothing were refused")
