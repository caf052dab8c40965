"""What the checks look at."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, Self

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
    def here(cls, config: Path | None = None) -> Self:
        """This process's. Raises nothing: what is wrong with the settings is for a check to tell."""
        try:
            return cls(load_settings(file=config), config=config)
        except ConfigurationError as error:
            mistakes = tuple(str(error).splitlines())
        try:
            return cls(Settings(), mistakes)
        except ValueError:
            # The default door's path is too long, which is among the mistakes.
            return cls(Settings(listen=["tcp:127.0.0.1:9870"]), mistakes)
        except ConfigurationError as error:
            return cls(Settings(listen=["tcp:127.0.0.1:9870"]), (*mistakes, *str(error).splitlines()))
