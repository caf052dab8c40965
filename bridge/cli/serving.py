"""What `bpy-bridge serve` does once it is the only one: settings, logging, the bridge itself."""

from __future__ import annotations

import argparse
from collections.abc import Callable

import trio

from bridge import log, paths
from bridge.app import Doors, serve
from bridge.config import Settings, load_settings
from bridge.daemon.detach import go_home
from bridge.errors import BridgeError
from bridge.jobs.store.address import passwords

from . import flags

_STANDARD_ERROR = 2


def run(options: argparse.Namespace, announce: Callable[[list[str], str | None, str | None], None]) -> int:
    """Serve until told to end; `announce` is called once the doors are open, with their addresses."""
    settings = load_settings(flags.settings_of(options), file=options.config)
    token = settings.door_token()
    rotation = log.Rotation(paths.log_file(), _STANDARD_ERROR) if options.detached else None
    log.configure(settings.log.level, settings.log.format, secrets=_secrets(settings, token), after_write=rotation)
    if options.detached:
        go_home()

    def on_ready(doors: Doors) -> None:
        announce(doors.listen, doors.http, doors.mcp)

    try:
        trio.run(serve, settings, on_ready)
    except BaseExceptionGroup as group:
        raise _reason(group) from group
    finally:
        log.flush()
    return 0


def _secrets(settings: Settings, token: str | None) -> list[str]:
    tokens = [token, *(instance.secret() for instance in settings.instances.values())]
    return [text for text in [*tokens, *passwords(settings.jobs.url.get_secret_value())] if text]


def _reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one reason for a failed start, where it is ours to explain; else the group, with its tracebacks."""
    ours = group.subgroup(BridgeError)
    while isinstance(ours, BaseExceptionGroup) and ours.exceptions:
        first = ours.exceptions[0]
        if not isinstance(first, BaseExceptionGroup):
            return first
        ours = first
    return group
