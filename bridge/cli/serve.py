"""bpy-bridge serve: the bridge, in the foreground."""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

import trio

from bridge import log
from bridge.app import serve
from bridge.config import Settings, load_settings
from bridge.errors import BridgeError


def run(options: argparse.Namespace) -> int:
    """Serve until SIGTERM or Ctrl-C. Raises ConfigurationError before a door is open, for whatever is wrong."""
    settings = load_settings(_flags(options), file=options.config)
    token = settings.door_token()
    log.configure(settings.log.level, settings.log.format, secrets=_secrets(settings, token))
    try:
        trio.run(serve, settings, _announce)
    except BaseExceptionGroup as group:
        raise _reason(group) from group
    return 0


def _flags(options: argparse.Namespace) -> dict[str, Any]:
    flags: dict[str, Any] = {}
    if options.listen:
        flags["listen"] = options.listen
    if options.worker:
        flags["workers"] = {name: {} for name in options.worker}
    for word in options.instance:
        name, equals, address = word.partition("=")
        if not name or not equals:
            options.parser.error(
                f"--instance {word!r} is not NAME=ADDR, such as studio=unix:/run/user/1000/blender.sock"
            )
        flags.setdefault("instances", {})[name] = {"address": address}
    return flags


def _secrets(settings: Settings, token: str | None) -> list[str]:
    tokens = [token, *(instance.secret() for instance in settings.instances.values())]
    return [text for text in tokens if text]


def _announce(listen: list[str]) -> None:
    print(json.dumps({"ready": True, "listen": listen, "pid": os.getpid()}), flush=True)


def _reason(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The one reason for a failed start, where it is ours to explain; else the group, with its tracebacks."""
    ours = group.subgroup(BridgeError)
    while isinstance(ours, BaseExceptionGroup) and ours.exceptions:
        first = ours.exceptions[0]
        if not isinstance(first, BaseExceptionGroup):
            return first
        ours = first
    return group
