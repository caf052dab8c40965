"""The flags of `bpy-bridge serve`, as the tables of settings that they are."""

from __future__ import annotations

import argparse
from typing import Any


def settings_of(options: argparse.Namespace) -> dict[str, Any]:
    """What was given, nested as in the configuration file."""
    flags: dict[str, Any] = {}
    if options.listen:
        flags["listen"] = options.listen
    if options.http:
        flags["http"] = options.http
    if options.worker:
        flags["workers"] = {name: {} for name in options.worker}
    for word in options.instance:
        name, _, address = word.partition("=")
        flags.setdefault("instances", {})[name] = {"address": address}
    return flags
